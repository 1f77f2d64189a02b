package columns

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSharesAreConsecutiveAndTogetherAll(t *testing.T) {
	defer func(was int) { Width = was }(Width)
	Width = 16
	voxels := []int{40, 0, 16, 5}
	blocks := Blocks(voxels)
	assert.Equal(t, []Block{{0, 0, 0, 16}, {0, 1, 16, 32}, {0, 2, 32, 40}, {2, 0, 0, 16}, {3, 0, 0, 5}}, blocks)
	assert.Equal(t, 8, blocks[2].Len())
	for world := 1; world <= 8; world++ {
		var all []Block
		ends := make([]int, len(voxels))
		for rank := range world {
			share := Share(blocks, world, rank)
			all = append(all, share...)
			for i := range voxels {
				from, to := Span(share, i)
				if from == to {
					continue
				}
				assert.Equal(t, ends[i], from, "%d of %d", rank, world)
				assert.Zero(t, from%Width)
				ends[i] = to
			}
		}
		assert.Equal(t, blocks, all)
		assert.Equal(t, voxels, ends)
	}
}
