package brain

import (
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/ckpt"
	"github.com/brainwavlm/bwlm/fault"
)

func TestTransfer(t *testing.T) {
	st := tiny(t, Options{}, func(e *experiment.Experiment, _ *dataset.Spec) { e.Train.Loss = "spatial" })
	run, err := st.Begin(t.Context())
	require.NoError(t, err)
	defer run.Close()
	ctx, watch := stopAt(t.Context(), "tune", 3)
	st.OnProgress(watch)
	_, err = st.Fit(ctx, run)
	require.ErrorIs(t, err, errStop)
	_, err = st.Transfer(t.Context(), run, "bob")
	require.ErrorContains(t, err, "not finished")
	st.OnProgress(func(Event) {})
	p, err := st.Fit(t.Context(), run)
	require.NoError(t, err)

	s, err := st.Transfer(t.Context(), run, "cleo") // with too few voxels for the loss of the tuning, which is not hers
	require.NoError(t, err)
	assert.Equal(t, []string{"cleo"}, s.Test.Subjects)
	assert.Equal(t, p.Epochs[p.Best].Epoch, s.Chosen)
	assert.Greater(t, s.Test.Base.MeanR, .2)
	require.NotNil(t, s.Test.Tuned)
	assert.InDelta(t, s.Test.Tuned.MeanR-s.Test.Base.MeanR, s.Test.Delta.MeanR, 1e-9)

	// The same numbers as a study of hers with that adapter gives.
	exp := *st.Experiment
	exp.Data.Subjects, exp.Train.Loss = []string{"cleo"}, "auto"
	hers, err := st.Vary(t.Context(), &exp)
	require.NoError(t, err)
	tuned, err := hers.LoadAdapter(t.Context(), run.file("adapter"))
	require.NoError(t, err)
	defer tuned.Close()
	want, err := hers.Evaluate(t.Context(), tuned, "")
	require.NoError(t, err)
	assert.Equal(t, want.Test, s.Test)

	r, err := ckpt.ReadNPY(run.file("transfer/cleo/test/cleo/tuned_r.npy"))
	require.NoError(t, err)
	assert.Equal(t, []int{8}, r.Shape)
	assert.FileExists(t, run.file("transfer/cleo/summary.json"))

	s, err = st.Transfer(t.Context(), run, "ada", "bob")
	require.NoError(t, err)
	assert.Contains(t, s.Notes, "ada is a source of the run: its scores are no transfer")

	for _, c := range []struct {
		target, want string
	}{{"both", "is made from people"}, {"dan", "dan"}} {
		_, err = st.Transfer(t.Context(), run, c.target)
		require.ErrorContains(t, err, c.want)
		assert.Equal(t, fault.Usage, fault.KindOf(err))
	}
}

func TestTransferOfWhatCannotBe(t *testing.T) {
	st := tiny(t, Options{}, func(e *experiment.Experiment, _ *dataset.Spec) { e.Data.Subjects = []string{"both"} })
	run, _ := fit(t, st)
	_, err := st.Transfer(t.Context(), run, "bob")
	require.ErrorContains(t, err, "both: is made from people")

	st = tiny(t, Options{}, func(e *experiment.Experiment, _ *dataset.Spec) { e.Train.Mode = "readout" })
	run, _ = fit(t, st)
	_, err = st.Transfer(t.Context(), run, "bob")
	require.ErrorContains(t, err, "readouts only")
}

// Each study by itself is sound, but the target is tested on a piece of what the source was tuned on.
func TestTransferAuditsTheTuning(t *testing.T) {
	st := tiny(t, Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
		one := s.Stories[0]
		one.Name, one.SameAs = "piece", &dataset.SameAs{Story: "one", Row: 0}
		s.Stories = append(s.Stories, one)
		bob := &s.Subjects[1]
		piece := bob.Responses[0]
		piece.Story = "piece"
		bob.Responses = append(slices.Clone(bob.Responses[1:]), piece)
		e.Data.Test = []string{"test", "piece"}
	})
	run, _ := fit(t, st)
	_, err := st.Transfer(t.Context(), run, "bob")
	require.ErrorContains(t, err, "piece")
	assert.Equal(t, fault.BadData, fault.KindOf(err))
	_, err = os.Stat(run.file("transfer"))
	assert.ErrorIs(t, err, os.ErrNotExist)
	_, err = st.Transfer(t.Context(), run, "cleo")
	assert.NoError(t, err, "who has not heard it")
}
