package evaluate_test

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/testnum"
)

func TestVarianceKnowsWhatEachBandAdds(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Data.Subjects, e.Eval.Alphas = []string{"ada", "bob"}, []float64{.1, 1, 10}
	})
	bands := map[string][][2]float64{}
	for i, name := range studytest.TinyStories {
		_, bands[name] = studytest.TinySound(uint64(i))
	}
	// the loudness of one tone: responses follow both, in equal shares on average
	one := func(b int) encoding.Regressor {
		return func(_ context.Context, _, story string) (x []float32, columns int, err error) {
			for _, v := range bands[story] {
				x = append(x, float32(v[b]))
			}
			return x, 1, nil
		}
	}
	noise := func(_ context.Context, _, story string) ([]float32, int, error) {
		return testnum.Values(studytest.TinyRows, uint64(len(story))), 1, nil
	}
	found, err := evaluate.Variance(t.Context(), st, []evaluate.Band{{Name: "low", Of: one(0)},
		{Name: "high", Of: one(1)}, {Name: "noise", Of: noise}},
		[][]int{{0}, {1}, {0, 1}, {0, 1, 2}, {2}}, 0)
	require.NoError(t, err)
	low, high, both, more, none := found[0].R2, found[1].R2, found[2].R2, found[3].R2, found[4].R2
	assert.Greater(t, both, .4)
	assert.InDelta(t, both, low+high, .15, "independent bands add up")
	assert.InDelta(t, both, more, .06, "noise adds nothing")
	assert.InDelta(t, 0, none, .12)
	require.Len(t, found[2].Cells, 2)
	assert.Equal(t, "bob", found[2].Cells[1].Subject)
	assert.InDelta(t, both, (found[2].Cells[0].R2+found[2].Cells[1].R2)/2, 1e-9,
		"one story: the cells are the subjects")
}

// Where many columns of noise stand beside two that count, one penalty for all is too low for the
// ones or too high for the others.
func TestEachBandHasItsPenalty(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Data.Subjects, e.Eval.Alphas = []string{"ada", "bob"}, []float64{.1, 1, 3, 10, 30}
	})
	both := func(_ context.Context, _, story string) (x []float32, columns int, err error) {
		_, bands := studytest.TinySound(uint64(slices.Index(studytest.TinyStories, story)))
		for _, b := range bands {
			x = append(x, float32(b[0]), float32(b[1]))
		}
		return x, 2, nil
	}
	const wide = 40
	noise := func(_ context.Context, _, story string) ([]float32, int, error) {
		return testnum.Values(wide*studytest.TinyRows, uint64(slices.Index(studytest.TinyStories, story))), wide, nil
	}
	r2 := func(tries int, set ...int) float64 {
		found, err := evaluate.Variance(t.Context(), st, []evaluate.Band{{Name: "sound", Of: both},
			{Name: "noise", Of: noise}}, [][]int{set}, tries)
		require.NoError(t, err)
		return found[0].R2
	}
	alone, one, banded := r2(0, 0), r2(1, 0, 1), r2(0, 0, 1)
	t.Logf("sound alone %.3f; with noise: one penalty %.3f, one for each %.3f", alone, one, banded)
	assert.Less(t, one, alone-.1)
	assert.InDelta(t, alone, banded, .05)
}

func TestR2(t *testing.T) {
	// Voxel 0: residuals 1, 0, 1 against a spread of 2 about the mean 2; voxel 1 does not vary;
	// voxel 2: the mean itself.
	want := []float32{1, 5, 0, 2, 5, 1, 3, 5, 2}
	pred := []float32{0, 9, 1, 2, 9, 1, 4, 9, 1}
	assert.InDelta(t, ((1-2./2)+0)/2, evaluate.R2(pred, want, 3, 3), 1e-12)
	assert.InDelta(t, 1, evaluate.R2(want, want, 3, 3), 1e-12)
	assert.InDelta(t, -3, evaluate.R2([]float32{3, 2, 1}, []float32{1, 2, 3}, 3, 1), 1e-12,
		"worse than the mean is below 0")
}
