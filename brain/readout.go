package brain

import (
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// Readout maps the delayed features of a row to the responses of one person's voxels. It is linear; with a
// bottleneck of width b the map has rank b, so that 95,000 voxels share b directions of feature space.
type Readout struct {
	store  *nn.Store
	layers []nn.Linear
}

// newReadout makes a readout of (in) features to (voxels), or a second one over a full store. Weights start Xavier
// uniform, as in the authors' release, biases at 0.
func newReadout(s *torch.Scope, store *nn.Store, in, bottleneck, voxels int) (*Readout, error) {
	r := &Readout{store: store}
	init := nn.LinearInit{Weight: nn.XavierUniform, Bias: nn.Zeros}
	err := store.Build(s, nn.Fresh{}, nil, func(b *nn.Builder) {
		if bottleneck == 0 {
			r.layers = make([]nn.Linear, 1)
			b.Linear(&r.layers[0], "linear", in, voxels, init)
			return
		}
		r.layers = make([]nn.Linear, 2)
		b.Linear(&r.layers[0], "bottleneck", in, bottleneck, init)
		b.Linear(&r.layers[1], "linear", bottleneck, voxels, init)
	})
	return r, err
}

// Forward maps features x (T, F) to responses (T, V).
func (r *Readout) Forward(x *torch.Tensor) *torch.Tensor {
	for _, l := range r.layers {
		x = l.Forward(x)
	}
	return x
}
