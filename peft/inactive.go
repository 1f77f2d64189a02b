package peft

import (
	"context"

	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// unchanged is the largest difference that counts as none, relative to the largest number of a
// parameter: a few roundings in Float32.
const unchanged = 0x1p-22

// Inactive returns the layers and parameters of the model that the adapter does not change. A new
// adapter changes nothing by design. An inactive layer of a trained adapter has learnt nothing.
func (a *Adapter) Inactive(ctx context.Context, ss *nn.Session) (paths []string, err error) {
	err = ss.Infer(ctx, func(s *torch.Scope) error {
		for _, u := range unitsOf([]*Adapter{a}) {
			if len(u.layers) == 1 && len(a.copies) == 0 {
				if v := a.match.cfg.Method.inspect(u.layers[0].parameters()).state; v != Unknown {
					if v == Inactive {
						paths = append(paths, u.path)
					}
					continue
				}
			}
			if u.inactive(s) {
				paths = append(paths, u.path)
			}
		}
		return nil
	})
	return paths, err
}

// inactive reports whether all new values equal the old ones.
func (u *unit) inactive(s *torch.Scope) bool {
	return s.Frozen(func(s *torch.Scope) *torch.Tensor {
		for i, exact := range u.exact(s, rowRange{0, u.weight.Dim(0)}) {
			p := []*torch.Tensor{u.weight, u.bias}[i]
			if exact == nil {
				continue
			}
			if p == nil {
				return s.Zeros()
			}
			old := s.Attach(p).ToType(torch.Float64)
			if exact.Sub(old).MaxAbs() > unchanged*old.MaxAbs() {
				return s.Zeros()
			}
		}
		return s.Full(1)
	}).Item() == 1
}
