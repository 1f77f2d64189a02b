package stats

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stories are k independent stories of one subject.
func stories(seed uint64, k, rows, voxels int, baseSD, tunedSD float64) Subject {
	rng := seeded(seed)
	s := Subject{Voxels: voxels}
	for i := range k {
		s.Stories = append(s.Stories, study(rng, fmt.Sprint("story", i), rows, voxels, .3, baseSD, tunedSD))
	}
	return s
}

func TestIntervalsOverStoriesNeedThree(t *testing.T) {
	for k, want := range map[int]bool{1: false, 2: false, 3: true, 5: true} {
		out, err := StoryIntervals(t.Context(), []Subject{stories(1, k, 60, 3, 1, 1)}, []Group{{}})
		require.NoError(t, err)
		assert.Equal(t, want, out[0].Delta != nil, "%d stories", k)
		assert.Equal(t, want, out[0].Base != nil, "%d stories", k)
	}
	s := stories(1, 4, 60, 3, 1, 1)
	for i := range s.Stories {
		s.Stories[i].Stimulus = []string{"a", "b"}[i/2]
	}
	out, err := StoryIntervals(t.Context(), []Subject{s}, []Group{{}})
	require.NoError(t, err)
	assert.Nil(t, out[0].Delta, "four parts of two stories are two stories")
	alone := stories(2, 4, 60, 3, 1, 1)
	for i := range alone.Stories {
		alone.Stories[i].Tuned = nil
	}
	out, err = StoryIntervals(t.Context(), []Subject{alone}, []Group{{}})
	require.NoError(t, err)
	assert.NotNil(t, out[0].Base)
	assert.Nil(t, out[0].Delta)
}

func TestIntervalsOverStoriesFollowFromLeavingEachOut(t *testing.T) {
	one, two := stories(3, 3, 50, 4, 1, 1.5), stories(4, 2, 50, 2, 1, 1.5) // two has not heard story2
	subjects := []Subject{one, two}
	groups := []Group{{Name: "all"}, {Name: "two", Columns: [][]int{nil, {0, 1}}}}
	out, err := StoryIntervals(t.Context(), subjects, groups)
	require.NoError(t, err)
	assert.Equal(t, []int{3, 2}, []int{out[0].Stories, out[1].Stories})
	assert.Nil(t, out[1].Delta)
	delta := func(without string) float64 {
		var left []Subject
		for _, s := range subjects {
			s.Stories = slices.DeleteFunc(slices.Clone(s.Stories), func(s Story) bool { return s.Name == without })
			left = append(left, s)
		}
		b, err := PairedBootstrap(t.Context(), left, groups[:1], BootstrapOptions{Resamples: 2})
		require.NoError(t, err)
		return b.Groups[0].Delta.Mean
	}
	values := []float64{delta("story0"), delta("story1"), delta("story2")}
	mean := (values[0] + values[1] + values[2]) / 3
	square := 0.
	for _, v := range values {
		square += (v - mean) * (v - mean)
	}
	const t975 = 4.302653 // two degrees of freedom
	half := t975 * math.Sqrt(square*2/3)
	assert.InDelta(t, delta("")-half, out[0].Delta[0], 1e-6)
	assert.InDelta(t, delta("")+half, out[0].Delta[1], 1e-6)
}

func TestIntervalsOverStoriesCoverTheTruth(t *testing.T) {
	for _, k := range []int{3, 5} {
		const sets = 200
		hit := 0
		for seed := range uint64(sets) {
			out, err := StoryIntervals(t.Context(), []Subject{stories(100+seed, k, 80, 2, 2, 1)}, []Group{{}})
			require.NoError(t, err)
			if d, truth := out[0].Delta, trueR(1)-trueR(2); d[0] <= truth && truth <= d[1] {
				hit++
			}
		}
		assert.GreaterOrEqual(t, hit, sets*91/100, "%d stories", k)
		assert.LessOrEqual(t, hit, sets*99/100, "%d stories", k)
	}
}
