package nn

import (
	"fmt"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/torch"
)

// Source provides the initial values of parameters: a checkpoint, or random numbers.
type Source interface {
	// Tensor returns the values of a parameter as a tensor of s, in the shape that the model needs.
	// A new model starts with init.
	Tensor(s *torch.Scope, name string, shape []int, init Init) (*torch.Tensor, error)
}

// Adapter replaces layers and parameters while a model is built. Its methods run in the closure
// that builds the model.
type Adapter interface {
	// Param returns the parameter to use instead of p, which may be p itself. The path is its full
	// name. The parameters of a layer come before the layer.
	Param(b *Builder, path string, p *torch.Tensor) *torch.Tensor
	// Wrap returns the layer to put in the slot at path, which may be base itself. The type of base
	// is *Dense, *Conv, *LayerNorm or *GroupNorm, or that of another adapter's layer. b is the
	// builder at that path.
	Wrap(b *Builder, path string, base Layer) Layer
	// Finish is called when the whole model has been built.
	Finish(b *Builder)
}

// Builder is a store and a path in it. It must not be used after the closure in which a model is
// built.
type Builder struct {
	*building
	path string
}

// building is the state of one construction, shared by its builders.
type building struct {
	store    *Store
	source   Source
	adapter  Adapter
	scope    *torch.Scope
	problems []string
}

// LoadError lists all problems with the parameters of a model.
type LoadError struct{ Problems []string }

func (e *LoadError) Error() string {
	const most = 10
	p := e.Problems
	if len(p) > most {
		p = append(slices.Clone(p[:most]), fmt.Sprintf("and %d more", len(p)-most))
	}
	return strings.Join(p, "; ")
}

// Build runs a model's constructor over the store, in a scope. It uses the parameters that the
// store has and gets others from the source. With a nil source the store must have all. Problems do
// not end the construction; Build returns all of them as one *LoadError.
func (st *Store) Build(s *torch.Scope, src Source, adapter Adapter, construct func(*Builder)) error {
	b := &Builder{building: &building{store: st, source: src, adapter: adapter, scope: s}}
	construct(b)
	if adapter != nil {
		adapter.Finish(b)
	}
	if len(b.problems) > 0 {
		return &LoadError{b.problems}
	}
	return nil
}

// Store returns the store of the parameters.
func (b *Builder) Store() *Store { return b.store }

// Scope returns the scope of the closure in which the model is built.
func (b *Builder) Scope() *torch.Scope { return b.scope }

// At returns the builder at a path below b.
func (b *Builder) At(path string) *Builder { return &Builder{b.building, b.full(path)} }

// Index returns the builder at element i of a list.
func (b *Builder) Index(i int) *Builder { return b.At(fmt.Sprint(i)) }

// full returns the full name of a path below b.
func (b *Builder) full(name string) string {
	if b.path == "" {
		return name
	}
	if name == "" {
		return b.path
	}
	return b.path + "." + name
}

// Param returns the parameter of a name, or what the adapter replaces it by. If there is none, it
// records a problem and returns zeros.
func (b *Builder) Param(name string, init Init, shape ...int) *torch.Tensor {
	p := b.param(name, init, shape)
	if b.adapter != nil {
		p = b.adapter.Param(b, b.full(name), p)
	}
	return p
}

func (b *Builder) param(name string, init Init, shape []int) *torch.Tensor {
	path := b.full(name)
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

// put puts a layer into its slot at b.
func put(b *Builder, slot *Layer, base Layer) {
	*slot = base
	if b.adapter != nil {
		*slot = b.adapter.Wrap(b, b.full(""), base)
	}
}

// Problem records a problem, with which Build will fail.
func (b *Builder) Problem(format string, args ...any) {
	b.problems = append(b.problems, fmt.Sprintf(format, args...))
}
