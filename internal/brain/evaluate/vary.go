package evaluate

import (
	"context"
	"math"
	"path/filepath"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/disk"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/torch"
)

// RandomAdapter reads the adapter in a folder, replaces each pair by random numbers of the same
// ‖s·B·A‖, and writes the result to another folder. An adapter that adds nothing, as that of an
// untrained run, is a fault of kind BadData, since no scale gives random numbers the norm 0.
func RandomAdapter(ctx context.Context, st *study.Study, from, to string, seed uint64) (*study.Tuned, error) {
	a, err := peft.Load(from)
	if err != nil {
		return nil, err
	}
	a.AllowChangedBase = st.Options.AllowChangedBase
	view, err := st.Adapted(ctx, a)
	if err == nil {
		mode := torch.Mode{Seed: seed, Device: st.Model.Session().Device}
		err = torch.Do(ctx, mode, func(s *torch.Scope) error { return randomise(s, a, from) })
	}
	if err == nil {
		if err = disk.MkdirAll(filepath.Dir(to), 0o755); err == nil {
			err = rundir.ReplaceDir(to, a.SaveInto)
		}
	}
	if err != nil {
		a.Close()
		return nil, err
	}
	return &study.Tuned{Model: view, Release: a.Close}, nil
}

// randomise replaces the pairs of an adapter by random numbers of equal norm.
func randomise(s *torch.Scope, a *peft.Adapter, where string) error {
	total := 0.
	for _, l := range a.Layers() {
		A, B := Pair(a, l)
		if A == nil || B == nil {
			return fault.New(fault.BadData, "make a random adapter", where, "%s has no pair of low-rank matrices",
				l.Path)
		}
		want := productNorm(s, A, B)
		total += want
		A.CopyFrom(s.Normal(0, 1, A.Shape()...))
		B.CopyFrom(s.Normal(0, 1, B.Shape()...))
		B.CopyFrom(s.Attach(B).MulScalar(want / productNorm(s, A, B)))
	}
	if total == 0 {
		return fault.New(fault.BadData, "make a random adapter", where,
			"the adapter adds nothing: validation chose the untuned model").
			WithHint("train longer, or with another learning rate")
	}
	return nil
}

// Pair is A (r, in) and B (out, r) of a layer; nil where the adapter's method has none.
func Pair(a *peft.Adapter, l *peft.Adapted) (A, B *torch.Tensor) {
	return a.Store().Param(l.Name + ".lora_A.weight"), a.Store().Param(l.Name + ".lora_B.weight")
}

// productNorm returns ‖B·A‖ in Float64. The scale of a pair does not change, so equal norms give changes of equal size.
func productNorm(s *torch.Scope, A, B *torch.Tensor) float64 {
	return math.Sqrt(Product(s, A, B).Square().Sum().Item())
}

func Product(s *torch.Scope, A, B *torch.Tensor) *torch.Tensor {
	return s.Attach(B).ToType(torch.Float64).MatMul(s.Attach(A).ToType(torch.Float64)) // (out, in)
}
