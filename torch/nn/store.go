package nn

import (
	"iter"

	"github.com/brainwavlm/bwlm/torch"
)

// Store is an ordered list of named parameters.
type Store struct {
	arena  *torch.Arena
	names  []string
	params map[string]*torch.Tensor
	lease  lease
	notes  map[any]any
}

// NewStore makes an empty store.
func NewStore() *Store {
	return &Store{arena: torch.NewArena(), params: map[string]*torch.Tensor{}, lease: newLease()}
}

// Close frees the parameters.
func (st *Store) Close() { st.arena.Close() }

// Param is the parameter of that name, nil if there is none.
func (st *Store) Param(name string) *torch.Tensor { return st.params[name] }

// Params are all parameters with their names, in the order in which they were built.
func (st *Store) Params() iter.Seq2[string, *torch.Tensor] {
	return func(yield func(string, *torch.Tensor) bool) {
		for _, name := range st.names {
			if !yield(name, st.params[name]) {
				return
			}
		}
	}
}

// Note is what a package keeps with the store under a key of a type of its own, as in a context; make gives its first
// value. It is to be used within closures that train the store.
func (st *Store) Note(key any, make func() any) any {
	if _, ok := st.notes[key]; !ok {
		if st.notes == nil {
			st.notes = map[any]any{}
		}
		st.notes[key] = make()
	}
	return st.notes[key]
}

// Len is the number of parameters, as tensors.
func (st *Store) Len() int { return len(st.names) }

// Numel is the number of elements of all parameters.
func (st *Store) Numel() (n int) {
	for _, p := range st.Params() {
		n += p.Len()
	}
	return n
}

// Add keeps t under a name, replacing nothing: a name is given once.
func (st *Store) Add(name string, t *torch.Tensor) *torch.Tensor {
	if st.params[name] != nil {
		torch.Failf("store", "parameter %s is there already", name)
	}
	p := st.arena.Keep(t)
	st.names = append(st.names, name)
	st.params[name] = p
	return p
}

// Train makes those parameters collect gradients whose name satisfies keep (nil: all), freezes the others, and
// gives the trainable ones in order.
func (st *Store) Train(keep func(name string) bool) (trained []*torch.Tensor) {
	for name, p := range st.Params() {
		on := keep == nil || keep(name)
		p.RequireGrad(on)
		if on {
			trained = append(trained, p)
		}
	}
	return trained
}

// Freeze makes no parameter collect gradients.
func (st *Store) Freeze() { st.Train(func(string) bool { return false }) }
