package tune

import (
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/dist"
)

// shares is what a step exchanges with the other ranks. Units are dealt as consecutive ranges. Their vectors are
// gathered, so that each rank has the loss of all. The gradients of the model are added up exactly over the units, so
// that the sum depends neither on their order nor on the number of ranks. Fast sums do without: a rank adds up its
// units as they come, and all ranks in any order.
type shares struct {
	group  *dist.Group
	fast   bool
	units  [][]windows.Unit // by rank
	params []*torch.Tensor  // of the model, those that are tuned
	sums   *exactSum        // of their gradients
}

// share leaves to a pass the units of this rank.
func (u *unitPass) share(g *dist.Group) {
	fast := u.trainer.Study.Options.FastSums
	if g == nil && (fast || len(u.units) == 1) {
		return
	}
	x := &shares{group: g, fast: fast}
	for rank := range g.World() {
		x.units = append(x.units, windows.Share(u.units, g.World(), rank))
	}
	var sizes []int
	for name, p := range u.trainer.Adam.Params() {
		if !strings.HasPrefix(name, readoutPrefix) {
			x.params, sizes = append(x.params, p), append(sizes, p.Len())
		}
	}
	if !fast {
		x.sums = u.trainer.sumOf(sizes)
	}
	u.ranks, u.units = x, x.units[g.Rank()]
}

// sumOf returns a sum of nothing in the memory of the last step's.
func (t *Trainer) sumOf(sizes []int) *exactSum {
	if t.sums == nil || !slices.Equal(t.sums.sizes, sizes) {
		t.sums = newExactSum(sizes)
	} else {
		t.sums.clear()
	}
	return t.sums
}

// gather returns the vectors of the units of all ranks, of which parts are this one's, and the place of the first of
// these.
func (x *shares) gather(s *torch.Scope, u *unitPass, parts []*torch.Tensor) (all *torch.Tensor, first int, err error) {
	if len(parts) == 0 {
		parts = append(parts, u.empty(s))
	}
	mine := torch.Cat(0, parts...)
	if x == nil || x.group == nil {
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
	if x == nil || x.fast {
		return
	}
	for k, p := range x.params {
		if p.HasGrad() {
			x.sums.add(k, p.Grad(s).Float32s())
		}
	}
	torch.ClearGrad(x.params...)
}

// sum gives the parameters the sums of their gradients over the units of all ranks.
func (x *shares) sum(s *torch.Scope) error {
	if x == nil {
		return nil
	}
	over := x.anyOrder
	if !x.fast {
		over = func(*torch.Scope) ([][]float32, error) { return x.sums.over(x.group) }
	}
	sums, err := over(s)
	if err != nil {
		return err
	}
	for k, p := range x.params {
		if sums[k] != nil { // the gradient of Σ p·g is g
			s.Attach(p).Mul(s.FromFloat32(sums[k], p.Shape()...)).Sum().Backward()
		}
	}
	return nil
}

// anyOrder takes the gradients away from the parameters and returns their sums over all ranks, added up in any order.
func (x *shares) anyOrder(s *torch.Scope) ([][]float32, error) {
	var sizes []int
	var mine []addend[float32]
	for k, p := range x.params {
		if sizes = append(sizes, p.Len()); p.HasGrad() {
			mine = append(mine, addend[float32]{k, p.Grad(s).Float32s()})
		}
	}
	torch.ClearGrad(x.params...)
	return anyOrder(x.group, sizes, mine)
}
