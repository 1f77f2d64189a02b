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
// of the units, as one process adds them, so that the sum does not depend on the number of ranks. For that, a rank
// keeps those of each unit. Fast sums do without: a rank adds up its units as they come, and all ranks in any order.
type shares struct {
	group  *dist.Group
	fast   bool
	units  [][]windows.Unit  // by rank
	params []*torch.Tensor   // of the model, those that are tuned
	mine   []addend[float32] // gradients by unit of this rank and parameter
}

// share leaves to a pass the units of this rank.
func (u *unitPass) share(g *dist.Group) {
	if g == nil {
		return
	}
	x := &shares{group: g, fast: u.trainer.Study.Options.FastSums}
	for rank := range g.World() {
		x.units = append(x.units, windows.Share(u.units, g.World(), rank))
	}
	for name, p := range u.trainer.Adam.Params() {
		if !strings.HasPrefix(name, readoutPrefix) {
			x.params = append(x.params, p)
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
	if x == nil || x.fast {
		return
	}
	x.takeAll(s)
}

func (x *shares) takeAll(s *torch.Scope) {
	for k, p := range x.params {
		if p.HasGrad() {
			x.mine = append(x.mine, addend[float32]{k, p.Grad(s).Float32s()})
		}
	}
	torch.ClearGrad(x.params...)
}

// sum gives the parameters the sums of their gradients over the units of all ranks.
func (x *shares) sum(s *torch.Scope) error {
	if x == nil {
		return nil
	}
	r := &runningSum[float32]{group: x.group}
	for _, p := range x.params {
		r.sizes = append(r.sizes, p.Len())
	}
	for _, units := range x.units {
		r.has = append(r.has, len(units) > 0)
	}
	over := r.over
	if x.fast {
		x.takeAll(s)
		over = r.anyOrder
	}
	sums, err := over(x.mine)
	if x.mine = nil; err != nil {
		return err
	}
	for k, p := range x.params {
		if sums[k] != nil { // the gradient of Σ p·g is g
			s.Attach(p).Mul(s.FromFloat32(sums[k], p.Shape()...)).Sum().Backward()
		}
	}
	return nil
}
