package peft

import (
	"context"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch/nn"
)

const adapterSet = "adapters"

// Set are named adapters of one model. Which of them are active is a matter of views: each view of the model is built
// with those that it is to have, and nothing is switched in a model that is running. Being active says nothing about
// being trained, which is up to the store of each adapter. A set is for one goroutine at a time; views made with it
// are not bound to that.
type Set struct {
	names    []string
	adapters map[string]*Adapter
}

// NewSet is an empty set.
func NewSet() *Set { return &Set{adapters: map[string]*Adapter{}} }

// Add gives an adapter a name, and into the care of the set. PEFT finds parameters by words within their keys and so
// loses adapters whose name has a dot, or lora in it (huggingface/peft#2699): such names are refused.
func (s *Set) Add(name string, a *Adapter) error {
	why := ""
	switch {
	case name == "":
		why = "an adapter needs a name"
	case strings.Contains(name, "."):
		why = "the name has a dot"
	case strings.Contains(strings.ToLower(name), "lora"):
		why = "the name has lora in it"
	case s.adapters[name] != nil:
		why = "there is one of that name"
	}
	if why != "" {
		return fault.New(fault.Usage, adapterSet, name, "%s", why).Advise("choose another name")
	}
	s.names = append(s.names, name)
	s.adapters[name] = a
	return nil
}

// Names are those of the adapters, in the order in which they came.
func (s *Set) Names() []string { return slices.Clone(s.names) }

// Get is the adapter of a name.
func (s *Set) Get(name string) (*Adapter, error) {
	if a := s.adapters[name]; a != nil {
		return a, nil
	}
	return nil, fault.New(fault.Usage, adapterSet, name, "there is no such adapter; there are: %s", strings.Join(s.names, ", "))
}

// Active is what to build a view with in which the named adapters are active, and the stores that the view's session
// is to hold. No name is none.
func (s *Set) Active(names ...string) (nn.Adapter, []*nn.Store, error) {
	list, err := s.all(names)
	if err != nil {
		return nil, nil, err
	}
	var stores []*nn.Store
	for _, a := range list {
		stores = append(stores, a.Store())
	}
	return Stack(list...), stores, nil
}

func (s *Set) all(names []string) (list []*Adapter, err error) {
	for i, name := range names {
		a, err := s.Get(name)
		if err != nil {
			return nil, err
		}
		if slices.Contains(names[:i], name) {
			return nil, fault.New(fault.Usage, adapterSet, name, "is named twice")
		}
		list = append(list, a)
	}
	return list, nil
}

// Merge merges the named adapters into the base weights, see [Merge].
func (s *Set) Merge(ctx context.Context, ss *nn.Session, names ...string) (*Merged, error) {
	list, err := s.all(names)
	if err != nil {
		return nil, err
	}
	return Merge(ctx, ss, list...)
}

// Combine adds an adapter that is a weighted combination of others, see [Combine]. As any new adapter, it becomes part
// of a model when a view is built with it.
func (s *Set) Combine(ctx context.Context, name string, how Combination, weights []float64, names ...string) error {
	list, err := s.all(names)
	if err != nil {
		return err
	}
	var files []*File
	for _, a := range list {
		files = append(files, a.File())
	}
	f, err := Combine(ctx, how, weights, files...)
	if err != nil {
		return err
	}
	a, err := f.Adapter()
	if err != nil {
		return err
	}
	if err := s.Add(name, a); err != nil {
		a.Close()
		return err
	}
	return nil
}

// Remove frees an adapter, of which no view may be in use. It is refused while it is merged.
func (s *Set) Remove(name string) error {
	a, err := s.Get(name)
	if err != nil {
		return err
	}
	if a.merged {
		return fault.New(fault.Usage, adapterSet, name, "is merged into the weights").Advise("unmerge it first")
	}
	a.Close()
	delete(s.adapters, name)
	s.names = slices.DeleteFunc(s.names, func(n string) bool { return n == name })
	return nil
}

// Close frees all adapters.
func (s *Set) Close() {
	for _, name := range s.names {
		s.adapters[name].Close()
	}
	s.names, s.adapters = nil, map[string]*Adapter{}
}
