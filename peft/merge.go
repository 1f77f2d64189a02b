package peft

import (
	"context"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

const mergeAdapter = "merge adapter"

// Merged is a model whose adapter has been added to its weights.
type Merged struct {
	MaxRounding float64 // largest |merged weight - exact sum|

	adapter   *Adapter
	session   *nn.Session
	arena     *torch.Arena
	originals []*torch.Tensor // of the adapter's layers; nil after Unmerge or Close
}

// Merge adds the adapter to the base weights that it wraps, W + s·B·A in Float64 with one rounding at the end: all of
// them, or, if one sum is not finite, none. It changes the weights for everyone who uses their store, which must be
// one of the session's: the base model is the adapted one now, and the adapted views go on to give what they gave.
// The originals are kept for Unmerge until Close.
func (a *Adapter) Merge(ctx context.Context, ss *nn.Session) (*Merged, error) {
	if err := a.Check(); err != nil {
		return nil, err
	}
	m := &Merged{adapter: a, session: ss, arena: torch.NewArena()}
	err := ss.Train(ctx, 0, func(s *torch.Scope) error { return torch.Infer(s.Context(), m.merge) })
	if err != nil {
		m.arena.Close()
		return nil, err
	}
	return m, nil
}

func (m *Merged) merge(s *torch.Scope) error {
	if m.adapter.merged {
		return fault.New(fault.Internal, mergeAdapter, "", "it is merged already")
	}
	var sums []*torch.Tensor
	for _, l := range m.adapter.layers {
		sum := s.Use(l.Base.Weight).Tidy(func(w *torch.Tensor) *torch.Tensor { // (out, in)
			exact := w.To(torch.Float64).Add(l.Delta(w.Scope()))
			rounded := exact.To(w.DType())
			m.MaxRounding = max(m.MaxRounding, rounded.To(torch.Float64).Sub(exact).Abs().Max().Item())
			return rounded
		})
		if !sum.AllFinite() {
			return fault.New(fault.BadData, mergeAdapter, l.Path, "the merged weight is not finite")
		}
		sums = append(sums, sum)
		m.originals = append(m.originals, m.arena.Keep(s.Use(l.Base.Weight).Clone()))
	}
	m.assign(sums)
	m.adapter.merged = true
	return nil
}

func (m *Merged) assign(weights []*torch.Tensor) {
	for i, l := range m.adapter.layers {
		l.Base.Weight.CopyFrom(weights[i])
	}
}

// Unmerge puts the original weights back, bit for bit. It can be done once.
func (m *Merged) Unmerge(ctx context.Context) error {
	return m.session.Train(ctx, 0, func(*torch.Scope) error {
		if m.originals == nil {
			return fault.New(fault.Internal, "unmerge adapter", "", "the original weights are not kept any more")
		}
		m.assign(m.originals)
		m.adapter.merged = false
		m.Close()
		return nil
	})
}

// Close frees the original weights. The model stays merged.
func (m *Merged) Close() {
	m.originals = nil
	m.arena.Close()
}
