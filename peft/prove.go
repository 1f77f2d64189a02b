package peft

import (
	"context"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

const (
	proveAdapter = "prove adapter"
	proofSize    = .02 // standard deviation of what is added to the parameters
)

// Prove shows that the adapter is alive in the model that forward runs: with small random numbers added to its
// parameters the output is not what it was, and every one of them receives a gradient that is not zero. The error lists
// the dead layers. Forward gives any output of the adapted model for one batch; it runs twice, without dropout.
// Afterwards the parameters have their old bits, also if forward failed, and those of the session's stores have no
// gradients.
func (a *Adapter) Prove(ctx context.Context, ss *nn.Session, seed uint64, forward func(*torch.Scope) *torch.Tensor) error {
	if err := a.Check(); err != nil {
		return err
	}
	return ss.Train(ctx, seed, func(s *torch.Scope) error {
		if a.merged {
			return fault.New(fault.Internal, proveAdapter, "", "it is merged, so there is nothing to see")
		}
		forget := func() {
			for _, st := range append([]*nn.Store{a.store}, ss.Stores...) {
				for _, p := range st.Params() {
					torch.ClearGrad(p)
				}
			}
		}
		forget()
		defer forget()
		for _, p := range a.store.Params() {
			defer borrow(s, p)()
		}
		mode := s.Mode()
		mode.Dropout = false // else its masks alone would move the output
		return torch.Do(s.Context(), mode, func(s *torch.Scope) error { return a.prove(s, forward) })
	})
}

// borrow lets a parameter collect gradients; the function that it returns makes all as it was.
func borrow(s *torch.Scope, p *torch.Tensor) func() {
	bits, on := s.Use(p).Detach().Clone(), p.RequiresGrad()
	p.RequireGrad(true)
	return func() {
		p.CopyFrom(bits)
		p.RequireGrad(on)
	}
}

func (a *Adapter) prove(s *torch.Scope, forward func(*torch.Scope) *torch.Tensor) error {
	before := s.Frozen(forward)
	for _, p := range a.store.Params() {
		p.CopyFrom(s.Use(p).Detach().Add(s.Normal(0, proofSize, p.Shape()...).To(p.DType())))
	}
	after := forward(s)
	if !before.AllFinite() || !after.AllFinite() {
		return fault.New(fault.BadData, proveAdapter, "", "the model's output is not finite")
	}
	moved := after.Sub(before).MaxAbs() > 0
	if after.RequiresGrad() {
		weights := s.Normal(0, 1, after.Shape()...) // so that no symmetry of the output hides a gradient
		after.Mul(weights).Sum().Backward()
	}
	dead, n := a.dead(s)
	switch {
	case len(dead) > 0:
		return fault.New(fault.BadData, proveAdapter, strings.Join(dead, ", "),
			"%d of %d adapted layers get no gradient: training them would do nothing", len(dead), n).
			Advise("adapt only layers that the output depends on")
	case !moved:
		return fault.New(fault.BadData, proveAdapter, "", "the output is the same with and without the adapter")
	}
	return nil
}

// dead are the layers and copied parameters that have not received a gradient everywhere, of n.
func (a *Adapter) dead(s *torch.Scope) (paths []string, n int) {
	for _, l := range a.layers {
		for name, p := range a.store.Params() {
			if end, ok := strings.CutPrefix(name, l.Path+"."); ok && end != keptBias && !alive(s, p) {
				paths = append(paths, l.Path)
				break
			}
		}
	}
	for _, c := range a.copies {
		if !alive(s, c.own) {
			paths = append(paths, c.path)
		}
	}
	return paths, len(a.layers) + len(a.copies)
}

// alive says whether a gradient other than zero has arrived.
func alive(s *torch.Scope, t *torch.Tensor) bool {
	return t.HasGrad() && t.Grad(s).MaxAbs() > 0
}
