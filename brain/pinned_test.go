package brain

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/torch"
)

// A pinned readout predicts what the ridge of the scores does, and no gradient reaches it.
func TestPinnedReadoutIsTheRidge(t *testing.T) {
	st := tiny(t, Options{}, func(e *experiment.Experiment, _ *dataset.Spec) { e.Readout.Mode = "ridge" })
	tr := trainerOf(t, st)
	f, err := tr.readForEpoch(t.Context())
	require.NoError(t, err)
	require.NoError(t, tr.pin(t.Context(), &f[0]))
	x, rows := f[0].stack(st.people[0], Val)
	var got []float32
	require.NoError(t, tr.session.Infer(t.Context(), func(s *torch.Scope) error {
		got = tr.readouts[0].Forward(s.FromFloat32(x, rows, f[0].width)).Float32s()
		return nil
	}))
	want, err := st.predict(t.Context(), st.people, f, Val)
	require.NoError(t, err)
	require.Len(t, st.people[0].tuned, 60)
	assert.InDeltaSlice(t, want[0].pred, got, 1e-4)

	_, grads := tr.gradients(t, block{"one", 4, 14, []int{0}}, 1000, 1)
	require.NotEmpty(t, grads)
	for name, g := range grads {
		assert.True(t, strings.HasPrefix(name, "adapter."), name)
		assert.NotZero(t, norm(g), name)
	}
	for name := range tr.adam.Params() {
		assert.NotContains(t, name, "readout.")
	}
}

// It is fitted anew as often as asked, and each epoch's checkpoint has the one of its own features.
func TestPinnedReadoutIsRefreshed(t *testing.T) {
	for every, want := range map[int]int{0: 0, 1: 5, 2: 2, 5: 1, 6: 0} { // six blocks an epoch
		refreshed := 0
		st := tiny(t, Options{Progress: func(e Event) {
			if e.Phase == "refresh" && e.Done == 0 {
				refreshed++
			}
		}}, func(e *experiment.Experiment, _ *dataset.Spec) {
			e.Readout.Mode, e.Readout.RefitSteps = "ridge", every
		})
		run, p := fit(t, st)
		assert.Equal(t, 2*want, refreshed, "every %d steps", every)
		if every != 2 {
			continue
		}
		tuned, err := st.LoadTuned(t.Context(), run)
		require.NoError(t, err)
		defer tuned.Close()
		f, err := st.read(t.Context(), st.reader(tuned.Model), "", st.storiesOf(Train), 2)
		require.NoError(t, err)
		tr := trainerOf(t, st)
		require.NoError(t, tr.pin(t.Context(), &f[0]))
		fresh := tr.readouts[0].store.Param("linear.weight").Float32s()
		_, file, err := run.open(p.BestStep)
		require.NoError(t, err)
		defer file.Close()
		saved, err := file.Float32("weights.readout.ada.linear.weight")
		require.NoError(t, err)
		assert.InDeltaSlice(t, fresh, saved, 1e-4)
	}
}

// A refresh puts readouts and statistics on the features of the same moment.
func TestRefreshFitsReadoutAndStatisticsTogether(t *testing.T) {
	st := tiny(t, Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Readout.Mode, e.Readout.RefitSteps = "ridge", 3
	})
	tr := trainerOf(t, st) // its adapter is not at its start
	f, err := tr.readForEpoch(t.Context())
	require.NoError(t, err)
	for story := range tr.zscore {
		tr.zscore[story] = design.ZScore{Mean: []float64{-1}, SD: []float64{-1}}
	}
	tr.progress.Block = 2
	require.NoError(t, tr.refresh(t.Context()))
	assert.Equal(t, -1., tr.zscore["one"].SD[0], "not yet")
	tr.progress.Block = 3
	require.NoError(t, tr.refresh(t.Context()))
	for _, story := range []string{"one", "two"} {
		assert.Equal(t, f[0].zscore[story], tr.zscore[story], story)
	}
	assert.NotZero(t, norm(tr.readouts[0].store.Param("linear.weight").Float32s()))
}

// A ridge is a sound readout before training too.
func TestPinnedRunsPredictFromEpochZero(t *testing.T) {
	st := tinyGettingWorse(t, func(e *experiment.Experiment, _ *dataset.Spec) { e.Readout.Mode = "ridge" })
	run, p := fit(t, st)
	require.Zero(t, p.Best)
	predictor, err := OpenPredictor(t.Context(), run.Dir, PredictorOptions{Device: torchtest.Device()})
	require.NoError(t, err)
	defer predictor.Close()
	sound, _ := tinySound(9)
	out, err := predictor.Predict(t.Context(), sound)
	require.NoError(t, err)
	assert.Equal(t, 60, out.Voxels)
	assert.NotZero(t, norm(out.Values))
}
