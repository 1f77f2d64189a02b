package evaluate_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
)

func TestEpochZeroIsTheUntunedModel(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	for _, mode := range []experiment.TrainMode{experiment.TrainLoRA, experiment.TrainFull} {
		t.Run(string(mode), func(t *testing.T) {
			st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
				e.Train.Mode, e.Train.Epochs, e.Train.LR = mode, 1, 30 // which destroys the model
			})
			run, p := studytest.MustFit(t, st)
			require.Zero(t, p.Epochs[p.Best].Epoch)
			s, err := evaluate.EvaluateRun(t.Context(), st, run)
			require.NoError(t, err)
			assert.Equal(t, s.Test.Base, *s.Test.Tuned)
			zero := func(d float64, x results.Significance) {
				assert.Zero(t, d)
				assert.False(t, math.Signbit(d), "no -0.000")
				assert.Equal(t, results.Significance{P: 1, Q: 1}, x)
			}
			zero(s.Test.Delta.MeanR, s.Test.Delta.Significance)
			for _, d := range s.Test.Delta.ROIs {
				zero(d.MeanR, d.Significance)
			}
			for v, d := range readNPY(t, run.File("eval/test/ada/delta_r.npy")) {
				zero(float64(d), results.Significance{P: float64(readNPY(t, run.File("eval/test/ada/delta_p.npy"))[v]),
					Q: float64(readNPY(t, run.File("eval/test/ada/delta_q.npy"))[v])})
			}
		})
	}
}

func TestResolutionOfPredictionsIsMeasured(t *testing.T) {
	const least = 4.0 / (1 << 23)
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Data.Subjects = []string{"ada", "cleo"}
	})
	b, err := evaluate.NewBaseline(t.Context(), st)
	require.NoError(t, err)
	require.Len(t, b.Resolution, 2)
	for _, r := range b.Resolution {
		assert.GreaterOrEqual(t, r, least)
		assert.Less(t, r, 1e-3, "rounding, and not a difference of the windows that are read")
	}
	same := st.Reader(st.Model)
	other := st.OtherUnits()
	assert.NotEqual(t, same.Unit, other.Unit)
	assert.Less(t, other.Shared, st.Model.Architecture().Layers, "what a tuned run computes itself is computed again")
}

// An adapter that rounding could have made is no result.
func TestAnAdapterThatHardlyMovedIsNotSignificant(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Train.Epochs, e.Train.LR = 1, 1e-12
	})
	run, _ := studytest.MustFit(t, st)
	tuned, err := st.LoadAdapter(t.Context(), run.File("adapter"))
	require.NoError(t, err)
	defer tuned.Close()
	b, err := evaluate.NewBaseline(t.Context(), st)
	require.NoError(t, err)
	e, err := b.Compare(t.Context(), tuned)
	require.NoError(t, err)
	d := e.Summary.Test.Delta
	assert.Equal(t, results.Significance{P: 1, Q: 1}, d.Significance)
	assert.NotEmpty(t, d.Unmoved())
	assert.Equal(t, d.Voxels.Scored, d.Voxels.Unresolved)
	assert.Contains(t, d.Unmoved(), "Raise train.lr")
	dir := t.TempDir()
	require.NoError(t, e.Write(t.Context(), dir+"/eval"))
	layout, err := results.ReadLayout(dir)
	require.NoError(t, err)
	assert.Equal(t, b.Resolution[0], layout.Subjects[0].Resolution, "bwlm compare needs it")
}
