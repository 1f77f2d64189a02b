package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMeanOverSubjects(t *testing.T) {
	s, reason := MeanOverSubjects([]float64{1, 2, 6, 3}, 1)
	assert.InDelta(t, 3, s.Mean, 1e-12)
	assert.Nil(t, s.CI95)
	assert.Equal(t, "4 subjects, an interval over subjects needs 5", reason)
	s, reason = MeanOverSubjects([]float64{2, 2, 2, 2, 2}, 1)
	assert.Equal(t, Interval{2, 2}, *s.CI95)
	assert.Empty(t, reason)

	draws, _ := ResampleSubjects(6, 1, func([]int) float64 { return math.Inf(-1) })
	assert.Nil(t, SubjectInterval(draws, 6), "no end of an interval is infinite")
}

// The interval misses the true mean about as often as it says, with as few subjects as studies have.
func TestIntervalOverSubjectsHoldsItsLevel(t *testing.T) {
	for _, subjects := range []int{6, 12} {
		const studies = 400
		r := rand.New(rand.NewPCG(uint64(subjects), 4))
		missed := 0
		for k := range studies {
			x := make([]float64, subjects)
			for i := range x {
				x[i] = .3 + .1*r.NormFloat64()
			}
			s, _ := MeanOverSubjects(x, uint64(k))
			if s.CI95[0] > .3 || s.CI95[1] < .3 {
				missed++
			}
		}
		t.Logf("%d subjects: %d of %d intervals miss", subjects, missed, studies)
		assert.Less(t, float64(missed)/studies, .08)
		assert.Greater(t, float64(missed)/studies, .01)
	}
}
