package controls

import (
	"fmt"
	"math"
	"testing"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestVarianceComponentsOfPlantedEffects averages the estimates over simulated studies whose
// components are known.
func TestVarianceComponentsOfPlantedEffects(t *testing.T) {
	const studies, seeds, subjects, stories, seedSD, subjectSD, storySD, noise = 400, 5, 8, 6, .5, 1., 2., .7
	r := draw(1)
	var seed, subject, story, rest float64
	for range studies {
		effects := func(n int, sd float64) []float64 {
			x := make([]float64, n)
			for i := range x {
				x[i] = sd * r.NormFloat64()
			}
			return x
		}
		a, b, c := effects(seeds, seedSD), effects(subjects, subjectSD), effects(stories, storySD)
		var cells []observation
		for i := range a {
			for j := range b {
				for k := range c {
					cells = append(cells, observation{fmt.Sprint(i), fmt.Sprint(j), fmt.Sprint(k),
						10 + a[i] + b[j] + c[k] + noise*r.NormFloat64()})
				}
			}
		}
		v := varianceComponents(cells)
		seed, subject, story = seed+square(v.Seeds.SD), subject+square(v.Subjects.SD), story+square(v.Stories.SD)
		rest += square(v.Residual)
	}
	assert.InEpsilon(t, seedSD*seedSD, seed/studies, .1)
	assert.InEpsilon(t, subjectSD*subjectSD, subject/studies, .1)
	assert.InEpsilon(t, storySD*storySD, story/studies, .15)
	assert.InEpsilon(t, noise*noise, rest/studies, .02)
}

func TestPartitionNeedsARun(t *testing.T) {
	assert.Equal(t, fault.Usage, fault.KindOf(sameExperiment(nil)))
}

func square(x *float64) float64 { return *x * *x }

func TestVarianceOfFew(t *testing.T) {
	// Two seeds alone: gains 1 and 3 have mean 2, SD √2, and need (2.8·√2/2)² = 3.92, so 4.
	v := varianceComponents([]observation{{"0", "a", "s", 1}, {"1", "a", "s", 3}})
	require.NotNil(t, v.Seeds.SD)
	assert.InDelta(t, math.Sqrt2, *v.Seeds.SD, 1e-12)
	assert.Equal(t, 4, *v.Seeds.Needed)
	for _, s := range []results.VarianceSource{v.Stories, v.Subjects} {
		assert.Equal(t, results.VarianceSource{N: 1, Why: "not estimable from one"}, s)
	}
	assert.Nil(t, v.Residual)
	v = varianceComponents([]observation{{"0", "a", "s", -1}, {"1", "a", "s", -3}})
	assert.Nil(t, v.Seeds.Needed)
	assert.Equal(t, "there is no gain", v.Seeds.Why)
}
