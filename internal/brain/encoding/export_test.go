package encoding

import (
	"testing"

	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// StackInUnits stacks a number of units of some voxels at once until the test ends.
func StackInUnits(t *testing.T, voxels, units int) {
	unit, step := stackUnit, stackVoxels
	stackUnit, stackVoxels = voxels, func(*study.Study, int) int { return voxels * units }
	t.Cleanup(func() { stackUnit, stackVoxels = unit, step })
}
