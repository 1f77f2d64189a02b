package nn

import (
	"fmt"
	"iter"
	"slices"

	"github.com/brainwavlm/bwlm/torch"
)

// Group is a list of parameters that share a learning rate.
type Group struct {
	Names  []string // as they are saved
	Params []*torch.Tensor
	LR     float64
}

// With returns g with the parameters of a store whose names satisfy keep (all if keep is nil),
// saved under a prefix. It makes them collect gradients and freezes the other parameters of the
// store.
func (g Group) With(prefix string, st *Store, keep func(name string) bool) Group {
	g.Params = append(slices.Clone(g.Params), st.Train(keep)...)
	g.Names = slices.Clone(g.Names)
	for name := range st.Params() {
		if keep == nil || keep(name) {
			g.Names = append(g.Names, prefix+name)
		}
	}
	return g
}

// AdamOptions has the constants of Adam. The zero value means PyTorch's defaults.
type AdamOptions struct {
	Beta1, Beta2, Eps float64 // 0 means .9, .999 and 1e-8
	Decay             float64 // weight decay
	Decoupled         bool    // weight decay as in AdamW
}

// Adam is the optimizer of Kingma and Ba (2015), or AdamW (Loshchilov and Hutter 2019).
type Adam struct {
	opt    AdamOptions
	groups []Group
	states []torch.AdamState
	arena  *torch.Arena
}

// NewAdam returns an optimizer whose state lives until Close. It must be called in a closure.
func NewAdam(s *torch.Scope, opt AdamOptions, groups ...Group) *Adam {
	if opt.Beta1 == 0 {
		opt.Beta1 = .9
	}
	if opt.Beta2 == 0 {
		opt.Beta2 = .999
	}
	if opt.Eps == 0 {
		opt.Eps = 1e-8
	}
	a := &Adam{opt: opt, groups: groups, arena: torch.NewArena()}
	for _, g := range groups {
		st := torch.AdamState{Params: g.Params}
		for _, p := range g.Params {
			zeros := func() *torch.Tensor { return a.arena.Keep(s.ZerosOf(p.DType(), p.Shape()...).To(p.Device())) }
			st.First = append(st.First, zeros())
			st.Second = append(st.Second, zeros())
			st.Steps = append(st.Steps, a.arena.Keep(s.Zeros().To(p.Device())))
		}
		a.states = append(a.states, st)
	}
	return a
}

// Step updates every parameter that has a gradient.
func (a *Adam) Step() {
	for i, st := range a.states {
		torch.AdamStep(st, a.groups[i].LR, a.opt.Beta1, a.opt.Beta2, a.opt.Eps, a.opt.Decay, a.opt.Decoupled)
	}
}

// ClearGrad removes all gradients.
func (a *Adam) ClearGrad() {
	for _, g := range a.groups {
		torch.ClearGrad(g.Params...)
	}
}

// Params yields the parameters of all groups with the names under which they are saved.
func (a *Adam) Params() iter.Seq2[string, *torch.Tensor] {
	return func(yield func(string, *torch.Tensor) bool) {
		for _, g := range a.groups {
			for k, p := range g.Params {
				if !yield(g.Names[k], p) {
					return
				}
			}
		}
	}
}

// State yields the state of the optimizer for a checkpoint, under the names NAME.exp_avg,
// NAME.exp_avg_sq and NAME.step.
func (a *Adam) State() iter.Seq2[string, *torch.Tensor] {
	return func(yield func(string, *torch.Tensor) bool) {
		for i, st := range a.states {
			for k, name := range a.groups[i].Names {
				ok := yield(name+".exp_avg", st.First[k]) && yield(name+".exp_avg_sq", st.Second[k]) &&
					yield(name+".step", st.Steps[k])
				if !ok {
					return
				}
			}
		}
	}
}

// SetState overwrites the state with what get returns for each name of State.
func (a *Adam) SetState(get func(name string) (*torch.Tensor, error)) error {
	for name, t := range a.State() {
		v, err := get(name)
		if err != nil {
			return fmt.Errorf("optimizer state %s: %w", name, err)
		}
		t.CopyFrom(v)
	}
	return nil
}

// Close frees the state.
func (a *Adam) Close() { a.arena.Close() }
