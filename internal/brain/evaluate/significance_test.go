package evaluate_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
)

// Two systems whose predictions are made up: the tuned one knows more of region "front" and as much of "AC".
func TestScoresSayHowSureTheyAre(t *testing.T) {
	const rows, voxels, repeats = 400, 6, 4
	rng := rand.New(rand.NewPCG(1, 0))
	x := make([]float32, repeats*rows*voxels)
	base, tuned := make([]float32, rows*voxels), make([]float32, rows*voxels)
	for at := range rows * voxels {
		signal := rng.NormFloat64()
		for i := range repeats {
			x[i*rows*voxels+at] = float32(signal + rng.NormFloat64())
		}
		common := rng.NormFloat64()
		base[at] = float32(signal + common + .2*rng.NormFloat64())
		if tuned[at] = float32(signal + common + .2*rng.NormFloat64()); at%voxels < 3 {
			tuned[at] = float32(signal + .5*common)
		}
	}
	m := &dataset.Matrix{Repeats: repeats, Rows: rows, Voxels: voxels, Data: x}
	p := studytest.SubjectOf(t, "ada", "one", m, study.Test)
	exp := experiment.Experiment{}
	exp.Train.Seed = 1
	e := &evaluate.Evaluation{
		Baseline: &evaluate.Baseline{Study: &study.Study{Experiment: &exp, Subjects: []*study.Subject{p}},
			Base: []encoding.Prediction{{Rows: rows, Pred: base}},
			Best: []encoding.Prediction{{Rows: rows, Pred: base}},
			Groups: []stats.Group{{Name: study.Everything}, {Name: "front", Columns: [][]int{{0, 1, 2}}},
				{Name: "AC", Columns: [][]int{{3, 4, 5}}}}},
		Tuned: []encoding.Prediction{{Rows: rows, Pred: tuned}},
	}
	s, err := e.Scores(t.Context())
	require.NoError(t, err)
	d := s.Delta
	assert.Less(t, d.ROIs["front"].P, .01)
	assert.Less(t, d.ROIs["front"].Q, .01)
	assert.Greater(t, d.ROIs["AC"].P, .1)
	assert.GreaterOrEqual(t, d.ROIs["AC"].Q, d.ROIs["AC"].P)
	assert.Less(t, d.P, .01)

	require.NotNil(t, d.AuditoryNonInferiority)
	assert.InDelta(t, .05*s.Base.ROIs["AC"], d.AuditoryNonInferiority.Margin, 1e-12,
		"a twentieth of what the untuned model has")
	assert.True(t, d.AuditoryNonInferiority.NonInferior)
	assert.Equal(t, d.AuditoryNonInferiority, s.DeltaBest.AuditoryNonInferiority, "the best layer is the layer here")
	assert.Nil(t, d.NonInferiority, "nothing is sealed")
	e.Margins = map[string]results.Margin{"AC": {Delta: .01}, "front": {Delta: .02}, "gone": {Delta: 1}}
	sealed, test, err := e.Score(t.Context())
	require.NoError(t, err)
	require.Len(t, sealed.Delta.NonInferiority, 2, "of the regions that there are")
	assert.Equal(t, .01, sealed.Delta.NonInferiority["AC"].Margin)
	assert.Equal(t, .02, sealed.Delta.NonInferiority["front"].Margin)
	assert.True(t, sealed.Delta.NonInferiority["front"].NonInferior)

	e.Voxels, e.Summary = test.Voxels, &results.Summary{}
	dir := t.TempDir()
	require.NoError(t, e.Write(t.Context(), dir))
	pOf, qOf := readNPY(t, filepath.Join(dir, "test/ada/delta_p.npy")),
		readNPY(t, filepath.Join(dir, "test/ada/delta_q.npy"))
	for v := range voxels {
		if v < 3 {
			assert.Less(t, pOf[v], float32(.01), "voxel %d is in front", v)
		} else {
			assert.Greater(t, pOf[v], float32(.1), "both know as much")
		}
		assert.InDelta(t, test.Voxels[0].P[v], pOf[v], 1e-6)
		assert.InDelta(t, test.Voxels[0].Q[v], qOf[v], 1e-6)
	}

	truth := math.Sqrt(.8) // the ceiling of four repeats of signal and noise of the same power
	assert.InDelta(t, truth, s.Ceiling.MeanR, .02)
	for name, system := range map[string]*results.ModelScore{"base": &s.Base, "tuned": s.Tuned} {
		assert.InDelta(t, 100*system.ROIs["front"]/s.Ceiling.ROIs["front"], system.OfCeiling.ROIs["front"], 1e-9, name)
		assert.InDelta(t, 100*system.MeanR/s.Ceiling.MeanR, *system.OfCeiling.MeanR, 1e-9, name)
	}

	text, err := json.Marshal(s)
	require.NoError(t, err)
	var file struct {
		Delta struct {
			P, Q float64
			ROIs map[string]map[string]any
			Loss *stats.NonInferiority `json:"auditory_non_inferiority"`
		}
	}
	require.NoError(t, json.Unmarshal(text, &file))
	assert.Equal(t, d.P, file.Delta.P)
	assert.Equal(t, d.AuditoryNonInferiority, file.Delta.Loss)
	for _, key := range []string{"mean_r", "ci95", "p", "q"} {
		assert.Contains(t, file.Delta.ROIs["AC"], key)
	}

	e.Tuned = nil
	s, err = e.Scores(t.Context())
	require.NoError(t, err)
	assert.Nil(t, s.Delta)
	assert.NotNil(t, s.Base.OfCeiling)
}

func TestScoresNameTheTestStories(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	st := studytest.Tiny(t, study.Options{}, func(*experiment.Experiment, *dataset.Spec) {})
	s, err := evaluate.Evaluate(t.Context(), st, nil, "")
	require.NoError(t, err)
	assert.Equal(t, []string{"test"}, s.Test.Stories)
	assert.NotEmpty(t, s.Test.OneStory())
	assert.Nil(t, s.Test.Base.CI95Stories)
	st = studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Data.Train, e.Data.Val = []string{"one[4:18]"}, []string{"one[28:38]"}
		e.Data.Test = []string{"two", "val", "test"}
	})
	s, err = evaluate.Evaluate(t.Context(), st, nil, "")
	require.NoError(t, err)
	assert.Len(t, s.Test.Stories, 3)
	assert.Empty(t, s.Test.OneStory())
	require.NotNil(t, s.Test.Base.CI95Stories)
	assert.Less(t, s.Test.Base.CI95Stories[0], s.Test.Base.MeanR)
}
