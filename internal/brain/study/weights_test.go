package study_test

import (
	"context"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/testnum"
	"github.com/brainwavlm/bwlm/npy"
)

func TestBalancedRegionsWeighTheSame(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
		e.Data.ROIBalance, e.Train.Loss = []string{"front", "rest"}, "mse"
		studytest.WithRegion(s, "rest", studytest.FromTo(3, 55)...) // voxel 3 is in both, 55 to 59 are in none
	})
	p := st.Subjects[0]
	assert.Equal(t, studytest.FromTo(0, 55), p.Tuned)
	sum := map[string]float64{}
	for i, c := range p.Tuned {
		if c < 3 {
			sum["front"] += float64(p.Weights[i])
		}
		if c > 3 {
			sum["rest"] += float64(p.Weights[i])
		}
	}
	const unit = 55. / 2 // each region's share of 55 voxels with mean weight 1
	assert.InDelta(t, unit*3/4, sum["front"], 1e-4)
	assert.InDelta(t, unit*51/52, sum["rest"], 1e-4)
	assert.InDelta(t, unit/4+unit/52, p.Weights[3], 1e-4, "both count it")

	r, constant := testnum.Values(len(p.Tuned), 1), make([]bool, len(p.Tuned))
	r64, want := make([]float64, len(r)), 0.
	for i := range r {
		r64[i] = float64(r[i])
		want += r64[i] * float64(p.Weights[i]) / 55
	}
	assert.InDelta(t, want, p.TunedMean(r64, constant), 1e-6, "validation counts them as the loss does")
	_, progress := studytest.MustFit(t, st)
	assert.Less(t, *progress.Epochs[2].Loss, *progress.Epochs[1].Loss)
}

// repeated lets ada hear a story several times.
func repeated(spec *dataset.Spec, story string, n int) {
	for i, r := range spec.Subjects[0].Responses {
		if r.Story != story {
			continue
		}
		m := &dataset.Matrix{Repeats: n, Rows: studytest.TinyRows, Voxels: 60}
		one, err := r.Matrix.Load(context.Background())
		if err != nil {
			panic(err)
		}
		for k := range n {
			for j, noise := range testnum.Values(studytest.TinyRows*60, uint64(100+k)) {
				m.Data = append(m.Data, one.Data[j]+noise*float32(j%60)/40) // the last voxels are the least reliable
			}
		}
		spec.Subjects[0].Responses[i].Matrix = dataset.Value(m)
	}
}

func TestReliableVoxelsWeighMore(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	for _, split := range []string{"train", "val", "test"} {
		st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
			e.Train.Reliability = split
			e.Data.UseTestRepeats = true
			repeated(s, map[string]string{"train": "two", "val": "val", "test": "test"}[split], 3)
		})
		p := st.Subjects[0]
		r := p.Parts[map[string]study.Split{"train": study.Train, "val": study.Val, "test": study.Test}[split]]
		last := r[len(r)-1] // story two of one and two; one was heard once
		var x []float32
		for k := range 3 {
			repeat := make([]float32, last.Len()*60)
			require.NoError(t, p.Responses.Select(last).ReadRepeat(t.Context(), k, 0, last.Len(), repeat))
			x = append(x, repeat...)
		}
		c := stats.Ceiling(x, 3, last.To-last.From, 60)
		total := 0.
		for _, cc := range c.CCMax {
			total += cc * cc / 60
		}
		for v, cc := range c.CCMax {
			assert.InDelta(t, cc*cc/total, p.Weights[v], 1e-5)
		}
		assert.Greater(t, mean32(p.Weights[:20]), 1.5*mean32(p.Weights[40:]))
		assert.Equal(t, split == "test", slices.Contains(st.Notes, results.TestRepeatsShared), split)
	}
	_, err := studytest.TryTiny(t, study.Options{}, func(e *experiment.Experiment,
		_ *dataset.Spec) {
		e.Train.Reliability = "val"
	})
	require.ErrorContains(t, err,
		"data.val has no rows with an equal number of repeats; name another split, or give a file: train.weights")
	assert.Equal(t, fault.BadData, fault.KindOf(err))
}

func mean32(x []float32) (sum float32) {
	for _, v := range x {
		sum += v / float32(len(x))
	}
	return sum
}

func TestWeightsFromAFile(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	dir := t.TempDir()
	write := func(name string, x []float32) {
		require.NoError(t, npy.Write(filepath.Join(dir, name), []int{len(x)}, x))
	}
	half := make([]float32, 60)
	for v := 30; v < 60; v++ {
		half[v] = 5
	}
	write("w-ada.npy", half)
	with := func(pattern string) func(*experiment.Experiment, *dataset.Spec) {
		return func(e *experiment.Experiment, _ *dataset.Spec) {
			e.Train.Weights, e.Readout.Bottleneck = filepath.Join(dir, pattern), 0
		}
	}
	st := studytest.Tiny(t, study.Options{}, with("w-{subject}.npy"))
	assert.Equal(t, float32(0), st.Subjects[0].Weights[29])
	assert.Equal(t, float32(2), st.Subjects[0].Weights[30])
	tr := studytest.TrainerOf(t, st)
	_, grads := studytest.Gradients(tr, t, tune.Block{Story: "one", From: 4, To: 14, Subjects: []int{0}}, 1000, 1, 1)
	width := 16 * 2
	g := grads["readout.ada.linear.weight"]
	assert.Zero(t, studytest.Norm(g[:30*width]), "voxels without weight pull at nothing")
	assert.NotZero(t, studytest.Norm(g[30*width:]))
	m, err := st.Manifest(t.Context())
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(dir, "w-ada.npy"), m.Inputs[len(m.Inputs)-3].Path, "a run knows its weights")

	half[7] = -1
	write("negative.npy", half)
	half[7] = float32(math.NaN())
	write("nan.npy", half)
	write("short.npy", half[:59])
	write("zero.npy", make([]float32, 60))
	for file, want := range map[string]string{"negative.npy": "negative.npy:7: -1 is no weight",
		"nan.npy":   "nan.npy:7: NaN is no weight",
		"short.npy": "59 numbers, ada has 60 voxels", "zero.npy": "all weights are 0", "none.npy": "none.npy"} {
		_, err := studytest.TryTiny(t, study.Options{}, with(file))
		require.ErrorContains(t, err, want)
	}
}

func TestHemispheresAreIntersections(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	change := func(roi string) func(*experiment.Experiment, *dataset.Spec) {
		return func(e *experiment.Experiment, s *dataset.Spec) {
			e.Data.ROI, e.Train.Loss = []string{roi}, "temporal"
			studytest.WithRegion(s, "left", 0, 2, 4, 6)
			studytest.WithRegion(s, "right", 51, 52)
		}
	}
	st := studytest.Tiny(t, study.Options{}, change("front&left"))
	assert.Equal(t, []int{0, 2}, st.Subjects[0].Tuned)
	s, err := evaluate.Evaluate(t.Context(), st, nil, "")
	require.NoError(t, err)
	assert.Contains(t, s.Test.Base.ROIs, "front&left", "and it is scored")
	_, err = studytest.TryTiny(t, study.Options{}, change("front & right"))
	require.ErrorContains(t, err, "its parts have no voxel of ada in common")
	_, err = studytest.TryTiny(t, study.Options{}, change("front&lift"))
	require.ErrorContains(t, err, "left")
}
