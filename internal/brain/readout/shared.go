package readout

import (
	"github.com/brainwavlm/bwlm/internal/brain/columns"
	"github.com/brainwavlm/bwlm/internal/brain/phases"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// Shared is the readout of a subject of which a process holds some blocks of voxels:
//
//	ŷ_b = W_b h + c_b    h = bottleneck(x), or x without one
//
// Every process has the bottleneck. A readout with layer weights is not shared: every process has all of it.
type Shared struct {
	Whole      *Readout  // with layer weights; then there is nothing else
	Store      *nn.Store // of the bottleneck; empty without one
	Blocks     []*Block  // ascending
	bottleneck nn.Linear // nil: none
}

// Block is the last layer of a readout for a block of voxels.
type Block struct {
	columns.Block
	Store  *nn.Store
	Adam   *nn.Adam // nil where no optimizer changes it
	linear nn.Linear
}

// Share returns the part of r, without layer weights, that holds some blocks of the voxels. It copies values of r.
func (r *Readout) Share(s *torch.Scope, blocks []columns.Block) (*Shared, error) {
	out := &Shared{Store: nn.NewStore()}
	take := func(name string, from, n int) nn.Init {
		return func(*torch.Scope, []int) *torch.Tensor {
			p := s.Attach(r.Store.Param(name)).Detach()
			if n > 0 {
				p = p.Narrow(0, from, n)
			}
			return p.Clone()
		}
	}
	layer := func(store *nn.Store, slot *nn.Linear, name string, in, width, from, n int) error {
		return store.Build(s, nn.Fresh{}, nil, func(b *nn.Builder) {
			b.Linear(slot, name, in, width, nn.LinearInit{Weight: take(name+".weight", from, n),
				Bias: take(name+".bias", from, n)})
		})
	}
	last := r.layers[len(r.layers)-1].(*nn.Dense)
	if len(r.layers) > 1 {
		d := r.layers[0].(*nn.Dense)
		if err := layer(out.Store, &out.bottleneck, bottleneckName, d.In(), d.Out(), 0, 0); err != nil {
			return nil, err
		}
	}
	for _, c := range blocks {
		b := &Block{Block: c, Store: nn.NewStore()}
		out.Blocks = append(out.Blocks, b)
		if err := layer(b.Store, &b.linear, lastName, last.In(), c.Len(), c.From, c.Len()); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Input returns what all blocks map to their voxels, from features x (T, F): (T, K). It is a node of its own in the
// graph, so that gradients of several subjects reach x in the order of the subjects.
func (r *Shared) Input(x *torch.Tensor) *torch.Tensor {
	if r.bottleneck == nil {
		return x.Reshape(x.Shape()...)
	}
	defer x.Scope().Part(phases.PartReadout)()
	return r.bottleneck.Forward(x)
}

// Forward maps h (T, K) to the responses of the block.
func (b *Block) Forward(h *torch.Tensor) *torch.Tensor {
	defer h.Scope().Part(phases.PartReadout)()
	return b.linear.Forward(h)
}

// Forward maps features x (T, F) to the responses of the voxels of this process; nil if it has none.
func (r *Shared) Forward(x *torch.Tensor) *torch.Tensor {
	if r.Whole != nil {
		return r.Whole.Forward(x)
	}
	h := r.Input(x)
	var out []*torch.Tensor
	for _, b := range r.Blocks {
		out = append(out, b.Forward(h))
	}
	if out == nil {
		return nil
	}
	return torch.Cat(1, out...)
}

// Stores returns the stores of all parameters: that of what all voxels share, or of a whole readout, first.
func (r *Shared) Stores() []*nn.Store {
	if r.Whole != nil {
		return []*nn.Store{r.Whole.Store, r.Whole.Weights.Store}
	}
	out := []*nn.Store{r.Store}
	for _, b := range r.Blocks {
		out = append(out, b.Store)
	}
	return out
}

// Close frees parameters and optimizers.
func (r *Shared) Close() {
	if r.Whole != nil {
		r.Whole.Close()
		return
	}
	r.Store.Close()
	for _, b := range r.Blocks {
		if b.Store.Close(); b.Adam != nil {
			b.Adam.Close()
		}
	}
}
