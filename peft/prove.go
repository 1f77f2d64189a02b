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
	proofSize    = .02 // standard deviation of the random B
)

// Prove shows that the adapter is alive in the model that forward runs: with small random numbers in B the output is
// not what it is with B = 0, and every A and B receives a gradient that is not zero. The error lists the dead layers.
// Forward gives any output of the adapted model for one batch; it runs twice, without dropout. Afterwards B has its
// old bits, also if forward failed, and the parameters of the session's stores have no gradients.
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
		for _, l := range a.layers {
			defer l.borrow(s)()
		}
		mode := s.Mode()
		mode.Dropout = false // else its masks alone would move the output
		return torch.Do(s.Context(), mode, func(s *torch.Scope) error { return a.prove(s, forward) })
	})
}

// borrow lets a pair collect gradients; the function that it returns makes all as it was.
func (l *LoRA) borrow(s *torch.Scope) func() {
	b := s.Use(l.B).Detach().Clone()
	onA, onB := l.A.RequiresGrad(), l.B.RequiresGrad()
	l.A.RequireGrad(true)
	l.B.RequireGrad(true)
	return func() {
		l.B.CopyFrom(b)
		l.A.RequireGrad(onA)
		l.B.RequireGrad(onB)
	}
}

func (a *Adapter) prove(s *torch.Scope, forward func(*torch.Scope) *torch.Tensor) error {
	for _, l := range a.layers {
		l.B.CopyFrom(s.Zeros(l.B.Shape()...))
	}
	before := s.Frozen(forward)
	for _, l := range a.layers {
		l.B.CopyFrom(s.Normal(0, proofSize, l.B.Shape()...))
	}
	after := forward(s)
	if !before.AllFinite() || !after.AllFinite() {
		return fault.New(fault.BadData, proveAdapter, "", "the model's output is not finite")
	}
	moved := after.Sub(before).Abs().Max().Item() > 0
	if after.RequiresGrad() {
		weights := s.Normal(0, 1, after.Shape()...) // so that no symmetry of the output hides a gradient
		after.Mul(weights).Sum().Backward()
	}
	var dead []string
	for _, l := range a.layers {
		if !alive(s, l.A) || !alive(s, l.B) {
			dead = append(dead, l.Path)
		}
	}
	switch {
	case len(dead) > 0:
		return fault.New(fault.BadData, proveAdapter, strings.Join(dead, ", "),
			"%d of %d adapted layers get no gradient: training them would do nothing", len(dead), len(a.layers)).
			Advise("adapt only layers that the output depends on")
	case !moved:
		return fault.New(fault.BadData, proveAdapter, "", "the output is the same with and without the adapter")
	}
	return nil
}

// alive says whether a gradient other than zero has arrived.
func alive(s *torch.Scope, t *torch.Tensor) bool {
	return t.HasGrad() && t.Grad(s).Abs().Max().Item() > 0
}
