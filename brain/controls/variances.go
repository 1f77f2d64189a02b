package controls

import (
	"math"

	"github.com/brainwavlm/bwlm/brain/results"
)

// observation is the difference in R² of one run in one subject and story.
type observation struct {
	Seed, Subject, Story string
	Gain                 float64
}

// power is the size of an effect, in standard errors, that a two-sided test at .05 detects in 80 %
// of studies.
const power = 1.96 + .84

// varianceComponents estimates variance components by the method of moments for additive effects of
// seed, subject and story: the variance of the level means of a source minus the contribution of
// the residual. Without degrees of freedom for the residual, it counts as 0 and the components are
// upper bounds.
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
		for _, o := range cells { // in the order of the cells: a sum in the order of a map would vary
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
