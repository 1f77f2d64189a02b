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

// Merged is a merge of adapters into the weights of their model, which Unmerge undoes.
type Merged struct {
	MaxRounding float64 // upper bound of the difference between a merged number and the exact sum

	adapters  []*Adapter
	session   *nn.Session
	arena     *torch.Arena
	params    []*torch.Tensor // changed parameters of the base model
	originals []*torch.Tensor // nil after Unmerge or Close
	under     *stack
}

// stack lists the merges into the parameters of a store, the latest last.
type stack struct{ merges []*Merged }

// stackKey is the key of a store's note that holds its stack.
type stackKey struct{}

// Merge adds adapters to the base weights in Float64 with one rounding at the end. If one number is
// not finite, nothing changes. The weights change for all models over their store, which must be
// one of the session's: the base model then computes what the adapted one computed, and views with
// all of these adapters still compute the same. The original weights stay in memory for Unmerge
// until Close.
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
		// Each unit has a scope of its own, so that only one at a time is in Float64.
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

// change sets the unit's parameters to their rounded new values and keeps the old ones.
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
					return fault.New(fault.BadData, mergeAdapter, u.path,
						"the adapter has a bias, the layer has none to add it to")
				case next[i] == nil:
					next[i] = s.ZerosOf(p.DType(), p.Shape()...)
				}
				rounded := rows.of(inner.Attach(next[i]))
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
			m.originals = append(m.originals, m.arena.Keep(s.Attach(p)))
			p.SetData(next[i])
		}
	}
	return nil
}

// restore puts the original values back.
func (m *Merged) restore() {
	for i, p := range m.params {
		p.SetData(m.originals[i])
	}
}

func (st *stack) adapters() (all []*Adapter) {
	for _, m := range st.merges {
		all = append(all, m.adapters...)
	}
	return all
}

// mergeable refuses merges whose result would depend on their order, and additions to a parameter
// that another adapter has a copy of.
func mergeable(there, adding []*Adapter) error {
	effects := map[*torch.Tensor]effect{}
	owners := map[*torch.Tensor]bool{}
	for i, a := range slices.Concat(there, adding) {
		for _, l := range a.layers {
			e, ok := effects[l.weight]
			if ok && (e != l.layer.effect() || e == replaces) {
				return fault.New(fault.BadData, mergeAdapter, l.Path,
					"several adapters change it, and what comes of them depends on their order").
					WithHint("merge one of them alone")
			}
			effects[l.weight] = l.layer.effect()
		}
		for _, c := range a.copies {
			if owners[c.base] || i >= len(there) && len(there) > 0 && touched(there, c.base) {
				return fault.New(fault.BadData, mergeAdapter, c.path, "another adapter has changed it, too").
					WithHint("merge one of them alone")
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

// unit is a layer with its adaptations, or a single parameter that an adapter has a copy of.
type unit struct {
	path         string
	weight, bias *torch.Tensor // bias may be nil
	layers       []*Adapted
	copies       map[*torch.Tensor]*torch.Tensor // own by base
}

// unitsOf returns all units of the adapters in their order.
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

// halfUnit returns half the spacing of a type's numbers at v, the largest error of rounding.
func halfUnit(v float64, d torch.DType) float64 {
	bits := map[torch.DType]int{torch.Float32: 24, torch.Float64: 53, torch.BFloat16: 8}[d]
	_, exponent := math.Frexp(v)
	return math.Ldexp(1, exponent-bits-1)
}

// rowRange is the range of output channels from From to To, half-open.
type rowRange struct{ From, To int }

// of returns the rows of t, whose first dimension is the layer's output channels.
func (r rowRange) of(t *torch.Tensor) *torch.Tensor { return t.Narrow(0, r.From, r.To-r.From) }

// blockElements is the approximate size of a block of rows, which in Float64 fits the processor's
// cache.
const blockElements = 1 << 17

// blocks returns the rows of a unit in blocks.
func (u *unit) blocks() iter.Seq[rowRange] {
	return func(yield func(rowRange) bool) {
		n := u.weight.Dim(0)
		step := max(1, blockElements*n/max(1, u.weight.Len()))
		for from := 0; from < n; from += step {
			if !yield(rowRange{from, min(from+step, n)}) {
				return
			}
		}
	}
}

// exact returns rows of the new weight and bias in Float64, nil where they do not change.
func (u *unit) exact(s *torch.Scope, rows rowRange) [2]*torch.Tensor {
	start := func(p *torch.Tensor) (t *torch.Tensor, own bool) {
		if p == nil {
			return nil, false
		}
		if c := u.copies[p]; c != nil {
			p, own = c, true
		}
		return rows.of(s.Attach(p)).ToType(torch.Float64), own
	}
	w, ownW := start(u.weight)
	b, ownB := start(u.bias)
	w0, b0 := w, b
	for _, l := range u.layers {
		w, b = l.layer.merge(rows, w, b)
	}
	if w == w0 && !ownW {
		w = nil
	}
	if b == b0 && !ownB {
		b = nil
	}
	return [2]*torch.Tensor{w, b}
}

// Unmerge restores the original weights bit for bit. It works once, and the latest merge must be
// undone first.
func (m *Merged) Unmerge(ctx context.Context) error {
	return m.session.Train(ctx, 0, func(*torch.Scope) error {
		merges := m.under.merges
		switch {
		case m.originals == nil:
			return fault.New(fault.Internal, unmergeAdapter, "", "the original weights have been freed")
		case merges[len(merges)-1] != m:
			return fault.New(fault.Usage, unmergeAdapter, "", "something else was merged after it").
				WithHint("unmerge that first")
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
