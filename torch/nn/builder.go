package nn

import (
	"fmt"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/torch"
)

// Source gives the initial values of parameters: a checkpoint, or random numbers.
type Source interface {
	// Tensor makes the values of a parameter in s. The shape is what the model needs; init is how a fresh model
	// starts.
	Tensor(s *torch.Scope, name string, shape []int, init Init) (*torch.Tensor, error)
}

// Adapter changes layers and parameters as a model is built. Its methods run inside the closure that builds the model.
type Adapter interface {
	// Param returns the parameter to use in the place of p, which may be p itself; path is its full name. A layer's
	// parameters come before the layer.
	Param(b *Builder, path string, p *torch.Tensor) *torch.Tensor
	// Wrap returns the layer to put in the slot at path, which may be base itself: a *Dense, *Conv, *LayerNorm or
	// *GroupNorm, or what another adapter made of one. b is the builder at that path.
	Wrap(b *Builder, path string, base Layer) Layer
	// Finish is called when the whole model has been built.
	Finish(b *Builder)
}

// Builder is a store and a path in it. It lives as long as the closure in which a model is built.
type Builder struct {
	*building
	path string
}

// building is what all builders of one construction share.
type building struct {
	store    *Store
	source   Source
	adapter  Adapter
	scope    *torch.Scope
	problems []string
	named    map[string]bool
}

// LoadError lists all that was wrong with the parameters of a model.
type LoadError struct{ Problems []string }

func (e *LoadError) Error() string {
	const most = 10
	p := e.Problems
	if len(p) > most {
		p = append(slices.Clone(p[:most]), fmt.Sprintf("and %d more", len(p)-most))
	}
	return strings.Join(p, "; ")
}

// Build runs a model's constructor over the store in a scope. Parameters that the store has are used, others are
// made by the source (nil: there must be none). It goes on to the end and then returns one *LoadError.
func (st *Store) Build(s *torch.Scope, src Source, adapter Adapter, construct func(*Builder)) error {
	b := &Builder{building: &building{store: st, source: src, adapter: adapter, scope: s, named: map[string]bool{}}}
	construct(b)
	if adapter != nil {
		adapter.Finish(b)
	}
	if len(b.problems) > 0 {
		return &LoadError{b.problems}
	}
	return nil
}

// Named are the parameters that a construction asked for, to find unused ones.
func (b *Builder) Named() map[string]bool { return b.named }

// Store is where the parameters are.
func (b *Builder) Store() *Store { return b.store }

// Scope is the scope of the closure in which the model is built.
func (b *Builder) Scope() *torch.Scope { return b.scope }

// At is the builder at a path below.
func (b *Builder) At(path string) *Builder { return &Builder{b.building, b.Path(path)} }

// Index is the builder at element i of a list.
func (b *Builder) Index(i int) *Builder { return b.At(fmt.Sprint(i)) }

// Path is the full name of something below b.
func (b *Builder) Path(name string) string {
	if b.path == "" {
		return name
	}
	if name == "" {
		return b.path
	}
	return b.path + "." + name
}

// Param is the parameter of that name, or what the adapter puts in its place. Where it cannot be had, the problem is
// noted and zeros stand in.
func (b *Builder) Param(name string, init Init, shape ...int) *torch.Tensor {
	p := b.param(name, init, shape)
	if b.adapter != nil {
		p = b.adapter.Param(b, b.Path(name), p)
	}
	return p
}

func (b *Builder) param(name string, init Init, shape []int) *torch.Tensor {
	path := b.Path(name)
	b.named[path] = true
	if p := b.store.Param(path); p != nil {
		if !slices.Equal(p.Shape(), shape) {
			b.Problem("%s: shape %v, want %v", path, p.Shape(), shape)
		}
		return p
	}
	if b.source == nil {
		b.Problem("%s: missing", path)
		return b.store.Add(path, b.scope.Zeros(shape...))
	}
	t, err := b.source.Tensor(b.scope, path, shape, init)
	if err != nil {
		b.Problem("%s: %v", path, err)
		t = b.scope.Zeros(shape...)
	}
	return b.store.Add(path, t)
}

// put fills the slot of the layer at b.
func put(b *Builder, slot *Layer, base Layer) {
	*slot = base
	if b.adapter != nil {
		*slot = b.adapter.Wrap(b, b.Path(""), base)
	}
}

// Problem notes something that will fail the construction.
func (b *Builder) Problem(format string, args ...any) {
	b.problems = append(b.problems, fmt.Sprintf(format, args...))
}
