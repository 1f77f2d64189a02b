package plan_test

import (
	"fmt"

	"github.com/brainwavlm/bwlm/brain/plan"
)

// Ten minutes of test story at a TR of 2 s, of which autocorrelation leaves 200 independent rows,
// show a gain of about .08 in one voxel.
func ExampleMinDetectableDifference() {
	fmt.Printf("%.2f\n", plan.MinDetectableDifference(200, .3, plan.PredictionsAlike, .05, .8))
	// Output: 0.08
}
