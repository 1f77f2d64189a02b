package ridge

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distmv"

	"github.com/brainwavlm/bwlm/fault"
)

// Band is a range of features with a penalty of its own: From to To-1.
type Band struct{ From, To int }

// absent is the weight of a band that is as good as left out: its penalty is a million times the others'.
const absent = 1e-6

// Candidates draws sets of weights, (n, bands), that a banded ridge tries. A weight divides the penalty of its band, and
// those of a set have mean 1. The first set is all ones, which is the ordinary ridge; then comes each band nearly alone;
// the others are drawn from Dirichlet distributions of concentration .1 and 1 in turn (Dupré la Tour et al. 2022), which
// favour few bands and none in particular.
func Candidates(bands, n int, seed uint64) [][]float64 {
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

// checkBands refuses bands that leave out a feature or hold one twice.
func checkBands(bands []Band, features int) error {
	refuse := func(why string, args ...any) error {
		return fault.New(fault.Usage, "ridge", "bands", why, args...).WithHint("each feature must be in exactly one band")
	}
	in := make([]int, features)
	for b, band := range bands {
		if band.From < 0 || band.To <= band.From || band.To > features {
			return refuse("%d:%d is no range of %d features", band.From, band.To, features)
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
			return refuse("feature %d is in none", i)
		}
	}
	return nil
}

// checkWeights refuses sets of weights that do not fit the bands or have no meaning.
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

// sizes gives what the features are multiplied by so that one penalty for all acts as the penalties of the bands.
func sizes(bands []Band, weights []float64, features int) []float64 {
	size := make([]float64, features)
	for i := range size {
		size[i] = 1
	}
	for b, band := range bands {
		for i := band.From; i < band.To; i++ {
			size[i] = math.Sqrt(weights[b])
		}
	}
	return size
}
