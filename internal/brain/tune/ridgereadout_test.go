package tune_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/predict"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/torch"
)

// A ridge readout predicts what the ridge of the scores does, and no gradient reaches it.
func TestPinnedReadoutIsTheRidge(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment,
		_ *dataset.Spec) {
		e.Readout.Mode = "ridge"
	})
	tr := studytest.TrainerOf(t, st)
	f, err := tr.ReadForEpoch(t.Context())
	require.NoError(t, err)
	require.NoError(t, tr.RefitReadouts(t.Context(), &f[0]))
	x, rows := f[0].Stack(st.Subjects[0], study.Val)
	var got []float32
	require.NoError(t, tr.Session.Infer(t.Context(), func(s *torch.Scope) error {
		got = tr.Readouts[0].Forward(s.FromFloat32(x, rows, f[0].Width)).Float32s()
		return nil
	}))
	want, err := encoding.Predict(t.Context(), st, st.Subjects, f, study.Val)
	require.NoError(t, err)
	require.Len(t, st.Subjects[0].Tuned, 60)
	assert.InDeltaSlice(t, want[0].Pred, got, 1e-4)

	_, grads := studytest.Gradients(tr, t, tune.Block{Story: "one", From: 4, To: 14, Subjects: []int{0}}, 1000, 1, 1)
	require.NotEmpty(t, grads)
	for name, g := range grads {
		assert.True(t, strings.HasPrefix(name, "adapter."), name)
		assert.NotZero(t, studytest.Norm(g), name)
	}
	for name := range tr.Params() {
		assert.NotContains(t, name, "readout.")
	}
}

// It is fitted anew as often as asked, and each epoch's checkpoint has the one of its own features.
func TestPinnedReadoutIsRefreshed(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole training, or a golden of one")
	}
	for every, want := range map[int]int{0: 0, 1: 5, 2: 2, 5: 1, 6: 0} { // six blocks an epoch
		refreshed := 0
		st := studytest.Tiny(t, study.Options{Progress: func(e progress.Event) {
			if e.Phase == progress.Refresh && e.Done == 0 {
				refreshed++
			}
		}}, func(e *experiment.Experiment, _ *dataset.Spec) {
			e.Readout.Mode, e.Readout.RefitSteps = "ridge", every
		})
		run, p := studytest.MustFit(t, st)
		assert.Equal(t, 2*want, refreshed, "every %d steps", every)
		if every != 2 {
			continue
		}
		tuned, err := st.LoadTuned(t.Context(), run)
		require.NoError(t, err)
		defer tuned.Close()
		f, err := encoding.Read(t.Context(), st, st.Reader(tuned.Model), "", st.StoriesOf(study.Train), 2)
		require.NoError(t, err)
		tr := studytest.TrainerOf(t, st)
		require.NoError(t, tr.RefitReadouts(t.Context(), &f[0]))
		fresh := tr.Readouts[0].Blocks[0].Store.Param("linear.weight").Float32s()
		file, err := run.OpenVoxels(p.BestStep, "ada", 0)
		require.NoError(t, err)
		defer file.Close()
		saved, err := file.Float32("linear.weight")
		require.NoError(t, err)
		assert.InDeltaSlice(t, fresh, saved, 1e-4)
	}
}

// A refresh puts readouts and statistics on the features of the same moment.
func TestRefreshFitsReadoutAndStatisticsTogether(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Readout.Mode, e.Readout.RefitSteps = "ridge", 3
	})
	tr := studytest.TrainerOf(t, st) // its adapter is not at its start
	f, err := tr.ReadForEpoch(t.Context())
	require.NoError(t, err)
	for story := range tr.Zscore {
		tr.Zscore[story] = design.ZScore{Mean: []float64{-1}, SD: []float64{-1}}
	}
	tr.Progress.Block = 2
	require.NoError(t, tr.Refresh(t.Context()))
	assert.Equal(t, -1., tr.Zscore["one"].SD[0], "not yet")
	tr.Progress.Block = 3
	require.NoError(t, tr.Refresh(t.Context()))
	for _, story := range []string{"one", "two"} {
		assert.Equal(t, f[0].Zscore[story], tr.Zscore[story], story)
	}
	assert.NotZero(t, studytest.Norm(tr.Readouts[0].Blocks[0].Store.Param("linear.weight").Float32s()))
}

// A ridge is a sound readout before training too.
func TestPinnedRunsPredictFromEpochZero(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	st := studytest.TinyGettingWorse(t, func(e *experiment.Experiment, _ *dataset.Spec) { e.Readout.Mode = "ridge" })
	run, p := studytest.MustFit(t, st)
	require.Zero(t, p.Best)
	predictor, err := predict.Open(t.Context(), run.Dir, predict.Options{Device: torchtest.Device()})
	require.NoError(t, err)
	defer predictor.Close()
	sound, _ := studytest.TinySound(9)
	out, err := predictor.Predict(t.Context(), sound)
	require.NoError(t, err)
	assert.Equal(t, 60, out.Voxels)
	assert.NotZero(t, studytest.Norm(out.Values))
}
