package peft

import (
	"context"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

const (
	checkAdapter = "check that the adapter trains"
	disturbance  = .02 // standard deviation of the numbers that are added to the parameters
)

// CheckTrains returns an error unless the adapter can be trained in the model that forward runs. It
// adds small random numbers to the adapter's parameters, and requires that the output changes and
// that each parameter gets a gradient other than zero. The error lists the layers without one.
// forward returns any output of the adapted model for one batch; it runs twice, without dropout.
// The parameters are restored bit for bit, even if forward fails, and the gradients of the
// session's stores are cleared.
func (a *Adapter) CheckTrains(ctx context.Context, ss *nn.Session, seed uint64,
	forward func(*torch.Scope) *torch.Tensor) error {
	if err := a.Check(); err != nil {
		return err
	}
	return ss.Train(ctx, seed, func(s *torch.Scope) error {
		if a.merged {
			return fault.New(fault.Internal, checkAdapter, "", "the adapter is merged, so the model does not run it")
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
		mode.Dropout = false // random masks alone would change the output
		return torch.Do(s.Context(), mode, func(s *torch.Scope) error { return a.checkTrains(s, forward) })
	})
}

// borrow lets a parameter collect gradients. The returned function restores its numbers and its
// setting.
func borrow(s *torch.Scope, p *torch.Tensor) func() {
	bits, on := s.Attach(p).Detach().Clone(), p.RequiresGrad()
	p.RequireGrad(true)
	return func() {
		p.CopyFrom(bits)
		p.RequireGrad(on)
	}
}

func (a *Adapter) checkTrains(s *torch.Scope, forward func(*torch.Scope) *torch.Tensor) error {
	before := s.Frozen(forward)
	for _, p := range a.store.Params() {
		p.CopyFrom(s.Attach(p).Detach().Add(s.Normal(0, disturbance, p.Shape()...).ToType(p.DType())))
	}
	after := forward(s)
	if !before.AllFinite() || !after.AllFinite() {
		return fault.New(fault.BadData, checkAdapter, "", "the model's output is not finite")
	}
	changed := after.Sub(before).MaxAbs() > 0
	if after.RequiresGrad() {
		weights := s.Normal(0, 1, after.Shape()...) // so that no symmetry of the output hides a gradient
		after.Mul(weights).Sum().Backward()
	}
	without, n := a.withoutGradient(s)
	switch {
	case len(without) > 0:
		return fault.New(fault.BadData, checkAdapter, strings.Join(without, ", "),
			"%d of %d adapted layers get no gradient: training them would do nothing", len(without), n).
			WithHint("adapt only layers that the output depends on")
	case !changed:
		return fault.New(fault.BadData, checkAdapter, "", "the output is the same with and without the adapter")
	}
	return nil
}

// withoutGradient returns the layers and copied parameters that lack a gradient, and the number of
// all.
func (a *Adapter) withoutGradient(s *torch.Scope) (paths []string, n int) {
	for _, l := range a.layers {
		for name, p := range a.store.Params() {
			if end, ok := strings.CutPrefix(name, l.Path+"."); ok && end != ownBias && !hasGradient(s, p) {
				paths = append(paths, l.Path)
				break
			}
		}
	}
	for _, c := range a.copies {
		if !hasGradient(s, c.own) {
			paths = append(paths, c.path)
		}
	}
	return paths, len(a.layers) + len(a.copies)
}

// hasGradient reports whether a parameter has a gradient other than zero.
func hasGradient(s *torch.Scope, t *torch.Tensor) bool {
	return t.HasGrad() && t.Grad(s).MaxAbs() > 0
}
