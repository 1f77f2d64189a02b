//go:build slow

package lag

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/sim"
)

// highest is the excess of a person's clearest exchange of stories (0 if there is none), that of one pair, and whether the
// person's lag is clear.
func highest(t *testing.T, data *dataset.Dataset, person string, pair ...string) (top, of float64, clear bool) {
	t.Helper()
	d := &doctor{data: data, opt: Options{Subjects: []string{person}, MaxLag: 10, Progress: func(int, int) {}}}
	for lag := -10.; lag <= 10; lag += lagStep {
		d.lags = append(d.lags, lag)
	}
	require.NoError(t, d.names(t.Context()))
	require.NoError(t, d.listen(t.Context()))
	require.NoError(t, d.people(t.Context()))
	require.NoError(t, d.estimate(t.Context()))
	found, compared, err := d.exchanged(t.Context(), d.persons[0])
	require.NoError(t, err)
	require.Equal(t, min(maxSuspects, len(data.StoriesOf(person))), compared)
	for _, e := range found {
		top = max(top, e.excess)
		if slices.Equal(e.stories[:], pair) {
			of = e.excess
		}
	}
	return top, of, d.report.PerSubject[person].Clear
}

// The two thresholds are fixed; this counts their errors on seeds that they were not chosen on.
func TestErrorsOfTheSwapThresholds(t *testing.T) {
	const seeds = 25
	var intact, silent, swapped []float64
	unclear := 0
	var before *dataset.Dataset
	for seed := uint64(201); seed < 201+seeds; seed++ {
		opt := small
		opt.Seed = seed
		s, err := sim.New(opt)
		require.NoError(t, err)
		plain := altered(t, s.Dataset, nil)
		for _, person := range people {
			top, _, clear := highest(t, plain, person)
			require.True(t, clear, "seed %d", seed)
			intact = append(intact, top)
		}
		r := altered(t, plain, func(s *dataset.Spec) {
			r := s.Subjects[0].Responses
			r[2].Matrix, r[8].Matrix = r[8].Matrix, r[2].Matrix
		})
		_, of, clear := highest(t, r, sim.Listener, "tune-03", "tune-09")
		require.True(t, clear)
		swapped = append(swapped, of)

		if before == nil {
			before = plain
			continue
		}
		// Nobody heard these stories: the answers are those to the stories of the seed before.
		other := altered(t, plain, func(s *dataset.Spec) { s.Subjects = before.Spec().Subjects })
		before = plain
		for _, person := range people {
			top, _, clear := highest(t, other, person)
			if !clear {
				unclear++
			}
			silent = append(silent, top)
		}
	}
	above := func(x []float64, least float64) (n int) {
		for _, v := range x {
			if v > least {
				n++
			}
		}
		return n
	}
	for name, x := range map[string][]float64{"intact": intact, "silent": silent, "swapped": swapped} {
		slices.Sort(x)
		t.Logf("%s: %.1f", name, x)
		for _, least := range []float64{3, 4, 5, 6, 7, 8} {
			t.Logf("%s above %g: %d of %d", name, least, above(x, least), len(x))
		}
	}
	t.Logf("%d of %d silent people without a clear lag", unclear, len(silent))
	assert.LessOrEqual(t, above(intact, swapAt), len(intact)/20)
	assert.LessOrEqual(t, above(silent, swapAlone), len(silent)/20)
	assert.GreaterOrEqual(t, above(swapped, swapAt), len(swapped)*9/10)
}
