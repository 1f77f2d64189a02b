package evaluate_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/roikeys"
	"github.com/brainwavlm/bwlm/internal/testnum"
	"github.com/brainwavlm/bwlm/npy"
)

func readNPY(t *testing.T, path string) []float32 {
	t.Helper()
	a, err := npy.Read(path)
	require.NoError(t, err)
	x, err := a.Float32()
	require.NoError(t, err)
	return x
}

// Whatever the summary says can be computed anew from the files beside it.
func TestSummaryFollowsFromItsFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment,
		_ *dataset.Spec) {
		e.Data.Subjects = []string{"ada", "bob"}
	})
	run, _ := studytest.MustFit(t, st)
	s, err := evaluate.EvaluateRun(t.Context(), st, run)
	require.NoError(t, err)

	data, err := os.ReadFile(run.File("eval/summary.json"))
	require.NoError(t, err)
	var file struct {
		Schema int
		Test   struct {
			Base, Tuned struct {
				Mean_R float64
				ROIs   map[string]float64
			}
			BaseBestLayer struct {
				Mean_R float64
				Layer  int
			} `json:"base_best_layer"`
			Delta struct {
				Mean_R float64
				CI95   *[2]float64
				ROIs   map[string]struct {
					Mean_R float64
					CI95   *[2]float64
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal(data, &file))
	assert.Equal(t, results.RunSchema, file.Schema)
	assert.Equal(t, s.Test.Delta.MeanR, file.Test.Delta.Mean_R)
	assert.Nil(t, file.Test.Delta.CI95, "34 rows are too few blocks")
	assert.NotEmpty(t, s.Test.Delta.Reason)

	means := map[string]float64{}
	for _, name := range []string{"ada", "bob"} {
		dir := filepath.Join(run.File("eval/test"), name)
		want := readNPY(t, filepath.Join(dir, "responses.npy"))
		voxels := len(want) / 34
		var base, tuned []float32
		for _, system := range []string{"base", "base_best_layer", "tuned"} {
			pred, r := readNPY(t, filepath.Join(dir, system+"_pred.npy")),
				readNPY(t, filepath.Join(dir, system+"_r.npy"))
			require.Len(t, r, voxels)
			p, w := testnum.Lines(pred, 34, voxels, 0), testnum.Lines(want, 34, voxels, 0)
			for v := range r {
				assert.InDelta(t, testnum.Pearson(p[v], w[v]), r[v], 1e-5)
				means[system] += float64(r[v]) / float64(voxels) / 2
				if v < 4 && system != "base_best_layer" {
					means[system+" front"] += float64(r[v]) / 4 / 2
				}
			}
			switch system {
			case "base":
				base = r
			case "tuned":
				tuned = r
			}
		}
		for v, d := range readNPY(t, filepath.Join(dir, "delta_r.npy")) {
			assert.InDelta(t, tuned[v]-base[v], d, 1e-6)
		}
	}
	assert.InDelta(t, means["base"], file.Test.Base.Mean_R, 1e-5)
	assert.InDelta(t, means["tuned"], file.Test.Tuned.Mean_R, 1e-5)
	assert.InDelta(t, means["base_best_layer"], file.Test.BaseBestLayer.Mean_R, 1e-5)
	assert.InDelta(t, means["base front"], file.Test.Base.ROIs["front"], 1e-5)
	assert.InDelta(t, means["tuned front"]-means["base front"], file.Test.Delta.ROIs["front"].Mean_R, 1e-5)
	assert.InDelta(t, means["tuned"], file.Test.Tuned.ROIs[roikeys.Tuned], 1e-5, "all voxels were tuned")
}

// Subjects with equal rows are fitted together; each must get what he gets alone.
func TestSubjectsDoNotAffectEachOther(t *testing.T) {
	together := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Data.Subjects, e.Train.Loss = []string{"all"}, "mse"
	})
	assert.Equal(t, [][]int{{0, 1}, {2}}, study.SameRows(together.Subjects), "cleo has not heard story two")
	all, err := evaluate.Evaluate(t.Context(), together, nil, "")
	require.NoError(t, err)
	mean := 0.
	for _, name := range []string{"ada", "bob", "cleo"} {
		exp := *together.Experiment
		exp.Data.Subjects = []string{name}
		alone, err := together.Vary(t.Context(), &exp)
		require.NoError(t, err)
		s, err := evaluate.Evaluate(t.Context(), alone, nil, "")
		require.NoError(t, err)
		mean += s.Test.Base.MeanR / 3
	}
	assert.InDelta(t, mean, all.Test.Base.MeanR, 1e-4, "the mean over subjects, each of whom counts alike")
}

// Two test stories in other units must not pass for signal that repeats share.
func TestCeilingKnowsNoUnits(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	ceiling := func(offset float32) *results.ModelScore {
		st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
			e.Data.Train, e.Data.Val, e.Data.Test = []string{"one"}, []string{"val"}, []string{"two", "test"}
			for _, i := range []int{1, 3} {
				m, err := s.Subjects[0].Responses[i].Matrix.Load(t.Context())
				require.NoError(t, err)
				repeated := *m
				repeated.Repeats, repeated.Data = 3, nil
				for k := range uint64(3) {
					noise := testnum.Values(len(m.Data), 10*k+uint64(i))
					for j, v := range m.Data {
						x := v + noise[j]
						if i == 3 {
							x = offset + 3*x
						}
						repeated.Data = append(repeated.Data, x)
					}
				}
				s.Subjects[0].Responses[i].Matrix = dataset.Value(&repeated)
			}
		})
		summary, err := evaluate.Evaluate(t.Context(), st, nil, "")
		require.NoError(t, err)
		e := &evaluate.Evaluation{Baseline: &evaluate.Baseline{Study: st,
			Groups: []stats.Group{{Name: study.Everything}}}}
		if summary.Test.Ceiling != nil {
			return summary.Test.Ceiling
		}
		c, err := e.Ceiling(t.Context(), []int{0})
		require.NoError(t, err)
		return c
	}
	near, far := ceiling(0), ceiling(1000)
	require.NotNil(t, near)
	assert.InDelta(t, near.MeanR, far.MeanR, 1e-3)
	assert.Greater(t, near.MeanR, .2)
	assert.Less(t, near.MeanR, .8)
}

func TestValidationPoolsStoriesOrTakesTheirMean(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	for by, pooled := range map[string]bool{"pooled": true,
		"story_mean": false} {
		st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
			e.Data.Train, e.Data.Val, e.Data.Test = []string{"one"}, []string{"two", "val"}, []string{"test"}
			e.Train.EpochBy = by
		})
		f, err := encoding.Read(t.Context(), st, st.Reader(st.Model), "", []string{"one", "two", "val"}, 2)
		require.NoError(t, err)
		p := st.Subjects[0]
		predicted, err := encoding.Predict(t.Context(), st, st.Subjects, f, study.Val)
		require.NoError(t, err)
		mean := func(pred, want []float32, rows int) (sum float64) {
			w := testnum.Lines(want, rows, 60, 0)
			for v, line := range testnum.Lines(pred, rows, 60, 0) {
				sum += testnum.Pearson(line, w[v]) / 60
			}
			return sum
		}
		var all []float32
		stories := 0.
		for k, story := range []string{"two", "val"} {
			want := studytest.Responses(t, p, story)[4*60 : 38*60]
			all = append(all, want...)
			stories += mean(predicted[0].Pred[k*34*60:(k+1)*34*60], want, 34) / 2
		}
		joint := mean(predicted[0].Pred, all, 68)
		require.Greater(t, math.Abs(joint-stories), 1e-4, "the two are told apart")
		want := stories
		if pooled {
			want = joint
		}
		r, err := encoding.ValidationR(t.Context(), st, f)
		require.NoError(t, err)
		assert.InDelta(t, want, r, 1e-5, by)
	}
}

func TestClippedLanczosIsStandardisedByItsOwnKind(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment,
		_ *dataset.Spec) {
		e.Compat.ClipLanczos = true
	})
	stim := st.Stimuli["one"]
	require.NotEqual(t, stim.Design.Weights, stim.Tuning.Weights)
	x := testnum.Values(len(stim.Windows)*2, 1)
	for i := range x {
		x[i] += 5
	}
	f := encoding.RowFeatures{Rows: map[string][]float32{}, Zscore: map[string]design.ZScore{}}
	f.Add(stim, x)
	got := f.Zscore["one"].Apply(stim.Tuning.Weights.Apply(x, 2))
	mean, sd := studytest.Moments(got, 2, 0, stim.Design.Statistics...)
	assert.InDelta(t, 0, mean, 1e-6)
	assert.InDelta(t, 1, sd, 1e-6)
	assert.False(t, slices.ContainsFunc(got, func(v float32) bool { return math.IsNaN(float64(v)) }))
}

func TestAnROIMayHaveTheNameOfAColumn(t *testing.T) {
	taken := []string{"all", "tuned", "base", "all voxels", "tuned voxels", "mean", "ROI"}
	st := studytest.Tiny(t, study.Options{}, func(_ *experiment.Experiment, s *dataset.Spec) {
		for _, name := range taken {
			s.ROIs = append(s.ROIs, dataset.ROI{Name: name, Region: dataset.Value(dataset.Region{Columns: []int{0}})})
		}
	})
	s, err := evaluate.Evaluate(t.Context(), st, nil, "")
	require.NoError(t, err)
	assert.Len(t, s.Test.Base.ROIs, len(taken)+2, "front and the voxels of the loss too")
	for _, name := range taken {
		assert.Contains(t, s.Test.Base.ROIs, name)
		assert.NotEqual(t, s.Test.Base.ROIs[name], s.Test.Base.MeanR, "a region of one voxel, not all of them")
	}
	assert.InDelta(t, s.Test.Base.MeanR, s.Test.Base.ROIs[roikeys.Tuned], 1e-6, "all voxels are in the loss")
}
