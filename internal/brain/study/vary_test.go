package study_test

import (
	"context"
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/testnum"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/torch"
)

func TestRandomAdapterHasEqualNorms(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) { e.Train.Epochs = 1 })
	run, err := st.Begin(t.Context())
	require.NoError(t, err)
	defer run.Close()
	_, err = tune.Fit(t.Context(), st, run)
	require.NoError(t, err)

	// An adapter that surely adds something, whatever validation chose: another size for each layer.
	a, err := peft.Load(run.File("adapter"))
	require.NoError(t, err)
	defer a.Close()
	_, err = st.Adapted(t.Context(), a)
	require.NoError(t, err)
	require.NoError(t, torch.Do(t.Context(), torch.Mode{Seed: 1}, func(s *torch.Scope) error {
		for i, l := range a.Layers() {
			_, B := evaluate.Pair(a, l)
			B.CopyFrom(s.Normal(0, float64(i+1), B.Shape()...))
		}
		return nil
	}))
	from, to := filepath.Join(run.Dir, "sized"), filepath.Join(run.Dir, "random")
	require.NoError(t, a.Save(from))
	tuned, err := evaluate.RandomAdapter(t.Context(), st, from, to, 5)
	require.NoError(t, err)
	tuned.Close()

	before, after := deltas(t.Context(), t, st, from), deltas(t.Context(), t, st, to)
	require.NotEmpty(t, before)
	for i := range before {
		assert.InEpsilon(t, size(before[i]), size(after[i]), 1e-5, "layer %d", i)
		assert.Less(t, dot(before[i], after[i]), .7*size(before[i])*size(after[i]), "and points elsewhere")
	}

	// One that adds nothing has no random counterpart.
	require.NoError(t, torch.Do(t.Context(), torch.Mode{}, func(s *torch.Scope) error {
		for _, l := range a.Layers() {
			_, B := evaluate.Pair(a, l)
			B.CopyFrom(s.Zeros(B.Shape()...))
		}
		return nil
	}))
	zero := filepath.Join(run.Dir, "zero")
	require.NoError(t, a.Save(zero))
	_, err = evaluate.RandomAdapter(t.Context(), st, zero, to, 5)
	assert.Equal(t, fault.BadData, fault.KindOf(err))
}

// deltas are what an adapter adds to each layer.
func deltas(ctx context.Context, t *testing.T, st *study.Study, dir string) (out [][]float64) {
	a, err := peft.Load(dir)
	require.NoError(t, err)
	defer a.Close()
	_, err = st.Adapted(ctx, a)
	require.NoError(t, err)
	require.NoError(t, torch.Do(ctx, torch.Mode{}, func(s *torch.Scope) error {
		for _, l := range a.Layers() {
			A, B := evaluate.Pair(a, l)
			out = append(out, evaluate.Product(s, A, B).Float64s())
		}
		return nil
	}))
	return out
}

func dot(a, b []float64) (sum float64) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

func size(a []float64) float64 { return math.Sqrt(dot(a, a)) }

func TestControlsAndLayersScoreLikeEvaluation(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	st := studytest.Tiny(t, study.Options{}, nil)
	b, err := evaluate.NewBaseline(t.Context(), st)
	require.NoError(t, err)
	layers, err := evaluate.ScoreLayers(t.Context(), st, st.Model, []int{2})
	require.NoError(t, err)
	e, err := b.BestLayer(t.Context())
	require.NoError(t, err)
	assert.InDelta(t, e.Summary.Test.Base.MeanR, layers[0].MeanR, 1e-9)
	assert.InDelta(t, e.Summary.Test.Base.ROIs["front"], layers[0].ROIs["front"], 1e-9)
	assert.Equal(t, e.Summary.Test.BaseBestLayer.MeanR, e.Summary.Test.Tuned.MeanR)

	// The true bands predict the responses; noise does not.
	bands := map[string][][2]float64{}
	for i, name := range studytest.TinyStories {
		_, bands[name] = studytest.TinySound(uint64(i))
	}
	e, err = b.Control(t.Context(), "bands", func(_ context.Context, _, story string) (x []float32, columns int,
		err error) {
		for _, v := range bands[story] {
			x = append(x, float32(v[0]), float32(v[1]))
		}
		return x, 2, nil
	})
	require.NoError(t, err)
	assert.Greater(t, e.Summary.Test.Tuned.MeanR, .6)
	assert.Nil(t, e.Summary.Test.Tuned.Layer, "no model, no layer")
	assert.InDelta(t, e.Summary.Test.Tuned.MeanR-e.Summary.Test.Base.MeanR, e.Summary.Test.Delta.MeanR, 1e-9)
	e, err = b.Control(t.Context(), "noise", func(_ context.Context, _, story string) ([]float32, int, error) {
		return testnum.Values(2*studytest.TinyRows, uint64(len(story))), 2, nil
	})
	require.NoError(t, err)
	assert.Less(t, e.Summary.Test.Tuned.MeanR, .3)
}
