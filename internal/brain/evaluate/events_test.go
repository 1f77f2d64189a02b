package evaluate_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/sim"
)

// clips opens a simulated study of clips with the nano model.
func clips(t *testing.T, opt sim.EventOptions, change func(*experiment.Experiment)) *study.Study {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, sim.WriteNano(filepath.Join(dir, "model")))
	s, err := sim.NewEvents(opt)
	require.NoError(t, err)
	e := experiment.Default()
	e.Model.Path, e.Model.Layer, e.Data.Path = filepath.Join(dir, "model"), 3, filepath.Join(dir, "in memory")
	e.Data.Subjects = []string{sim.Listener}
	e.Data.Train, e.Data.Val, e.Data.Test = []string{"split=train"}, []string{"split=val"}, []string{"split=test"}
	e.Out = filepath.Join(dir, "run")
	if change != nil {
		change(e)
	}
	require.NoError(t, e.Validate())
	model, err := study.OpenModel(t.Context(), e, true)
	require.NoError(t, err)
	st, err := study.New(t.Context(), e, s.Dataset, model, study.Options{})
	require.NoError(t, err)
	st.OwnsModel = true
	t.Cleanup(st.Close)
	return st
}

// The planted channels are predicted in clips of voices that were not in training, and noise is not.
func TestAPlantedStudyOfClips(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	score := func(null bool) map[string]float64 {
		st := clips(t, sim.EventOptions{Seed: 1, Null: null, TuneClips: 120, Channels: 30}, nil)
		s, err := evaluate.Evaluate(t.Context(), st, nil, filepath.Join(st.Experiment.Out, "eval"))
		require.NoError(t, err)
		assert.Equal(t, 48, s.Test.Rows)
		t.Log(s.Test.Base.MeanR, s.Test.Base.CI95, s.Test.Base.ROIs)
		text, err := os.ReadFile(filepath.Join(st.Experiment.Out, "eval", "test", "layout.json"))
		require.NoError(t, err)
		assert.Contains(t, string(text), `"clip-130"`, "rows have the names of their clips")
		return s.Test.Base.ROIs
	}
	found := score(false)
	assert.Greater(t, found[sim.Auditory], .5)
	assert.InDelta(t, 0, found[sim.Noise], .12)
	null := score(true)
	assert.InDelta(t, 0, null[sim.Auditory], .12)
	assert.InDelta(t, 0, null[sim.Semantic], .12)
}
