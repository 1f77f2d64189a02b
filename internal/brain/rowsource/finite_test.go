package rowsource

import (
	"context"
	"math"
	"testing"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// shaped is a Source without values.
type shaped [3]int

func (s shaped) Shape() (repeats, rows, columns int) { return s[0], s[1], s[2] }

func (s shaped) ReadRows(context.Context, int, int, int, []float32) error { return nil }

func TestTheFirstValueThatIsNotFiniteIsNamed(t *testing.T) {
	var n NotFinite
	for _, at := range []int{5, 3, 9} {
		n.Add(at, float32(math.Inf(at-4)))
	}
	err := n.Err(shaped{1, 3, 4}, "x")
	faulttest.Require(t, fault.BadData, err, "TR 0, voxel 3 is -Inf (3 of 12 values")
}
