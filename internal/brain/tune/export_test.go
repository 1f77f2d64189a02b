package tune

import "github.com/brainwavlm/bwlm/torch/dist"

// ExactSum returns the exact sum of addends of one part over all ranks, which exchange pieces of a size.
func ExactSum(g *dist.Group, addends [][]float32, size int) ([]float32, int, error) {
	was := piece
	piece = size
	defer func() { piece = was }()
	x := newExactSum([]int{len(addends[0])})
	for _, a := range addends {
		x.add(0, a)
	}
	out, err := x.over(g)
	if err != nil {
		return nil, 0, err
	}
	return out[0], len(x.rest), nil
}
