package encoding_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/ridge"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
)

// planted makes a study of clips and features of three sources, of which voxels 0 to 9 follow one each, voxels 10 to 19
// the first two alike, and voxels 20 to 24 nothing.
func planted(t *testing.T, change func(*experiment.Experiment)) (*study.Study, []encoding.RowFeatures) {
	t.Helper()
	const clips, width, voxels = 400, 4, 25
	r := rand.New(rand.NewPCG(21, 1))
	fs := make([]encoding.RowFeatures, 3)
	for l := range fs {
		fs[l] = encoding.RowFeatures{Width: width, Delays: []int{0}, Unit: 1, Rows: map[string][]float32{}}
	}
	m := &dataset.Matrix{Repeats: 1, Rows: clips, Voxels: voxels}
	var weights [3][voxels][width]float64
	for l := range weights {
		for v := range voxels {
			for c := range width {
				weights[l][v][c] = r.NormFloat64()
			}
		}
	}
	var events []dataset.Event
	for k := range clips {
		var y [voxels]float64
		for l := range fs {
			for c := range width {
				x := r.NormFloat64()
				fs[l].Rows["events"] = append(fs[l].Rows["events"], float32(x))
				for v := range 20 {
					if own := v % 3; v < 10 && l == own || v >= 10 && l < 2 {
						y[v] += weights[l][v][c] * x
					}
				}
			}
		}
		for _, x := range y {
			m.Data = append(m.Data, float32(x+.5*r.NormFloat64()))
		}
		fold := "train"
		if k >= 250 {
			fold = []string{"val", "test"}[k%2]
		}
		sound := make([]float32, 800)
		for i := range sound {
			sound[i] = float32(.1 * r.NormFloat64())
		}
		events = append(events, dataset.Event{Name: "c" + string(rune('a'+k/26%26)) + string(rune('a'+k%26)) +
			string(rune('a'+k/676)), Audio: dataset.Value(sound), Labels: map[string]string{"fold": fold}})
	}
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
		fresh := experiment.Default()
		fresh.Model.Path, fresh.Model.Layer, fresh.Data.Path, fresh.Out = e.Model.Path, 2, e.Data.Path, e.Out
		fresh.Device, fresh.Train.Mode, fresh.Data.Subjects = e.Device, experiment.TrainReadout, []string{"ada"}
		fresh.Data.Train, fresh.Data.Val, fresh.Data.Test = []string{"fold=train"}, []string{"fold=val"},
			[]string{"fold=test"}
		fresh.Eval.Layer = experiment.EvalLayerStack
		fresh.Eval.Alphas = []float64{.1, 1, 10, 100} // a prediction that is shrunk leaves less for a second source
		*e = *fresh
		*s = dataset.Spec{Name: "clips", Design: dataset.DesignEvent, TR: .05, Events: events,
			Subjects: []dataset.Subject{{Name: "ada", Responses: []dataset.Response{{Matrix: dataset.Value(m)}}}}}
		if change != nil {
			change(e)
		}
	})
	// The features are given, in the order of the rows of the study.
	for l := range fs {
		rows, at := fs[l].Rows["events"], map[string][]float32{}
		for k, e := range events {
			at[e.Name] = rows[k*width:][:width]
		}
		var ordered []float32
		for _, e := range st.Data.Events() {
			ordered = append(ordered, at[e.Name]...)
		}
		fs[l].Rows["events"] = ordered
	}
	return st, fs
}

func r2(t *testing.T, st *study.Study, p encoding.Prediction) (out []float64) {
	t.Helper()
	want, rows, err := st.Subjects[0].ReadSplit(t.Context(), study.Test)
	require.NoError(t, err)
	out, _ = stats.Correlation(p.Pred, want, rows, st.Subjects[0].Voxels)
	return out
}

// Stacking finds the source of each voxel, and adds up predictions where a voxel has two, which no single one reaches.
func TestStackFindsTheSources(t *testing.T) {
	st, fs := planted(t, nil)
	got, err := encoding.Predict(t.Context(), st, st.Subjects, fs, study.Test)
	require.NoError(t, err)
	stack := r2(t, st, got[0])
	require.Len(t, got[0].Stack, 25*3)
	best := make([]float64, 25)
	sum := make([]float64, len(got[0].Pred))
	for l := range fs {
		alone := fs[l]
		alone.Options = func(o *ridge.Options) { o.Metric = ridge.R2 } // as in a stack
		one, err := encoding.Predict(t.Context(), st, st.Subjects, []encoding.RowFeatures{alone}, study.Test)
		require.NoError(t, err)
		assert.Nil(t, one[0].Stack, "of one there is nothing to stack")
		for v, r := range r2(t, st, one[0]) {
			best[v] = max(best[v], r)
		}
		for i, p := range one[0].Pred {
			sum[i] += got[0].Stack[i%25*3+l] * float64(p)
		}
	}
	for i, want := range sum {
		assert.InDelta(t, want, got[0].Pred[i], 1e-5, "the weighted sum of the predictions of each")
	}
	for v := range 25 {
		w := got[0].Stack[v*3:][:3]
		assert.InDelta(t, 1, w[0]+w[1]+w[2], 1e-9)
		switch {
		case v < 10:
			assert.Greater(t, w[v%3], .9, "voxel %d: %v", v, w)
			assert.Greater(t, stack[v], best[v]-.02)
		case v < 20:
			assert.Less(t, w[2], .1, "voxel %d: %v", v, w)
			assert.Greater(t, min(w[0], w[1]), .05, "voxel %d: %v", v, w)
			assert.Greater(t, stack[v], best[v], "voxel %d: %v", v, w)
		default:
			assert.Less(t, math.Abs(stack[v]), .35, "voxel %d has nothing", v)
		}
	}
}

// Weights come from training rows alone, and out-of-fold predictions: features that fit the training rows and predict
// nothing have no weight.
func TestStackSeesNoTestRow(t *testing.T) {
	st, fs := planted(t, nil)
	got, err := encoding.Predict(t.Context(), st, st.Subjects, fs, study.Test)
	require.NoError(t, err)
	for _, r := range st.Subjects[0].Parts[study.Test] {
		for l := range fs {
			clear(fs[l].Rows["events"][r.From*4 : r.To*4])
		}
	}
	blind, err := encoding.Predict(t.Context(), st, st.Subjects, fs, study.Test)
	require.NoError(t, err)
	assert.Equal(t, got[0].Stack, blind[0].Stack)
	assert.NotEqual(t, got[0].Pred, blind[0].Pred)

	// As many columns of noise as training rows would have all the weight if their ridge were scored on rows that it
	// was fitted to.
	p := st.Subjects[0]
	rows := p.RowsOf(study.Train)
	r := rand.New(rand.NewPCG(5, 1))
	wide := encoding.RowFeatures{Width: rows, Delays: []int{0}, Unit: 1, Rows: map[string][]float32{}}
	for range st.Stimuli["events"].Rows * rows {
		wide.Rows["events"] = append(wide.Rows["events"], float32(r.NormFloat64()))
	}
	wide.Options = func(o *ridge.Options) { o.Alphas = []float64{1e-3} }
	over, err := encoding.Predict(t.Context(), st, st.Subjects, []encoding.RowFeatures{fs[0], wide}, study.Test)
	require.NoError(t, err)
	for v := 0; v < 10; v += 3 { // voxels of source 0
		assert.Less(t, over[0].Stack[v*2+1], .05, "voxel %d", v)
	}
}

// The number of voxels that are stacked at once, which memory bounds, changes no bit.
func TestStackInBlocks(t *testing.T) {
	st, fs := planted(t, nil)
	encoding.StackInUnits(t, 8, 1<<20)
	whole, err := encoding.Predict(t.Context(), st, st.Subjects, fs, study.Test)
	require.NoError(t, err)
	encoding.StackInUnits(t, 8, 1)
	blocks, err := encoding.Predict(t.Context(), st, st.Subjects, fs, study.Test)
	require.NoError(t, err)
	assert.Equal(t, whole, blocks)
	encoding.StackInUnits(t, 8, 2)
	two, err := encoding.Predict(t.Context(), st, st.Subjects, fs, study.Test)
	require.NoError(t, err)
	assert.Equal(t, whole, two)
}
