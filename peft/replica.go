package peft

import (
	"strings"

	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// replica is an adapter's copy of a parameter of the model, which views with the adapter use
// instead: parameters of modules_to_save, and biases.
type replica struct {
	path   string // in the model
	own    *torch.Tensor
	base   *torch.Tensor // the model's
	before *torch.Tensor // the parameter that it replaced: the model's, or another adapter's
}

// ownBias is the end of PEFT's key for the bias of an adapted layer.
const ownBias = "base_layer.bias"

// Param returns the adapter's copy of parameters that the config trains as they are, and p for all
// others.
func (a *Adapter) Param(b *nn.Builder, path string, p *torch.Tensor) *torch.Tensor {
	name := path
	if a.file != nil {
		module, _ := cutLast(path)
		found := false
		if name, found = a.file.find(module); !found {
			name = a.file.head() + module
		}
		name += strings.TrimPrefix(path, module)
	}
	key, ok := a.replaces(name, linear(b.Store(), path))
	if !ok {
		return p
	}
	module, _ := cutLast(path)
	a.seen[module] = true
	store := b.Store()
	base := store.Param(path)
	if p != base {
		a.problem(b, "%s: two adapters have their own copy of it", path)
		return p
	}
	if own := a.store.Param(key); own != nil {
		return own
	}
	if a.biasesLost() {
		return p
	}
	var src nn.Source = nn.Fresh{}
	if a.file != nil {
		src = spelt{a.file}
	}
	var own *torch.Tensor
	err := a.store.Build(b.Scope(), src, nil, func(b *nn.Builder) {
		own = b.Param(key, func(s *torch.Scope, _ []int) *torch.Tensor { return s.Attach(base).Clone() },
			base.Shape()...)
	})
	if err != nil {
		a.problem(b, "%v", err)
		return p
	}
	a.base = store
	a.copies = append(a.copies, &replica{path: path, own: own, base: base, before: p})
	return own
}

// replaces reports whether the adapter has its own copy of a parameter, and returns the copy's key
// without the head of the file's paths. The target all-linear needs to know whether the parameter
// is of a linear layer.
func (a *Adapter) replaces(name string, linear bool) (key string, ok bool) {
	cfg := a.match.cfg
	module, last := cutLast(name)
	key = name
	if a.file != nil {
		key = strings.TrimPrefix(name, a.file.head())
	}
	if a.match.saved(module) {
		return key, true
	}
	if last != "bias" || cfg.Bias == BiasNone {
		return "", false
	}
	if (linear || !cfg.TargetModules.all()) && a.match.targets(module) {
		return strings.TrimSuffix(key, "bias") + ownBias, true
	}
	return key, cfg.Bias == BiasAll
}

// linear reports whether the bias at path is of a linear layer, whose weight, a matrix, is in the
// store already.
func linear(st *nn.Store, path string) bool {
	module, _ := cutLast(path)
	w := st.Param(module + ".weight")
	return w != nil && w.Rank() == 2
}

// spelt is a file that may have the bias of an adapted layer under its name in the model.
type spelt struct{ *state }

// Tensor reads a parameter.
func (t spelt) Tensor(s *torch.Scope, name string, shape []int, init nn.Init) (*torch.Tensor, error) {
	if module, ok := strings.CutSuffix(name, ownBias); ok {
		if _, there := t.tensors[t.head()+name]; !there {
			name = module + "bias"
		}
	}
	return t.state.Tensor(s, name, shape, init)
}

// biasesLost reports whether the config wants biases of adapted layers and the file has none at
// all.
func (a *Adapter) biasesLost() bool {
	if a.file == nil || a.match.cfg.Bias != BiasOnly {
		return false
	}
	for _, name := range a.file.names {
		if module, ok := strings.CutSuffix(name, ".bias"); ok && !strings.HasSuffix(module, ".lora_B") &&
			!a.match.saved(module) {
			return false
		}
	}
	return true
}

// before returns a plain layer without the adapter's copies.
func (a *Adapter) before(l nn.Layer) nn.Layer {
	undo := func(p *torch.Tensor) *torch.Tensor {
		for _, c := range a.copies {
			if p != nil && c.own == p {
				return c.before
			}
		}
		return p
	}
	switch l := l.(type) {
	case *nn.Dense:
		return &nn.Dense{Weight: undo(l.Weight), Bias: undo(l.Bias)}
	case *nn.Conv:
		c := *l
		c.Weight, c.Bias = undo(l.Weight), undo(l.Bias)
		return &c
	case *nn.LayerNorm:
		return &nn.LayerNorm{Weight: undo(l.Weight), Bias: undo(l.Bias), Eps: l.Eps}
	case *nn.GroupNorm:
		return &nn.GroupNorm{Weight: undo(l.Weight), Bias: undo(l.Bias), Groups: l.Groups, Eps: l.Eps}
	}
	return l
}

// cutLast splits a path at its last dot.
func cutLast(path string) (before, last string) {
	i := strings.LastIndexByte(path, '.')
	if i < 0 {
		return "", path
	}
	return path[:i], path[i+1:]
}
