package readout

import (
	"github.com/brainwavlm/bwlm/internal/brain/phases"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// Readout maps the delayed features of a row to the responses of one subject's voxels. It is linear; with a
// bottleneck of width b the map has rank b, so that 95,000 voxels share b directions of feature space. With layer
// weights each voxel has its own weighted sum of hidden states as input.
type Readout struct {
	Store   *nn.Store
	layers  []nn.Linear
	Weights *LayerWeights // nil: one hidden state
}

// Names of layers.
const (
	bottleneckName = "bottleneck"
	lastName       = "linear"
)

// New returns a readout from in features to voxels, or a second one over a full store. Weights start Xavier
// uniform, as in the authors' release, and biases as given; nil: PyTorch's, uniform in ±1/√inputs.
func New(s *torch.Scope, store *nn.Store, in, bottleneck, voxels int, bias nn.Init) (*Readout, error) {
	r := &Readout{Store: store}
	init := nn.LinearInit{Weight: nn.XavierUniform, Bias: bias}
	err := store.Build(s, nn.Fresh{}, nil, func(b *nn.Builder) {
		if bottleneck == 0 {
			r.layers = make([]nn.Linear, 1)
			b.Linear(&r.layers[0], lastName, in, voxels, init)
			return
		}
		r.layers = make([]nn.Linear, 2)
		b.Linear(&r.layers[0], bottleneckName, in, bottleneck, init)
		b.Linear(&r.layers[1], lastName, bottleneck, voxels, init)
	})
	return r, err
}

// Forward maps features x (T, F) to responses (T, V). With layer weights, F are delays × hidden states × channels.
func (r *Readout) Forward(x *torch.Tensor) *torch.Tensor {
	defer x.Scope().Part(phases.PartReadout)()
	if r.Weights != nil {
		return r.Weights.forward(x, r.linear)
	}
	return r.linear(x)
}

// linear applies the map without layer weights.
func (r *Readout) linear(x *torch.Tensor) *torch.Tensor {
	for _, l := range r.layers {
		x = l.Forward(x)
	}
	return x
}

// Tensors returns the tensors of a readout's file.
func (r *Readout) Tensors() []ckpt.Tensor {
	out := rundir.TensorsOf("", r.Store.Params())
	if r.Weights != nil {
		out = append(out, rundir.TensorsOf("", r.Weights.Store.Params())...)
		out = append(out, ckpt.NewTensor(LayerWeightsGroups, []int{len(r.Weights.groups)},
			rundir.Int64s(r.Weights.groups)))
	}
	return out
}

func (r *Readout) Close() {
	r.Store.Close()
	if r.Weights != nil {
		r.Weights.Store.Close()
	}
}
