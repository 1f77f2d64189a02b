package peft

import (
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// Stack makes several adapters active at once in a view that is built with it: additions to one layer add up, factors
// multiply. What would depend on the order of the adapters, such as DoRA beside anything else on one layer, or two
// adapters with their own copy of one parameter, fails the construction.
func Stack(adapters ...*Adapter) nn.Adapter { return stackOf(adapters) }

type stackOf []*Adapter

// Param asks one adapter after another.
func (st stackOf) Param(b *nn.Builder, path string, p *torch.Tensor) *torch.Tensor {
	for _, a := range st {
		p = a.Param(b, path, p)
	}
	return p
}

// Wrap lets each adapter wrap what the one before made.
func (st stackOf) Wrap(b *nn.Builder, path string, l nn.Layer) nn.Layer {
	for _, a := range st {
		l = a.Wrap(b, path, l)
	}
	return l
}

// Finish tells all of them.
func (st stackOf) Finish(b *nn.Builder) {
	for _, a := range st {
		a.Finish(b)
	}
}
