package hfmodel

import (
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// Narrow holds the matrices of layers in the compute type if opt allows it. It goes layer by layer, so that no second
// copy of the model is made.
func Narrow(s *torch.Scope, opt speech.Options, layers [][]nn.Linear) error {
	if !opt.Frozen || opt.Compute == torch.Float32 {
		return nil
	}
	for _, layer := range layers {
		err := torch.Infer(s.Context(), func(s *torch.Scope) error {
			for _, slot := range layer {
				w := slot.(*nn.Dense).Weight
				w.SetData(s.Attach(w).ToType(opt.Compute))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
