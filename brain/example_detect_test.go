package brain_test

import (
	"fmt"

	"github.com/brainwavlm/bwlm/brain"
)

// Ten minutes of test story at a TR of 2 s, of which autocorrelation leaves 200 independent rows, show a gain of about .08 in
// one voxel.
func ExampleDetectableDelta() {
	fmt.Printf("%.2f\n", brain.DetectableDelta(200, .3, brain.PredictionsAlike, .05, .8))
	// Output: 0.08
}
