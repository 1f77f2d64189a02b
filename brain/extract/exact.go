package extract

import (
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/internal/brain/windows"
)

// exactSize returns the number of clips in each pass of a length. It is that of the reader where a clip has
// bit-identical vectors at each place of such a pass, and else 1: the kernels of some processors treat the last rows of
// a matrix in another way than the others.
func (b *Batcher) exactSize(reader *windows.Reader, part windows.Part, layers []int) (int, error) {
	key := lengthOf{reader.Model.Session(), part.Stimulus.Clips[part.Clip].Samples(), slices.Max(layers)}
	b.lock.Lock()
	size, known := b.sizes[key]
	b.lock.Unlock()
	if known {
		return size, nil
	}
	size = reader.Unit
	vectors, err := reader.Joined(b.life, slices.Repeat([]windows.Part{part}, size), layers)
	if err != nil {
		return 0, err
	}
	for _, x := range vectors {
		if !repeats(x, len(x)/size) {
			size = 1
		}
	}
	b.lock.Lock()
	defer b.lock.Unlock()
	b.sizes[key] = size
	return size, nil
}

// repeats reports whether x repeats its first n numbers, bit by bit.
func repeats(x []float32, n int) bool {
	for i := n; i < len(x); i++ {
		if math.Float32bits(x[i]) != math.Float32bits(x[i-n]) {
			return false
		}
	}
	return true
}
