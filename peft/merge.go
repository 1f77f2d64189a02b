package peft

import (
	"context"
	"iter"
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

const (
	mergeAdapter   = "merge adapter"
	unmergeAdapter = "unmerge adapter"
)

// Merged is a model whose adapters have been added to its weights.
type Merged struct {
	MaxRounding float64 // no merged number is further from the exact one

	adapters  []*Adapter
	session   *nn.Session
	arena     *torch.Arena
	params    []*torch.Tensor // of the base model, that have changed
	originals []*torch.Tensor // nil after Unmerge or Close
	under     *stack
}

// stack is what has been merged into the parameters of a store, the latest last.
type stack struct{ merges []*Merged }

// stackKey is where a store has it.
type stackKey struct{}

// Merge adds the adapter to the base weights, see [Merge].
func (a *Adapter) Merge(ctx context.Context, ss *nn.Session) (*Merged, error) {
	return Merge(ctx, ss, a)
}

// Merge adds adapters to the base weights that they are of, in Float64 with one rounding at the end: all of them, or,
// if one number is not finite, none. It changes the weights for everyone who uses their store, which must be one of
// the session's: the base model is the adapted one now, and views with all of these adapters go on to give what they
// gave. The originals are kept for Unmerge until Close.
func Merge(ctx context.Context, ss *nn.Session, adapters ...*Adapter) (*Merged, error) {
	for _, a := range adapters {
		if err := a.Check(); err != nil {
			return nil, err
		}
	}
	m := &Merged{adapters: adapters, session: ss, arena: torch.NewArena()}
	err := ss.Train(ctx, 0, func(s *torch.Scope) error { return torch.Infer(s.Context(), m.merge) })
	if err != nil {
		m.arena.Close()
		return nil, err
	}
	return m, nil
}

func (m *Merged) merge(s *torch.Scope) error {
	if len(m.adapters) == 0 {
		return fault.New(fault.Usage, mergeAdapter, "", "there is no adapter")
	}
	m.under = m.adapters[0].base.Note(stackKey{}, func() any { return &stack{} }).(*stack)
	there := m.under.adapters()
	for i, a := range m.adapters {
		switch {
		case a.merged || slices.Contains(m.adapters[:i], a):
			return fault.New(fault.Internal, mergeAdapter, "", "it is merged already")
		case a.base != m.adapters[0].base:
			return fault.New(fault.Usage, mergeAdapter, "", "the adapters are of different models")
		}
	}
	if err := mergeable(there, m.adapters); err != nil {
		return err
	}
	for _, u := range unitsOf(m.adapters) {
		// One unit after another, each with a scope of its own, so that what is in Float64 is never all of the model.
		err := torch.Infer(s.Context(), func(s *torch.Scope) error { return m.change(s, u) })
		if err != nil {
			m.restore()
			return err
		}
	}
	for _, a := range m.adapters {
		a.merged = true
	}
	m.under.merges = append(m.under.merges, m)
	return nil
}

// change gives the unit's parameters their new values, rounded, and keeps the old ones.
func (m *Merged) change(s *torch.Scope, u *unit) error {
	params := [2]*torch.Tensor{u.weight, u.bias}
	var next [2]*torch.Tensor
	for rows := range u.blocks() {
		err := torch.Infer(s.Context(), func(inner *torch.Scope) error {
			for i, exact := range u.exact(inner, rows) {
				p := params[i]
				switch {
				case exact == nil:
					continue
				case p == nil:
					return fault.New(fault.BadData, mergeAdapter, u.path, "the adapter has a bias, the layer has none to add it to")
				case next[i] == nil:
					next[i] = s.ZerosOf(p.DType(), p.Shape()...)
				}
				rounded := rows.Of(inner.Use(next[i]))
				rounded.CopyFrom(exact)
				largest := rounded.MaxAbs()
				if math.IsNaN(largest) || math.IsInf(largest, 0) {
					return fault.New(fault.BadData, mergeAdapter, u.path, "the merged weight is not finite")
				}
				m.MaxRounding = max(m.MaxRounding, halfUnit(largest, p.DType()))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for i, p := range params {
		if next[i] != nil {
			m.params = append(m.params, p)
			m.originals = append(m.originals, m.arena.Keep(s.Use(p)))
			p.Rebind(next[i])
		}
	}
	return nil
}

// restore puts the original values back.
func (m *Merged) restore() {
	for i, p := range m.params {
		p.Rebind(m.originals[i])
	}
}

func (st *stack) adapters() (all []*Adapter) {
	for _, m := range st.merges {
		all = append(all, m.adapters...)
	}
	return all
}

// mergeable refuses what would depend on the order of merging, and an addition to a parameter of which another adapter
// has its own copy.
func mergeable(there, adding []*Adapter) error {
	effects := map[*torch.Tensor]Effect{}
	owners := map[*torch.Tensor]bool{}
	for i, a := range slices.Concat(there, adding) {
		for _, l := range a.layers {
			e, ok := effects[l.weight]
			if ok && (e != l.Layer.Effect() || e == Replaces) {
				return fault.New(fault.BadData, mergeAdapter, l.Path,
					"several adapters change it, and what comes of them depends on their order").Advise("merge one of them alone")
			}
			effects[l.weight] = l.Layer.Effect()
		}
		for _, c := range a.copies {
			if owners[c.base] || i >= len(there) && len(there) > 0 && touched(there, c.base) {
				return fault.New(fault.BadData, mergeAdapter, c.path, "another adapter has changed it, too").
					Advise("merge one of them alone")
			}
			owners[c.base] = true
		}
	}
	return nil
}

func touched(adapters []*Adapter, p *torch.Tensor) bool {
	for _, a := range adapters {
		if slices.ContainsFunc(a.layers, func(l *Adapted) bool { return l.weight == p || l.bias == p }) {
			return true
		}
	}
	return false
}

// unit is a layer with all that adapters do to it, or a single parameter of which an adapter has its own copy.
type unit struct {
	path         string
	weight, bias *torch.Tensor // bias may be nil
	layers       []*Adapted
	copies       map[*torch.Tensor]*torch.Tensor // own by base
}

// unitsOf are all units of some adapters, in their order.
func unitsOf(adapters []*Adapter) (units []*unit) {
	byWeight := map[*torch.Tensor]*unit{}
	copies := map[*torch.Tensor]*torch.Tensor{}
	for _, a := range adapters {
		for _, c := range a.copies {
			copies[c.base] = c.own
		}
		for _, l := range a.layers {
			u := byWeight[l.weight]
			if u == nil {
				u = &unit{path: l.Path, weight: l.weight, bias: l.bias, copies: copies}
				byWeight[l.weight] = u
				units = append(units, u)
			}
			u.layers = append(u.layers, l)
		}
	}
	covered := map[*torch.Tensor]bool{}
	for _, u := range units {
		covered[u.weight], covered[u.bias] = true, true
	}
	for _, a := range adapters {
		for _, c := range a.copies {
			if !covered[c.base] {
				units = append(units, &unit{path: c.path, weight: c.base, copies: copies})
			}
		}
	}
	return units
}

// halfUnit is half of what two neighbouring numbers of a type are apart at v, by which rounding to it is off at most.
func halfUnit(v float64, d torch.DType) float64 {
	bits := map[torch.DType]int{torch.Float32: 24, torch.Float64: 53, torch.BFloat16: 8}[d]
	_, exponent := math.Frexp(v)
	return math.Ldexp(1, exponent-bits-1)
}

// Rows are output channels from From up to To.
type Rows struct{ From, To int }

// Of takes the rows of t, whose first dimension is that of the layer's output channels.
func (r Rows) Of(t *torch.Tensor) *torch.Tensor { return t.Narrow(0, r.From, r.To-r.From) }

// blockElements are about so many in a block: what is made of it in Float64 stays in the processor's cache.
const blockElements = 1 << 17

// blocks are all rows of a unit, some at a time.
func (u *unit) blocks() iter.Seq[Rows] {
	return func(yield func(Rows) bool) {
		n := u.weight.Dim(0)
		step := max(1, blockElements*n/max(1, u.weight.Len()))
		for from := 0; from < n; from += step {
			if !yield(Rows{from, min(from+step, n)}) {
				return
			}
		}
	}
}

// exact are rows of the new weight and bias in Float64, nil where these stay what they are.
func (u *unit) exact(s *torch.Scope, rows Rows) [2]*torch.Tensor {
	start := func(p *torch.Tensor) (t *torch.Tensor, own bool) {
		if p == nil {
			return nil, false
		}
		if c := u.copies[p]; c != nil {
			p, own = c, true
		}
		return rows.Of(s.Use(p)).To(torch.Float64), own
	}
	w, ownW := start(u.weight)
	b, ownB := start(u.bias)
	w0, b0 := w, b
	for _, l := range u.layers {
		w, b = l.Layer.Merge(rows, w, b)
	}
	if w == w0 && !ownW {
		w = nil
	}
	if b == b0 && !ownB {
		b = nil
	}
	return [2]*torch.Tensor{w, b}
}

// Unmerge puts the original weights back, bit for bit. It can be done once, and what was merged last goes first.
func (m *Merged) Unmerge(ctx context.Context) error {
	return m.session.Train(ctx, 0, func(*torch.Scope) error {
		merges := m.under.merges
		switch {
		case m.originals == nil:
			return fault.New(fault.Internal, unmergeAdapter, "", "the original weights are not kept any more")
		case merges[len(merges)-1] != m:
			return fault.New(fault.Usage, unmergeAdapter, "", "something else was merged after it").Advise("unmerge that first")
		}
		m.restore()
		for _, a := range m.adapters {
			a.merged = false
		}
		m.under.merges = merges[:len(merges)-1]
		m.Close()
		return nil
	})
}

// Close frees the original weights. The model stays merged.
func (m *Merged) Close() {
	m.originals = nil
	m.arena.Close()
}

// unchanged is how far a number may be off, as a part of the largest of its parameter, to be as good as the same: some
// roundings in Float32.
const unchanged = 0x1p-22

// Idle are the layers and parameters for which the adapter makes no difference. A new adapter is idle by design; one
// that was trained and is idle has failed.
func (a *Adapter) Idle(ctx context.Context, ss *nn.Session) (paths []string, err error) {
	err = ss.Infer(ctx, func(s *torch.Scope) error {
		for _, u := range unitsOf([]*Adapter{a}) {
			if len(u.layers) == 1 && len(a.copies) == 0 {
				if v := a.match.cfg.Method.Look(u.layers[0].tensors()).Dead; v != Unknown {
					if v == Dead {
						paths = append(paths, u.path)
					}
					continue
				}
			}
			if u.idle(s) {
				paths = append(paths, u.path)
			}
		}
		return nil
	})
	return paths, err
}

// idle says whether all new values are the old ones.
func (u *unit) idle(s *torch.Scope) bool {
	return s.Frozen(func(s *torch.Scope) *torch.Tensor {
		for i, exact := range u.exact(s, Rows{0, u.weight.Dim(0)}) {
			p := []*torch.Tensor{u.weight, u.bias}[i]
			if exact == nil {
				continue
			}
			if p == nil {
				return s.Zeros()
			}
			old := s.Use(p).To(torch.Float64)
			if exact.Sub(old).MaxAbs() > unchanged*old.MaxAbs() {
				return s.Zeros()
			}
		}
		return s.Full(1)
	}).Item() == 1
}
