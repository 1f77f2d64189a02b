package demo

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/cortex"
	"github.com/brainwavlm/bwlm/internal/sim"
)

func TestVoxelsHavePlaces(t *testing.T) {
	regions := slices.Concat(slices.Repeat([]string{sim.Auditory}, 100), slices.Repeat([]string{sim.Semantic}, 140),
		slices.Repeat([]string{sim.Noise}, 60))
	dir := t.TempDir()
	p, err := PlacesOf(dir)
	require.NoError(t, err)
	assert.Empty(t, p.Left, "no surface yet")

	require.NoError(t, writePlaces(dir, regions))
	p, err = PlacesOf(dir)
	require.NoError(t, err)
	require.Len(t, p.Vertices, len(regions))
	assert.Len(t, slices.Compact(slices.Sorted(slices.Values(p.Vertices))), len(regions),
		"a vertex of its own for each")
	left, err := cortex.ReadSurface(p.Left)
	require.NoError(t, err)
	right, err := cortex.ReadSurface(p.Right)
	require.NoError(t, err)
	sides := [2]int{}
	for voxel, v := range p.Vertices {
		if regions[voxel] != sim.Auditory {
			continue
		}
		side, points := 0, left.Points
		if v >= len(left.Points) {
			side, points, v = 1, right.Points, v-len(left.Points)
		}
		x, z := points[v][0], points[v][2]
		sides[side]++
		assert.Equal(t, side == 1, x > 0, "left is left")
		assert.Greater(t, x*x, float32(30*30), "auditory cortex is on the outside")
		assert.Less(t, z, float32(45), "and not on top")
	}
	assert.Equal(t, [2]int{50, 50}, sides)
}
