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

// NewStore returns an empty store.
func NewStore() *Store {
	return &Store{arena: torch.NewArena(), params: map[string]*torch.Tensor{}, lease: newLease()}
}

// Close frees the parameters. Their use after Close is an error that matches fault.ErrClosed.
func (st *Store) Close() { st.arena.Close() }

// Err returns an error that matches fault.ErrClosed after Close, and nil before.
func (st *Store) Err() error { return st.arena.Err() }

// Param returns the parameter of a name, nil if there is none.
func (st *Store) Param(name string) *torch.Tensor { return st.params[name] }

// Params yields all parameters with their names, in the order of construction.
func (st *Store) Params() iter.Seq2[string, *torch.Tensor] {
	return func(yield func(string, *torch.Tensor) bool) {
		for _, name := range st.names {
			if !yield(name, st.params[name]) {
				return
			}
		}
	}
}

// Note returns the value that a package stores under a key, whose type should be the package's own,
// as for a context. The first call sets it to the result of make. Note must be called in a closure
// that trains the store.
func (st *Store) Note(key any, make func() any) any {
	if _, ok := st.notes[key]; !ok {
		if st.notes == nil {
			st.notes = map[any]any{}
		}
		st.notes[key] = make()
	}
	return st.notes[key]
}

// Len returns the number of parameters, counted as tensors.
func (st *Store) Len() int { return len(st.names) }

// Numel returns the number of elements of all parameters.
func (st *Store) Numel() (n int) {
	for _, p := range st.Params() {
		n += p.Len()
	}
	return n
}

// Add adds t as the parameter of a name, which must be new.
func (st *Store) Add(name string, t *torch.Tensor) *torch.Tensor {
	if st.params[name] != nil {
		torch.Failf("store", "parameter %s exists already", name)
	}
	p := st.arena.Keep(t)
	st.names = append(st.names, name)
	st.params[name] = p
	return p
}

// Train makes the parameters whose names satisfy keep (all if keep is nil) collect gradients,
// freezes the others, and returns the trainable ones in order.
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

// Freeze makes all parameters stop collecting gradients.
func (st *Store) Freeze() { st.Train(func(string) bool { return false }) }
