package tune

import (
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/dist"
)

// shares is what a step exchanges with the other ranks. Units are dealt as consecutive ranges. Their vectors are
// gathered, so that each rank has the loss of all. The gradients of the model are added up unit by unit in the order
// of the units, as one process adds them, so that the sum does not depend on the number of ranks. To share this work
// out, each rank adds up a range of the elements, which it gets from all others, and sends the sums to all.
type shares struct {
	group  *dist.Group
	units  [][]windows.Unit // by rank
	params []*torch.Tensor  // of the model, those that are tuned
	sizes  []int            // elements of each
	flat   [][]float32      // by unit of this rank: all gradients
	has    [][]bool         // by unit of this rank and parameter: whether it has a gradient
}

// share leaves to a pass the units of this rank.
func (u *unitPass) share(g *dist.Group) {
	if g == nil {
		return
	}
	x := &shares{group: g}
	for rank := range g.World() {
		x.units = append(x.units, windows.Share(u.units, g.World(), rank))
	}
	for name, p := range u.trainer.Adam.Params() {
		if !strings.HasPrefix(name, readoutPrefix) {
			x.params = append(x.params, p)
			x.sizes = append(x.sizes, p.Len())
		}
	}
	u.ranks, u.units = x, x.units[g.Rank()]
}

// gather returns the vectors of the units of all ranks, of which parts are this one's, and the place of the first of
// these.
func (x *shares) gather(s *torch.Scope, u *unitPass, parts []*torch.Tensor) (all *torch.Tensor, first int, err error) {
	if len(parts) == 0 {
		parts = append(parts, u.empty(s))
	}
	mine := torch.Cat(0, parts...)
	if x == nil {
		return mine, 0, nil
	}
	width, total := mine.Dim(1), 0
	lengths := make([]int, len(x.units))
	for rank, units := range x.units {
		if rank == x.group.Rank() {
			first = total
		}
		n := windows.Length(units)
		lengths[rank], total = n*width, total+n
	}
	vectors, err := dist.Gather(x.group, "vectors", mine.Float32s(), lengths)
	if err != nil {
		return nil, 0, err
	}
	return s.FromFloat32(slices.Concat(vectors...), total, width), first, nil
}

// take takes the gradients of a unit away from the parameters.
func (x *shares) take(s *torch.Scope) {
	if x == nil {
		return
	}
	var flat []float32
	var has []bool
	for k, p := range x.params {
		has = append(has, p.HasGrad())
		if has[k] {
			flat = append(flat, p.Grad(s).Float32s()...)
		} else {
			flat = append(flat, make([]float32, x.sizes[k])...)
		}
	}
	torch.ClearGrad(x.params...)
	x.flat, x.has = append(x.flat, flat), append(x.has, has)
}

// sum gives the parameters the sums of their gradients over the units of all ranks.
func (x *shares) sum(s *torch.Scope) error {
	if x == nil {
		return nil
	}
	world, total := len(x.units), 0
	for _, n := range x.sizes {
		total += n
	}
	counts, ranges := make([][]int, world), make([]int, world)
	var mine []float32
	for rank := range world {
		from, to := total*rank/world, total*(rank+1)/world
		ranges[rank] = to - from
		for i, flat := range x.flat {
			mine = append(mine, flat[from:to]...)
			for _, yes := range x.has[i] {
				mine = append(mine, flag(yes))
			}
		}
	}
	for rank, units := range x.units {
		for _, n := range ranges {
			counts[rank] = append(counts[rank], len(units)*(n+len(x.params)))
		}
	}
	x.flat, x.has = nil, nil
	got, err := dist.Exchange(x.group, "gradients", mine, counts)
	if err != nil {
		return err
	}
	sums, has := x.add(slices.Concat(got...), total*x.group.Rank()/world, ranges[x.group.Rank()])
	parts, err := dist.Gather(x.group, "sums of gradients", sums, ranges)
	if err != nil {
		return err
	}
	all := slices.Concat(parts...)
	for k, p := range x.params {
		if has[k] { // the gradient of Σ p·g is g
			s.Attach(p).Mul(s.FromFloat32(all[:x.sizes[k]], p.Shape()...)).Sum().Backward()
		}
		all = all[x.sizes[k]:]
	}
	return nil
}

// add returns the sums over all units of a range of elements from one on, and which parameters have a gradient in any
// unit. Each unit has the elements of the range, and a flag of each parameter.
func (x *shares) add(units []float32, from, size int) (sums []float32, has []bool) {
	sums, has = make([]float32, size), make([]bool, len(x.params))
	for len(units) > 0 {
		elements, flags := units[:size], units[size:size+len(x.params)]
		units = units[size+len(x.params):]
		at := -from // of the first element of a parameter in the range
		for k, n := range x.sizes {
			begin, end := min(max(at, 0), size), min(max(at+n, 0), size)
			at += n
			switch {
			case flags[k] == 0:
			case !has[k]:
				has[k] = true
				copy(sums[begin:end], elements[begin:end])
			default:
				for i, g := range elements[begin:end] {
					sums[begin+i] += g
				}
			}
		}
	}
	return sums, has
}

func flag(yes bool) float32 {
	if yes {
		return 1
	}
	return 0
}
