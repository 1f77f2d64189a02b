package tune

import (
	"github.com/brainwavlm/bwlm/torch/dist"
)

// runningSum is a sum over the blocks of voxels of all ranks in their order. It passes from rank to rank, each of which
// adds its blocks, and the last sends the total to all: a part to each rank, which passes it on. So a rank sends at
// most one float64 and two float32 for each element, however many ranks and blocks there are.
type runningSum struct {
	group *dist.Group
	has   []bool      // by rank: it has blocks
	sizes []int       // elements of each part; 0: it is not wanted
	parts [][]float64 // nil before the first block
}

// over returns the totals of all parts; add adds the blocks of this rank.
func (r *runningSum) over(add func(parts [][]float64)) ([][]float32, error) {
	total := 0
	for _, n := range r.sizes {
		total += n
	}
	if total == 0 {
		return nil, nil
	}
	last, me := -1, r.group.Rank()
	for rank, has := range r.has {
		if !has {
			continue
		}
		if last >= 0 {
			if err := r.pass(last, rank, total); err != nil {
				return nil, err
			}
		}
		if last = rank; rank == me {
			add(r.parts)
		}
	}
	flat := make([]float32, 0, total)
	if last == me {
		for _, part := range r.parts {
			for _, x := range part {
				flat = append(flat, float32(x))
			}
		}
	}
	if r.group != nil {
		var err error
		if flat, err = r.tell(last, flat, total); err != nil {
			return nil, err
		}
	}
	out := make([][]float32, len(r.sizes))
	for k, n := range r.sizes {
		out[k], flat = flat[:n], flat[n:]
	}
	return out, nil
}

// pass sends the sum so far from one rank to another. Parts that have not begun are not a number.
func (r *runningSum) pass(from, to, total int) error {
	counts := none(len(r.has))
	counts[from][to] = len(r.sizes) + total
	var flat []float64
	if me := r.group.Rank(); me == from {
		for k, n := range r.sizes {
			flat = append(flat, float64(len(r.parts[k])))
			if r.parts[k] == nil {
				flat = append(flat, make([]float64, n)...)
			} else {
				flat = append(flat, r.parts[k]...)
			}
		}
	}
	got, err := dist.Exchange(r.group, "sum of gradients by voxels", flat, counts)
	if err != nil || r.group.Rank() != to {
		return err
	}
	flat = got[from]
	for k, n := range r.sizes {
		if flat[0] > 0 {
			r.parts[k] = flat[1 : 1+n]
		}
		flat = flat[1+n:]
	}
	return nil
}

// tell returns the totals that one rank has to all.
func (r *runningSum) tell(from int, flat []float32, total int) ([]float32, error) {
	world := len(r.has)
	counts, ranges := none(world), make([]int, world)
	for rank := range ranges {
		ranges[rank] = total*(rank+1)/world - total*rank/world
	}
	counts[from] = ranges
	got, err := dist.Exchange(r.group, "parts of gradients by voxels", flat, counts)
	if err != nil {
		return nil, err
	}
	all, err := dist.Gather(r.group, "gradients by voxels", got[from], ranges)
	if err != nil {
		return nil, err
	}
	flat = make([]float32, 0, total)
	for _, part := range all {
		flat = append(flat, part...)
	}
	return flat, nil
}

// none are the counts of an exchange of nothing.
func none(world int) [][]int {
	out := make([][]int, world)
	for rank := range out {
		out[rank] = make([]int, world)
	}
	return out
}
