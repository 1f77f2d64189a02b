package sim_test

import (
	"context"
	"fmt"

	"github.com/brainwavlm/bwlm/internal/sim"
)

// A study is an ordinary data set, beside which stands the truth.
func Example() {
	study, err := sim.New(sim.Options{Seed: 1, TuneStories: 2, ValStories: 1, TestStories: 1, ProbeStories: 1,
		Voxels: 30})
	if err != nil {
		panic(err)
	}
	test := study.TestStories[0]
	m, err := study.Dataset.ReadResponses(context.Background(), sim.Listener, test)
	if err != nil {
		panic(err)
	}
	fmt.Println(study.Dataset.SubjectNames(), study.Dataset.ROIs())
	fmt.Printf("%s: %d repeats of %d rows × %d voxels\n", test, m.Repeats, m.Rows, m.Voxels)

	listener := study.Subject(sim.Listener)
	ceiling := listener.Ceiling(m.Repeats)
	fmt.Println("below 1:", ceiling[listener.Columns(sim.Semantic)[0]] < 1)
	fmt.Println("noise:", ceiling[listener.Columns(sim.Noise)[0]])
	// Output:
	// [listener related unrelated] [auditory semantic noise]
	// test-01: 5 repeats of 60 rows × 30 voxels
	// below 1: true
	// noise: 0
}
