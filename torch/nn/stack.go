package nn

import "github.com/brainwavlm/bwlm/torch"

// Stack returns an adapter that applies the given ones in turn: each wraps the layer and replaces
// the parameter that the one before it returned.
func Stack(adapters ...Adapter) Adapter { return stack(adapters) }

type stack []Adapter

func (st stack) Param(b *Builder, path string, p *torch.Tensor) *torch.Tensor {
	for _, a := range st {
		p = a.Param(b, path, p)
	}
	return p
}

func (st stack) Wrap(b *Builder, path string, l Layer) Layer {
	for _, a := range st {
		l = a.Wrap(b, path, l)
	}
	return l
}

func (st stack) Finish(b *Builder) {
	for _, a := range st {
		a.Finish(b)
	}
}
