package timing_test

import (
	"context"
	"fmt"
	"math"

	"github.com/brainwavlm/bwlm/internal/brain/timing"
	"github.com/brainwavlm/bwlm/internal/sim"
)

// The responses of simulated subjects are on time, so the lag is near 0.
func ExampleRun() {
	study, err := sim.New(sim.Options{Seed: 1, TuneStories: 6, ValStories: 1, TestStories: 1, ProbeStories: 1,
		Voxels: 30})
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := timing.Run(context.Background(), study.Dataset,
		timing.Options{Subjects: []string{sim.Listener}, ROI: sim.Auditory})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("near 0:", math.Abs(*report.Lag) < 1.5, "clear:", report.Clear, "verdict:", report.Verdict)
	// Output: near 0: true clear: true verdict: ok
}
