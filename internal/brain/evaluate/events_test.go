package evaluate_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/sim"
	"github.com/brainwavlm/bwlm/npy"
	"github.com/brainwavlm/bwlm/speech"
)

// clips opens a simulated study of clips with the nano model.
func clips(t *testing.T, opt sim.EventOptions, change func(*experiment.Experiment)) *study.Study {
	t.Helper()
	return clipsWith(t, opt, func(e *experiment.Experiment, _ *dataset.Spec) {
		if change != nil {
			change(e)
		}
	})
}

// clipsWith is clips with a change of the data set, too.
func clipsWith(t *testing.T, opt sim.EventOptions, change func(*experiment.Experiment, *dataset.Spec)) *study.Study {
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
	change(e, &s.Spec)
	data, err := dataset.New(s.Spec)
	require.NoError(t, err)
	require.NoError(t, e.Validate())
	model, err := study.OpenModel(t.Context(), e, true)
	require.NoError(t, err)
	st, err := study.New(t.Context(), e, data, model, study.Options{})
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

// The scores of a study of clips are those of a computation by hand: the mean of the frames of each clip alone,
// standardised by the training clips, a ridge in closed form, and r over the test clips.
func TestScoresOfClipsByHand(t *testing.T) {
	const alpha = 30.
	opt := sim.EventOptions{Seed: 3, TuneClips: 48, TestClips: 12, Channels: 10}
	st := clips(t, opt, func(e *experiment.Experiment) { e.Eval.Alphas = []float64{alpha} })
	dir := filepath.Join(st.Experiment.Out, "eval")
	_, err := evaluate.Evaluate(t.Context(), st, nil, dir)
	require.NoError(t, err)
	got := readVoxels(t, filepath.Join(dir, "test", sim.Listener, "base_r.npy"))

	s, err := sim.NewEvents(opt)
	require.NoError(t, err)
	m, err := s.Spec.Subjects[0].Responses[0].Matrix.Load(t.Context())
	require.NoError(t, err)
	var x, y [2][][]float64 // of training and test clips
	for k, e := range s.Spec.Events {
		split, used := map[string]int{"train": 0, "test": 1}[e.Labels["split"]]
		if !used {
			continue
		}
		sound, err := e.Audio.Load(t.Context())
		require.NoError(t, err)
		h, err := st.Model.HiddenStates(t.Context(), speech.Normalise(sound), 3)
		require.NoError(t, err)
		features, response := make([]float64, h[0].Cols), make([]float64, m.Voxels)
		for i, v := range h[0].Data {
			features[i%h[0].Cols] += float64(v) / float64(h[0].Rows)
		}
		for repeat := range m.Repeats {
			for v, value := range m.Row(repeat, k) {
				response[v] += float64(value) / float64(m.Repeats)
			}
		}
		x[split], y[split] = append(x[split], features), append(y[split], response)
	}
	n, width := len(x[0]), len(x[0][0])
	for c := range width {
		mean, square := 0., 0.
		for _, row := range x[0] {
			mean += row[c] / float64(n)
		}
		for _, row := range x[0] {
			square += (row[c] - mean) * (row[c] - mean) / float64(n)
		}
		for _, rows := range x {
			for _, row := range rows {
				row[c] = (row[c] - mean) / math.Sqrt(square)
			}
		}
	}
	gram := mat.NewSymDense(n, nil) // X Xᵀ + alpha² I
	for i := range n {
		for j := i; j < n; j++ {
			gram.SetSym(i, j, floats.Dot(x[0][i], x[0][j]))
		}
		gram.SetSym(i, i, gram.At(i, i)+alpha*alpha)
	}
	var cholesky mat.Cholesky
	require.True(t, cholesky.Factorize(gram))
	for v := range m.Voxels {
		centred, mean := mat.NewVecDense(n, nil), 0.
		for _, row := range y[0] {
			mean += row[v] / float64(n)
		}
		for i, row := range y[0] {
			centred.SetVec(i, row[v]-mean)
		}
		var dual mat.VecDense
		require.NoError(t, cholesky.SolveVecTo(&dual, centred))
		var predicted, measured []float64
		for i, row := range x[1] {
			sum := 0.
			for j := range n {
				sum += dual.AtVec(j) * floats.Dot(row, x[0][j])
			}
			predicted, measured = append(predicted, sum), append(measured, y[1][i][v])
		}
		assert.InDelta(t, stat.Correlation(predicted, measured, nil), got[v], 1e-4, "channel %d", v)
	}
}

// A locked plan knows which clips are in the splits: rows have the same numbers whichever they are.
func TestALockedPlanNamesTheClips(t *testing.T) {
	opt := sim.EventOptions{Seed: 3, TuneClips: 24, TestClips: 12, Channels: 10}
	st := clips(t, opt, nil)
	_, err := evaluate.LockAnalysis(t.Context(), st, results.Endpoints{Sides: 2})
	require.NoError(t, err)
	s, err := evaluate.Evaluate(t.Context(), st, nil, "")
	require.NoError(t, err)
	assert.Equal(t, 1, s.AnalysisPlan.TestReads)
	exchanged := clips(t, opt, func(e *experiment.Experiment) {
		e.Out = st.Experiment.Out
		e.Data.Train = []string{"clip-00*", "clip-020"}
		for k := 11; k < 20; k++ {
			e.Data.Train = append(e.Data.Train, fmt.Sprintf("clip-%03d", k))
		}
		e.Data.Val = []string{"clip-010", "clip-021", "clip-022", "clip-023"}
	})
	require.Equal(t, [2]int{20, 4}, [2]int{exchanged.Subjects[0].RowsOf(study.Train),
		exchanged.Subjects[0].RowsOf(study.Val)})
	_, err = evaluate.Evaluate(t.Context(), exchanged, nil, "")
	require.ErrorContains(t, err, "[splits of listener] changed since the analysis was locked")
}

func readVoxels(t *testing.T, path string) []float32 {
	t.Helper()
	f, err := npy.Stat(path)
	require.NoError(t, err)
	r, err := f.Open()
	require.NoError(t, err)
	defer r.Close()
	out := make([]float32, f.Shape[0])
	require.NoError(t, r.Float32(0, out))
	return out
}
