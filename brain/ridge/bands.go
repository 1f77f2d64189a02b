package ridge

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distmv"

	"github.com/brainwavlm/bwlm/fault"
)

// Band is a range of features with a penalty of its own, From ≤ i < To.
type Band struct{ From, To int }

// absent is the weight of a band that has practically no effect: its penalty is 10⁶ times that of
// the others.
const absent = 1e-6

// drawWeights draws n sets of weights for a banded ridge, (n, bands). A weight divides the penalty
// of its band; the weights of a set have mean 1. The first set is all ones, which is the ordinary
// ridge. The next sets have one band nearly alone. The others are drawn from Dirichlet
// distributions of concentration .1 and 1 in turn (Dupré la Tour et al. 2022): .1 favours few
// bands, 1 is uniform.
func drawWeights(bands, n int, seed uint64) [][]float64 {
	source := rand.NewPCG(seed, 1)
	sets := make([][]float64, n)
	for i := range sets {
		set := make([]float64, bands)
		switch {
		case i == 0:
			for b := range set {
				set[b] = 1
			}
		case i <= bands:
			set[i-1] = 1
		default:
			concentration := make([]float64, bands)
			for b := range concentration {
				concentration[b] = []float64{.1, 1}[i%2]
			}
			distmv.NewDirichlet(concentration, source).Rand(set)
		}
		sum := 0.0
		for b := range set {
			set[b] = max(set[b], absent)
			sum += set[b]
		}
		for b := range set {
			set[b] *= float64(bands) / sum
		}
		sets[i] = set
	}
	return sets
}

// checkBands returns an error unless each feature is in exactly one band.
func checkBands(bands []Band, features int) error {
	refuse := func(why string, args ...any) error {
		return fault.New(fault.Usage, "ridge", "bands", why, args...).
			WithHint("each feature must be in exactly one band")
	}
	in := make([]int, features)
	for b, band := range bands {
		if band.From < 0 || band.To <= band.From || band.To > features {
			return refuse("%d:%d is not a range of %d features", band.From, band.To, features)
		}
		for i := band.From; i < band.To; i++ {
			if in[i] > 0 {
				return refuse("feature %d is in two bands", i)
			}
			in[i] = b + 1
		}
	}
	for i, b := range in {
		if b == 0 {
			return refuse("feature %d is in no band", i)
		}
	}
	return nil
}

// checkWeights returns an error unless each set has a finite positive weight per band.
func checkWeights(sets [][]float64, bands int) error {
	if len(sets) == 0 {
		return fault.New(fault.Usage, "ridge", "weights", "there is no set of weights")
	}
	for _, set := range sets {
		if len(set) != bands {
			return fault.New(fault.Usage, "ridge", "weights", "%d weights for %d bands", len(set), bands)
		}
		for _, w := range set {
			if !(w > 0) || math.IsInf(w, 0) {
				return fault.New(fault.Usage, "ridge", "weights", "%g is not a positive number", w)
			}
		}
	}
	return nil
}

// bandScales returns the factor of each feature by which one common penalty acts as the penalties
// of the bands.
func bandScales(bands []Band, weights []float64, features int) []float64 {
	scale := make([]float64, features)
	for i := range scale {
		scale[i] = 1
	}
	for b, band := range bands {
		for i := band.From; i < band.To; i++ {
			scale[i] = math.Sqrt(weights[b])
		}
	}
	return scale
}
