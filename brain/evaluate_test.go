package brain

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
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/ckpt"
)

func readNPY(t *testing.T, path string) []float32 {
	t.Helper()
	a, err := ckpt.ReadNPY(path)
	require.NoError(t, err)
	x, err := a.Float32()
	require.NoError(t, err)
	return x
}

// Whatever the summary says can be computed anew from the files beside it.
func TestSummaryFollowsFromItsFiles(t *testing.T) {
	st := tiny(t, Options{}, func(e *experiment.Experiment, _ *dataset.Spec) { e.Data.Subjects = []string{"ada", "bob"} })
	run, _ := fit(t, st)
	s, err := st.EvaluateRun(t.Context(), run)
	require.NoError(t, err)

	data, err := os.ReadFile(run.file("eval/summary.json"))
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
	assert.Equal(t, 1, file.Schema)
	assert.Equal(t, s.Test.Delta.MeanR, file.Test.Delta.Mean_R)
	assert.Nil(t, file.Test.Delta.CI95, "34 rows are too few blocks")
	assert.NotEmpty(t, s.Test.Delta.Reason)

	means := map[string]float64{}
	for _, who := range []string{"ada", "bob"} {
		dir := filepath.Join(run.file("eval/test"), who)
		want := readNPY(t, filepath.Join(dir, "responses.npy"))
		voxels := len(want) / 34
		var base, tuned []float32
		for _, system := range []string{"base", "base_best_layer", "tuned"} {
			pred, r := readNPY(t, filepath.Join(dir, system+"_pred.npy")), readNPY(t, filepath.Join(dir, system+"_r.npy"))
			require.Len(t, r, voxels)
			p, w := lines(pred, 34, voxels, 0), lines(want, 34, voxels, 0)
			for v := range r {
				assert.InDelta(t, pearson(p[v], w[v]), r[v], 1e-5)
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
	assert.InDelta(t, means["tuned"], file.Test.Tuned.ROIs["tuned"], 1e-5, "all voxels were tuned")
}

// People with equal rows are fitted together; each must get what he gets alone.
func TestPeopleDoNotDisturbEachOther(t *testing.T) {
	together := tiny(t, Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Data.Subjects, e.Train.Loss = []string{"all"}, "mse"
	})
	assert.Equal(t, [][]int{{0, 1}, {2}}, sameRows(together.people), "cleo has not heard story two")
	all, err := together.Evaluate(t.Context(), nil, "")
	require.NoError(t, err)
	mean := 0.
	for _, who := range []string{"ada", "bob", "cleo"} {
		exp := *together.Experiment
		exp.Data.Subjects = []string{who}
		alone, err := together.Vary(t.Context(), &exp)
		require.NoError(t, err)
		s, err := alone.Evaluate(t.Context(), nil, "")
		require.NoError(t, err)
		mean += s.Test.Base.MeanR / 3
	}
	assert.InDelta(t, mean, all.Test.Base.MeanR, 1e-4, "the mean over people, each of whom counts alike")
}

// Two test stories in other units must not pass for signal that repeats share.
func TestCeilingKnowsNoUnits(t *testing.T) {
	ceiling := func(offset float32) *System {
		st := tiny(t, Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
			e.Data.Train, e.Data.Val, e.Data.Test = []string{"one"}, []string{"val"}, []string{"two", "test"}
			for _, i := range []int{1, 3} {
				m, err := s.Subjects[0].Responses[i].Matrix.Load(t.Context())
				require.NoError(t, err)
				repeated := *m
				repeated.Repeats, repeated.Data = 3, nil
				for k := range uint64(3) {
					noise := values(len(m.Data), 10*k+uint64(i))
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
		summary, err := st.Evaluate(t.Context(), nil, "")
		require.NoError(t, err)
		e := &Evaluation{Baseline: &Baseline{study: st, groups: []stats.Group{{Name: everything}}}}
		if summary.Test.Ceiling != nil {
			return summary.Test.Ceiling
		}
		return e.ceiling([]int{0})
	}
	near, far := ceiling(0), ceiling(1000)
	require.NotNil(t, near)
	assert.InDelta(t, near.MeanR, far.MeanR, 1e-3)
	assert.Greater(t, near.MeanR, .2)
	assert.Less(t, near.MeanR, .8)
}

func TestFirstBlockValidation(t *testing.T) {
	st := tiny(t, Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Data.Train, e.Data.Val, e.Data.Test = []string{"one"}, []string{"two", "val"}, []string{"test"}
	})
	f, err := st.read(t.Context(), st.reader(st.Model), "", []string{"one", "two", "val"}, 2)
	require.NoError(t, err)
	p := st.people[0]
	predicted, err := st.predict(t.Context(), st.people, f, Val)
	require.NoError(t, err)
	score := func(rows int) (sum float64) {
		var pred, want []float32
		for k := range 2 {
			pred = append(pred, predicted[0].pred[k*34*60:(k*34+rows)*60]...)
			want = append(want, p.responses[[]string{"two", "val"}[k]].data[4*60:(4+rows)*60]...)
		}
		w := lines(want, 2*rows, 60, 0)
		for v, line := range lines(pred, 2*rows, 60, 0) {
			sum += pearson(line, w[v]) / 60
		}
		return sum
	}
	for most, rows := range map[int]int{0: 34, 10: 10, 100: 34} {
		r, err := st.validationR(t.Context(), f, most)
		require.NoError(t, err)
		assert.InDelta(t, score(rows), r, 1e-5, "at most %d rows of each story", most)
	}
}

func TestClippedLanczosIsStandardisedByItsOwnKind(t *testing.T) {
	st := tiny(t, Options{}, func(e *experiment.Experiment, _ *dataset.Spec) { e.Compat.ClipLanczos = true })
	stim := st.stimuli["one"]
	require.NotEqual(t, stim.weights, stim.training)
	x := values(len(stim.windows)*2, 1)
	for i := range x {
		x[i] += 5
	}
	f := rowFeatures{rows: map[string][]float32{}, zscore: map[string]design.ZScore{}}
	f.add(stim, x, []int{1})
	got := f.zscore["one"].Apply(stim.training.Apply(x, 2))
	mean, sd := moments(got, 2, 0, stim.statistics...)
	assert.InDelta(t, 0, mean, 1e-6)
	assert.InDelta(t, 1, sd, 1e-6)
	assert.False(t, slices.ContainsFunc(got, func(v float32) bool { return math.IsNaN(float64(v)) }))
}

func TestNamesThatAreTaken(t *testing.T) {
	st := tiny(t, Options{}, func(_ *experiment.Experiment, s *dataset.Spec) {
		s.ROIs = []dataset.ROI{{Name: "all", Region: dataset.Value(dataset.Region{Columns: []int{0}})}}
	})
	s, err := st.Evaluate(t.Context(), nil, "")
	require.NoError(t, err)
	assert.Contains(t, s.Test.Base.ROIs, "all")
	assert.NotEqual(t, s.Test.Base.ROIs["all"], s.Test.Base.MeanR, "a region of one voxel, not all of them")
	st = tiny(t, Options{}, func(_ *experiment.Experiment, s *dataset.Spec) {
		s.ROIs = []dataset.ROI{{Name: "tuned", Region: dataset.Value(dataset.Region{Columns: []int{0}})}}
	})
	_, err = st.Evaluate(t.Context(), nil, "")
	require.ErrorContains(t, err, `"tuned" means the tuned voxels`)
}
