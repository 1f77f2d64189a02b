package peft

import (
	"slices"

	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// targetLayer is a layer of the model that a Method adapts.
type targetLayer struct {
	path  string   // in the model
	name  string   // in the config and the file
	below nn.Layer // the layer itself, or another adapter's layer around it; the adapted layer calls it
	plain nn.Layer // the layer itself: a *nn.Dense, *nn.Conv, *nn.LayerNorm or *nn.GroupNorm

	adapter *Adapter
	build   *nn.Builder // over the adapter's store
}

// param returns a trained parameter of the layer by the end of its key in the file. In a new
// adapter init makes it, in a loaded one it is read.
func (t *targetLayer) param(name string, init nn.Init, shape ...int) *torch.Tensor {
	return t.build.At(t.path).Param(name, init, shape...)
}

// lookup returns the layer's value of an option such as rank_pattern, or the value given if no
// entry fits.
func (t *targetLayer) lookup(option string, value float64) float64 {
	return t.adapter.match.lookup(option, t.name, value)
}

// fixed returns tensors of the layer that are neither trained nor saved. They are made once for all
// views.
func (t *targetLayer) fixed(make func(s *torch.Scope) []*torch.Tensor) []*torch.Tensor {
	a := t.adapter
	if a.fixed[t.path] == nil {
		s := t.build.Scope()
		for _, x := range make(s) {
			a.fixed[t.path] = append(a.fixed[t.path], a.arena.Keep(x))
		}
	}
	return a.fixed[t.path]
}

// sharedTensor is a frozen tensor of the whole adapter, large enough for all of its layers.
type sharedTensor struct {
	tensor *torch.Tensor // once the model has been built
	shape  []int
	init   nn.Init
}

// sharedPrefix starts the keys of tensors that all layers of an adapter share.
const sharedPrefix = "base_model."

// shared returns the shared tensor of that name, which will have at least that shape. It is saved
// with the adapter.
func (t *targetLayer) shared(name string, init nn.Init, shape ...int) *sharedTensor {
	a := t.adapter
	x := a.shared[name]
	if x == nil {
		x = &sharedTensor{shape: slices.Clone(shape), init: init}
		a.shared[name] = x
		a.sharedNames = append(a.sharedNames, name)
	}
	for i, n := range shape {
		if x.tensor != nil && n > x.shape[i] {
			t.build.Problem("%s: shape %v, and %s wants %v", name, x.shape, t.path, shape)
		}
		x.shape[i] = max(x.shape[i], n)
	}
	return x
}

// finish makes the tensors that layers share, whose sizes are known once all layers are built. They
// are in a store of their own, since they are not trained.
func (a *Adapter) finish(b *nn.Builder) {
	var src nn.Source = nn.Fresh{}
	if a.file != nil {
		src = a.file
	}
	err := a.frozen.Build(b.Scope(), src, nil, func(b *nn.Builder) {
		for _, name := range a.sharedNames {
			x, key := a.shared[name], sharedPrefix+name
			if x.tensor != nil {
				continue
			}
			if a.file != nil { // the file's may be larger than this model needs
				if v, ok := a.file.tensors[key]; ok && len(v.shape) == len(x.shape) {
					for i, n := range v.shape {
						x.shape[i] = max(x.shape[i], n)
					}
				}
			}
			x.tensor = b.Param(key, x.init, x.shape...)
		}
	})
	if err != nil {
		a.problem(b, "%v", err)
	}
}
