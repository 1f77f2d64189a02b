package evaluate_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/internal/testnum"
	"github.com/brainwavlm/bwlm/torch"
)

func TestAdaptersAddUp(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	st := studytest.Tiny(t, study.Options{}, nil)
	train := func(name string, change func(*experiment.Experiment)) *rundir.Run {
		e := *st.Experiment
		e.Out, e.Train.Epochs = filepath.Join(filepath.Dir(e.Out), name), 1
		if change != nil {
			change(&e)
		}
		v, err := st.Vary(t.Context(), &e)
		require.NoError(t, err)
		run, err := v.Begin(t.Context())
		require.NoError(t, err)
		defer run.Close()
		tr, err := tune.NewTrainer(t.Context(), v)
		require.NoError(t, err)
		defer tr.Close()
		require.NoError(t, tr.Session.Train(t.Context(), 0, func(s *torch.Scope) error {
			k := e.Train.Seed
			for _, p := range tr.Adapter.Store().Params() { // wild enough to be seen
				x := testnum.Values(p.Len(), k)
				for i := range x {
					x[i] *= .5
				}
				p.CopyFrom(s.FromFloat32(x, p.Shape()...))
				k++
			}
			return nil
		}))
		require.NoError(t, tr.Adapter.Save(run.File("adapter")))
		return run
	}
	a := train("a", nil)
	// of another rank and shape
	b := train("b", func(e *experiment.Experiment) { e.Adapter.R, e.Train.Seed, e.Adapter.Layers = 2, 77, []int{1} })

	features := func(tuned *study.Tuned, err error) []float32 {
		require.NoError(t, err)
		defer tuned.Close()
		f, err := encoding.Read(t.Context(), st, st.Reader(tuned.Model), "", []string{"test"}, 2)
		require.NoError(t, err)
		return f[0].Rows["test"]
	}
	sum := func(scale float64, terms ...results.WeightedAdapter) []float32 {
		return features(evaluate.LoadSum(t.Context(), st, terms, scale))
	}
	base := func() []float32 {
		f, err := encoding.Read(t.Context(), st, st.Reader(st.Model), "", []string{"test"}, 2)
		require.NoError(t, err)
		return f[0].Rows["test"]
	}()
	whole := features(st.LoadAdapter(t.Context(), a.File("adapter")))
	assert.NotEqual(t, base, whole)
	assert.Equal(t, whole, sum(1, results.WeightedAdapter{Factor: 1, Run: a.Dir}),
		"once is the adapter itself, bit for bit")
	assert.InDeltaSlice(t, base, sum(0, results.WeightedAdapter{Factor: 1, Run: a.Dir},
		results.WeightedAdapter{Factor: -1, Run: b.Dir}), 1e-4)
	assert.InDeltaSlice(t, base, sum(1.5, results.WeightedAdapter{Factor: 1, Run: a.Dir},
		results.WeightedAdapter{Factor: -1, Run: a.Dir}), 1e-4, "less itself is nothing")
	assert.InDeltaSlice(t, whole, sum(1, results.WeightedAdapter{Factor: .5, Run: a.Dir},
		results.WeightedAdapter{Factor: .5, Run: a.Dir}), 1e-4, "the mean with itself is itself")
	assert.InDeltaSlice(t, whole, sum(1, results.WeightedAdapter{Factor: 1, Run: a.Dir},
		results.WeightedAdapter{Factor: 1, Run: b.Dir}, results.WeightedAdapter{Factor: -1, Run: b.Dir}), 1e-4)
	assert.InDeltaSlice(t, sum(2, results.WeightedAdapter{Factor: .25, Run: a.Dir}),
		sum(1, results.WeightedAdapter{Factor: .5, Run: a.Dir}), 1e-4)
	assert.NotEqual(t, whole, sum(1, results.WeightedAdapter{Factor: 1, Run: a.Dir},
		results.WeightedAdapter{Factor: 1, Run: b.Dir}))

	r, err := evaluate.ScoreAdapters(t.Context(), st, []results.WeightedAdapter{{Factor: 1, Run: a.Dir},
		{Factor: -.5, Run: b.Dir}}, []float64{0, 1})
	require.NoError(t, err)
	assert.Equal(t, a.Dir+" - 0.5·"+b.Dir, r.Formula)
	require.Len(t, r.Points, 2)
	assert.InDelta(t, r.Base.MeanR, r.Points[0].Test.Tuned.MeanR, 1e-5, "scale 0 is the untuned model")
	assert.Greater(t, r.Base.MeanR, r.Points[1].Test.Tuned.MeanR+.01, "noise in the weights does harm")

	// A run that was tuned on the test rows is refused, and so is one without an adapter.
	leaky := *st.Experiment
	leaky.Out, leaky.Data.Train, leaky.Data.Test = filepath.Join(filepath.Dir(leaky.Out), "leaky"), []string{"test"},
		[]string{"one"}
	v, err := st.Vary(t.Context(), &leaky)
	require.NoError(t, err)
	run, err := v.Begin(t.Context())
	require.NoError(t, err)
	require.NoError(t, run.Close())
	_, err = evaluate.ScoreAdapters(t.Context(), st, []results.WeightedAdapter{{Factor: 1, Run: a.Dir},
		{Factor: 1, Run: run.Dir}}, []float64{1})
	require.Error(t, err)
	assert.Equal(t, fault.BadData, fault.KindOf(err))
	assert.Contains(t, err.Error(), "test")
	leaky.Train.Mode, leaky.Out = "readout", leaky.Out+"2"
	v, err = st.Vary(t.Context(), &leaky)
	require.NoError(t, err)
	run, err = v.Begin(t.Context())
	require.NoError(t, err)
	require.NoError(t, run.Close())
	_, err = evaluate.ScoreAdapters(t.Context(), st, []results.WeightedAdapter{{Factor: 1, Run: run.Dir}}, []float64{1})
	require.ErrorContains(t, err, "train.mode readout leaves no adapter")
}
