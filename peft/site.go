package peft

import (
	"slices"

	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// Site is a layer of the model that is to be adapted, as a Method sees it.
type Site struct {
	Path   string   // in the model
	Name   string   // in the config and the file
	Below  nn.Layer // what the adapted layer calls: the layer itself, or what another adapter made of it
	Plain  nn.Layer // what is at the bottom: a *nn.Dense, *nn.Conv, *nn.LayerNorm or *nn.GroupNorm
	Config *Config

	adapter *Adapter
	build   *nn.Builder // over the adapter's store
}

// Param is a trained parameter of the layer, by the end of its key in the file: made by init in a new adapter, read in
// a loaded one.
func (t *Site) Param(name string, init nn.Init, shape ...int) *torch.Tensor {
	return t.build.At(t.Path).Param(name, init, shape...)
}

// Lookup is the value that an option such as rank_pattern has for the layer, or the value given.
func (t *Site) Lookup(option string, value float64) float64 {
	return t.adapter.match.lookup(option, t.Name, value)
}

// Fixed are tensors of the layer that are neither trained nor saved. They are made once for all views.
func (t *Site) Fixed(make func(s *torch.Scope) []*torch.Tensor) []*torch.Tensor {
	a := t.adapter
	if a.fixed[t.Path] == nil {
		s := t.build.Scope()
		for _, x := range make(s) {
			a.fixed[t.Path] = append(a.fixed[t.Path], a.arena.Keep(x))
		}
	}
	return a.fixed[t.Path]
}

// Shared is a frozen tensor of the whole adapter, large enough for all of its layers.
type Shared struct {
	T     *torch.Tensor // once the model has been built
	shape []int
	init  nn.Init
}

// sharedPrefix stands before the keys of what all layers of an adapter share.
const sharedPrefix = "base_model."

// Shared is the tensor of that name, which is to be at least of that shape. It is saved with the adapter.
func (t *Site) Shared(name string, init nn.Init, shape ...int) *Shared {
	a := t.adapter
	x := a.shared[name]
	if x == nil {
		x = &Shared{shape: slices.Clone(shape), init: init}
		a.shared[name] = x
		a.sharedNames = append(a.sharedNames, name)
	}
	for i, n := range shape {
		if x.T != nil && n > x.shape[i] {
			t.build.Problem("%s: shape %v, and %s wants %v", name, x.shape, t.Path, shape)
		}
		x.shape[i] = max(x.shape[i], n)
	}
	return x
}

// finish makes the tensors that layers share, now that it is known how large they have to be. They are in a store of
// their own, since they are not trained.
func (a *Adapter) finish(b *nn.Builder) {
	var src nn.Source = nn.Fresh{}
	if a.file != nil {
		src = a.file
	}
	err := a.frozen.Build(b.Scope(), src, nil, func(b *nn.Builder) {
		for _, name := range a.sharedNames {
			x, key := a.shared[name], sharedPrefix+name
			if x.T != nil {
				continue
			}
			if a.file != nil { // the file's may be larger than this model needs
				if v, ok := a.file.tensors[key]; ok && len(v.Shape) == len(x.shape) {
					for i, n := range v.Shape {
						x.shape[i] = max(x.shape[i], n)
					}
				}
			}
			x.T = b.Param(key, x.init, x.shape...)
		}
	})
	if err != nil {
		a.problem(b, "%v", err)
	}
}
