package sweep_test

import (
	"fmt"

	"github.com/brainwavlm/bwlm/brain/sweep"
)

func ExampleParseAxis() {
	axis, err := sweep.ParseAxis("data.roi=[],[auditory, semantic]")
	fmt.Println(axis.Key, len(axis.Values), axis.Values[1], err)
	// Output: data.roi 2 [auditory, semantic] <nil>
}
