package brain

import (
	"github.com/brainwavlm/bwlm/ckpt"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// Readout maps the delayed features of a row to the responses of one person's voxels. It is linear; with a
// bottleneck of width b the map has rank b, so that 95,000 voxels share b directions of feature space. With a layer mix
// each voxel has its own mixture of hidden states in front of it.
type Readout struct {
	store  *nn.Store
	layers []nn.Linear
	mix    *layerMix // nil: one hidden state
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

// Forward maps features x (T, F) to responses (T, V). With a layer mix, F are delays × hidden states × channels.
func (r *Readout) Forward(x *torch.Tensor) *torch.Tensor {
	defer x.Scope().Part(PartReadout)()
	if r.mix != nil {
		return r.mix.forward(x, r.linear)
	}
	return r.linear(x)
}

// linear is the map without the mix.
func (r *Readout) linear(x *torch.Tensor) *torch.Tensor {
	for _, l := range r.layers {
		x = l.Forward(x)
	}
	return x
}

// tensors are what a file of the readout holds.
func (r *Readout) tensors() []ckpt.Tensor {
	out := tensorsOf("", r.store.Params())
	if r.mix != nil {
		out = append(out, tensorsOf("", r.mix.store.Params())...)
		out = append(out, ckpt.NewTensor(mixGroups, []int{len(r.mix.groups)}, int64s(r.mix.groups)))
	}
	return out
}

func (r *Readout) close() {
	r.store.Close()
	if r.mix != nil {
		r.mix.store.Close()
	}
}
