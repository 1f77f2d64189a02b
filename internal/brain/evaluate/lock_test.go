package evaluate_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/internal/brain/analysisplan"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
)

// The margin is a share of what the untuned model reaches on the validation rows, which a training
// writes down as epoch 0.
func TestSealedMargin(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Data.Subjects, e.Data.ROI, e.Train.Epochs = []string{"ada", "bob"}, []string{"front"}, 1
	})
	plain, err := studytest.TryTiny(t, study.Options{}, nil)
	require.NoError(t, err)
	defer plain.Close()
	s, err := evaluate.LockAnalysis(t.Context(), plain, results.Endpoints{Sides: 1, Delta: .05})
	require.NoError(t, err)
	assert.Empty(t, s.Margins, "no region is an endpoint, and none is called auditory")

	s, err = evaluate.LockAnalysis(t.Context(), st, results.Endpoints{ROIs: []string{"front"}, Sides: 1,
		Delta: .1})
	require.NoError(t, err)
	require.Contains(t, s.Margins, "front")
	again, err := analysisplan.Read(st.Experiment.Out)
	require.NoError(t, err)
	assert.Equal(t, s.Margins, again.Margins, "and its hash fits")

	run, p := studytest.MustFit(t, st)
	assert.InDelta(t, p.Epochs[0].ValR, s.Margins["front"].BaseR, 1e-9)
	assert.InDelta(t, .1*p.Epochs[0].ValR, s.Margins["front"].Delta, 1e-9)

	summary, err := evaluate.EvaluateRun(t.Context(), st, run)
	require.NoError(t, err)
	assert.Equal(t, s.Margins, summary.AnalysisPlan.Margins)
	assert.Equal(t, 1, summary.AnalysisPlan.TestReads, "sealing looked at no test row")
	assert.Nil(t, summary.Test.Delta.NonInferiority, "34 rows are too few for a bound")

	exp := *st.Experiment
	exp.Data.Subjects = []string{"ada"}
	one, err := st.Vary(t.Context(), &exp)
	require.NoError(t, err)
	b, err := evaluate.ScoredLayerBaseline(t.Context(), one)
	require.NoError(t, err)
	e, err := b.Compare(t.Context(), nil)
	require.NoError(t, err)
	assert.Nil(t, e.Summary.AnalysisPlan.Margins, "they are of both subjects together")
}
