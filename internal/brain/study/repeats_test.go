package study_test

import (
	"context"
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
)

func TestRepeatsOfTheTestRowsAreRefused(t *testing.T) {
	_, err := studytest.TryTiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
		e.Train.Reliability = "test"
		repeated(s, "test", 4)
	})
	require.ErrorIs(t, err, results.ErrTestRepeats)
	assert.Equal(t, fault.Usage, fault.KindOf(err))
	require.ErrorContains(t, err, "test would weigh voxels by the rows that are scored afterwards")
	for _, reliability := range []string{"none", "train"} {
		st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
			e.Train.Reliability = reliability
			repeated(s, "test", 4)
			repeated(s, "two", 2)
		})
		assert.Empty(t, st.TestRepeats())
	}
}

func TestOddRepeatsWeighAndEvenRepeatsAreScored(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	for _, n := range []int{4, 5} {
		var all *dataset.Matrix
		st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
			e.Train.Reliability, e.Data.UseTestRepeats, e.Data.ZScore = "test", true, "none"
			repeated(s, "test", n)
			for _, r := range s.Subjects[0].Responses {
				if r.Story == "test" {
					all, _ = r.Matrix.Load(context.Background())
				}
			}
		})
		assert.Equal(t, results.TestRepeatsSplit, st.TestRepeats())
		assert.Contains(t, st.Notes, results.TestRepeatsSplit)
		p := st.Subjects[0]
		rows := p.Parts[study.Test][0]
		some := func(repeats ...int) (x []float32) {
			for _, k := range repeats {
				x = append(x, all.Data[(k*all.Rows+rows.From)*60:(k*all.Rows+rows.To)*60]...)
			}
			return x
		}
		odd, even := some(0, 2), some(1, 3)
		want, total := stats.Ceiling(odd, 2, rows.Len(), 60).CCMax, 0.
		for _, cc := range want {
			total += cc * cc / 60
		}
		ceiling, ok, err := p.TestCeiling(t.Context())
		require.NoError(t, err)
		require.True(t, ok)
		for v, cc := range want {
			assert.InDelta(t, cc*cc/total, p.Weights[v], 1e-4)
			assert.InDelta(t, cc, ceiling.CCMax[v], 1e-5)
		}
		scored, _, err := p.ReadSplit(t.Context(), study.Test)
		require.NoError(t, err)
		for at, x := range scored {
			assert.InDelta(t, (even[at]+even[len(scored)+at])/2, x, 1e-5)
		}
		s, err := evaluate.Evaluate(t.Context(), st, nil, "")
		require.NoError(t, err)
		assert.Equal(t, results.TestRepeatsSplit, s.Test.TestRepeats)
	}
}
