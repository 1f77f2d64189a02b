package controls

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/internal/sim"
	"github.com/brainwavlm/bwlm/npy"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/wavlm"
)

// simulated is a small simulated study of the listener, who has two tuning stories, one for
// validation and two for tests.
func simulated(t *testing.T) *runner {
	t.Helper()
	s, err := sim.New(sim.Options{Seed: 3, TuneStories: 2, ValStories: 1, TestStories: 2, ProbeStories: 1,
		Rows: 24, Voxels: 20, TestRepeats: 1})
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "model")
	require.NoError(t, sim.WriteNano(dir))
	model, err := wavlm.Load(t.Context(), dir, speech.Options{})
	require.NoError(t, err)
	t.Cleanup(model.Close)
	e := experiment.Default()
	e.Model = experiment.Model{Path: dir, Layer: 3, WindowSeconds: sim.TR, StrideSeconds: sim.TR, Pooling: "mean",
		Normalise: "story", Downsample: "average"}
	e.Data.Path, e.Data.Subjects, e.Data.Trim = "simulated", []string{sim.Listener}, [2]int{1, 1}
	e.Data.Train, e.Data.Val, e.Data.Test = s.TuneStories, s.ValStories, s.TestStories
	e.Eval.ChunkRows, e.Eval.Boots, e.Device, e.Out = 12, 2, "cpu", filepath.Join(t.TempDir(), "run")
	st, err := study.New(t.Context(), e, s.Dataset, model, study.Options{})
	require.NoError(t, err)
	t.Cleanup(st.Close)
	return &runner{study: st, run: &rundir.Run{Dir: e.Out}}
}

// TestControlsChangeTuningResponsesOnly looks at what each control is tuned on.
func TestControlsChangeTuningResponsesOnly(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	c := simulated(t)
	was, err := c.study.ReadResponses(t.Context(), sim.Listener)
	require.NoError(t, err)
	for _, name := range []string{"shuffled", "phase_randomised", "wrong_story"} {
		exp := *c.study.Experiment
		exp.Out = c.dir(name)
		spec, err := c.tuningData(t.Context(), name, &exp)
		require.NoError(t, err)
		require.Len(t, spec.Subjects, 1)
		assert.Equal(t, []string{sim.Listener}, exp.Data.Subjects)
		for _, r := range spec.Subjects[0].Responses {
			m, err := r.Matrix.Load(t.Context())
			require.NoError(t, err)
			before := was[r.Story]
			// trimmed by a row on each side
			inner := func(x []float32) []float32 { return x[before.Voxels : 23*before.Voxels] }
			if r.Story[:4] == "test" {
				assert.Equal(t, before.Data, m.Data, "%s: test rows stay", name)
				continue
			}
			assert.NotEqual(t, inner(before.Data), inner(m.Data), "%s: %s", name, r.Story)
			if name == "shuffled" {
				assert.Equal(t, slices.Sorted(slices.Values(inner(before.Data))),
					slices.Sorted(slices.Values(inner(m.Data))))
			}
			if name == "wrong_story" {
				next := map[string]string{"tune-01": "tune-02", "tune-02": "val-01", "val-01": "tune-01"}[r.Story]
				assert.Equal(t, inner(was[next].Data), inner(m.Data))
			}
		}
		now, err := c.study.ReadResponses(t.Context(), sim.Listener)
		require.NoError(t, err)
		assert.Equal(t, was, now, "the study's own responses are as they were")
	}

	// Features of the stimulus: one row late, for a readout whose only delay is one row.
	exp := *c.study.Experiment
	exp.Out = c.dir("stimulus")
	spec, err := c.tuningData(t.Context(), "stimulus", &exp)
	require.NoError(t, err)
	m, err := spec.Subjects[0].Responses[0].Matrix.Load(t.Context())
	require.NoError(t, err)
	x, width, err := sound(t.Context(), c.study.Data, "tune-01", m.Rows)
	require.NoError(t, err)
	assert.Equal(t, 9, width)
	assert.Equal(t, x[:len(x)-width], m.Data[width:])
	assert.Equal(t, []float64{sim.TR}, exp.Readout.DelaysSeconds)
}

func TestOthersHeardTheSame(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	c := simulated(t)
	assert.Equal(t, []string{sim.Related}, c.others(), "as many as there are in the experiment")
	why, err := c.why("other_subject")
	require.NoError(t, err)
	assert.Empty(t, why)
	why, err = c.why("motion")
	require.NoError(t, err)
	assert.Equal(t, "the data set has no motion of listener in story tune-01", why)
}

// TestSoundOfARow: loudness and bands are means over the row's own TR.
func TestSoundOfARow(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	c := simulated(t)
	x, width, err := sound(t.Context(), c.study.Data, "tune-01", 24)
	require.NoError(t, err)
	require.Len(t, x, 24*width)
	regress := func(rows int) []float32 { y, _, _ := smooth(rows); return y }
	assert.Len(t, regress(24), 24*cosines)
	y, width, err := wordRatePosition(t.Context(), c.study.Data, "tune-01", 24)
	require.NoError(t, err)
	words, err := c.study.Data.Words(t.Context(), "tune-01")
	require.NoError(t, err)
	total := float32(0)
	for k := range 24 {
		total += y[k*width]
	}
	assert.EqualValues(t, len(words), total, "each word counts once")
}

// Where responses follow the head at once, motion predicts them; and it knows nothing of other
// voxels.
func TestMotionIsSeenAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	c := simulated(t)
	spec := c.study.Data.Spec()
	random := rand.New(rand.NewPCG(7, 0))
	p := &spec.Subjects[0]
	for i, r := range p.Responses {
		m, err := r.Matrix.Load(t.Context())
		require.NoError(t, err)
		moves, changed := dataset.NewMatrix(m.Rows, 2, make([]float32, 2*m.Rows)),
			dataset.NewMatrix(m.Rows, m.Voxels, slices.Clone(m.Data))
		for k := range moves.Data {
			moves.Data[k] = float32(random.NormFloat64())
		}
		for k := range m.Rows {
			changed.Row(0, k)[0] = moves.Row(0, k)[1]
			if k > 0 {
				changed.Row(0, k)[1] = moves.Row(0, k)[0] - moves.Row(0, k-1)[0]
			}
		}
		p.Responses[i].Matrix = dataset.Value(changed)
		p.Motion = append(p.Motion, dataset.Response{Story: r.Story, Matrix: dataset.Value(moves)})
	}
	data, err := dataset.New(spec)
	require.NoError(t, err)
	c.study, err = c.study.VaryData(t.Context(), c.study.Experiment, data)
	require.NoError(t, err)
	why, err := c.why("motion")
	require.NoError(t, err)
	require.Empty(t, why)
	c.baseline, err = evaluate.NewBaseline(t.Context(), c.study)
	require.NoError(t, err)
	e, err := c.evaluate(t.Context(), "motion")
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, e.Write(t.Context(), dir))
	a, err := npy.Read(filepath.Join(dir, "test", sim.Listener, "tuned_r.npy"))
	require.NoError(t, err)
	r, err := a.Float64()
	require.NoError(t, err)
	assert.Greater(t, r[0], .8)
	assert.Greater(t, r[1], .8)
	assert.Less(t, slices.Max(r[2:]), .6)
}

// An ROI of subjects who are not in the study is no part of what a control is tuned on.
func TestROIsOfOtherSubjects(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	c := simulated(t)
	spec := c.study.Data.Spec()
	spec.ROIs = append(spec.ROIs, dataset.ROI{Name: "theirs", BySubject: []dataset.SubjectRegion{
		{Subject: sim.Related, Region: dataset.Value(dataset.Region{Columns: []int{1}})}}})
	var err error
	c.study.Data, err = dataset.New(spec)
	require.NoError(t, err)
	exp := *c.study.Experiment
	made, err := c.tuningData(t.Context(), "shuffled", &exp)
	require.NoError(t, err)
	_, err = dataset.New(made)
	require.NoError(t, err)
	assert.Len(t, made.ROIs, len(spec.ROIs)-1)
}
