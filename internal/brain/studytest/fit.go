package studytest

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/internal/testnum"
	"github.com/brainwavlm/bwlm/torch"
)

// MustFit trains a tiny study from its beginning to its end.
func MustFit(t *testing.T, st *study.Study) (*rundir.Run, *rundir.Progress) {
	t.Helper()
	run, err := st.Begin(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { run.Close() })
	p, err := tune.Fit(t.Context(), st, run)
	require.NoError(t, err)
	return run, p
}

// TrainerOf makes a trainer whose adapter is not at its start, with statistics of features.
func TrainerOf(t *testing.T, st *study.Study) *tune.Trainer {
	t.Helper()
	tr, err := tune.NewTrainer(t.Context(), st)
	require.NoError(t, err)
	t.Cleanup(tr.Close)
	require.NoError(t, tr.Session.Train(t.Context(), 0, func(s *torch.Scope) error {
		k := uint64(0)
		for name, p := range tr.Params() {
			if strings.Contains(name, "lora_B") {
				x := testnum.Values(p.Len(), k)
				for i := range x {
					x[i] *= .3
				}
				p.CopyFrom(s.FromFloat32(x, p.Shape()...))
				k++
			}
		}
		return nil
	}))
	f, err := tr.ReadForEpoch(t.Context())
	require.NoError(t, err)
	tr.Zscore = tr.TunedOn(f).Zscore
	return tr
}

// Gradients returns the loss of a block and all gradients by name, in units of n windows of which the first held ones
// keep their activations.
func Gradients(t *tune.Trainer, test *testing.T, b tune.Block, n, held int, seed uint64) (loss float64,
	grads map[string][]float32) {
	test.Helper()
	unit, before := t.Reader.Unit, t.Held
	defer func() { t.Reader.Unit, t.Held = unit, before }()
	t.Reader.Unit, t.Held = n, held
	grads = map[string][]float32{}
	y, err := t.ReadTargets(test.Context(), b)
	require.NoError(test, err)
	require.NoError(test, t.Session.Train(test.Context(), seed, func(s *torch.Scope) error {
		if loss, err = t.Backward(s, b, y, seed); err != nil {
			return err
		}
		for name, p := range t.Params() {
			if p.HasGrad() {
				grads[name] = p.Grad(s).Float32s()
			}
		}
		t.ClearGrad()
		return nil
	}))
	return loss, grads
}

func Norm(x []float32) (sum float64) {
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum)
}
