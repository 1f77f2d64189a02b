package controls

import (
	"math"

	"github.com/brainwavlm/bwlm/brain/results"
)

// Observation is a gain of one run in one person and story.
type observation struct {
	Seed, Subject, Story string
	Gain                 float64
}

// power is how many standard errors a true effect must be so that a two-sided test at .05 finds it in 80 % of studies.
const power = 1.96 + .84

// varianceComponents estimates variance components by the method of moments, for effects of seed, person and story that add up:
// the variance of a source's level means less what the residual contributes to it. Where nothing is left to estimate the
// residual from, it counts as 0 and the components are upper bounds.
func varianceComponents(cells []observation) (v results.VarianceComponents) {
	keys := []func(observation) string{
		func(o observation) string { return o.Seed },
		func(o observation) string { return o.Story },
		func(o observation) string { return o.Subject },
	}
	grand := 0.
	for _, o := range cells {
		grand += o.Gain / float64(len(cells))
	}
	means := make([]map[string]float64, len(keys))
	freedom := len(cells) - 1
	for f, key := range keys {
		sums, counts := map[string]float64{}, map[string]float64{}
		for _, o := range cells {
			sums[key(o)] += o.Gain
			counts[key(o)]++
		}
		for level := range sums {
			sums[level] /= counts[level]
		}
		means[f] = sums
		freedom -= len(sums) - 1
	}
	within := 0. // variance of the residual
	if freedom > 0 {
		for _, o := range cells {
			e := o.Gain - grand
			for f, key := range keys {
				e -= means[f][key(o)] - grand
			}
			within += e * e / float64(freedom)
		}
		sd := math.Sqrt(within)
		v.Residual = &sd
	}
	for f, to := range []*results.VarianceSource{&v.Seeds, &v.Stories, &v.Subjects} {
		to.N = len(means[f])
		if to.N < 2 {
			to.Why = "not estimable from one"
			continue
		}
		levels, between := float64(to.N), 0.
		for _, o := range cells { // in the order of the cells, so that sums do not hang on the order of a map
			d := means[f][keys[f](o)] - grand
			between += d * d / (float64(len(cells)) / levels) / (levels - 1)
		}
		variance := max(0, between-within*levels/float64(len(cells)))
		sd := math.Sqrt(variance)
		to.SD = &sd
		if grand <= 0 {
			to.Why = "there is no gain"
			continue
		}
		needed := max(1, int(math.Ceil(variance*power*power/(grand*grand))))
		to.Needed = &needed
	}
	return v
}
