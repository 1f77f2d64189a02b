package design

import (
	"math"
	"sort"
)

// LanczosOptions are the options of [Lanczos]. The zero value is what HuthLab's code uses.
type LanczosOptions struct {
	Lobes        int     // of the kernel on each side; 0 means 3
	Cutoff       float64 // in Hz; 0 means one over the mean spacing of the rows, which is 1/TR
	ClipNegative bool    // set weights below 1e-10 to 0, as the released training code of the BrainWavLM authors does
}

const (
	lanczosLobes = 3 // of the kernel on each side, by default

	// clipBelow is the threshold of ClipNegative in the released code. It removes all negative
	// lobes, which are 15 % of the positive mass.
	clipBelow = 1e-10
)

// Lanczos returns the weights that carry features at the given ascending times to rows at the given
// times, by the windowed sinc a·sin(πx)·sin(πx/a)/(πx)² with x = (row − feature)·cutoff and a
// lobes, which is zero for |x| ≥ a (as in HuthLab ridge_utils/interpdata.py). The weights are not
// normalised: they sum to about 1/(cutoff·spacing of the features).
func Lanczos(rows, features []float64, opt LanczosOptions) *Weights {
	lobes := float64(lanczosLobes)
	if opt.Lobes != 0 {
		lobes = float64(opt.Lobes)
	}
	cutoff := opt.Cutoff
	if cutoff == 0 && len(rows) > 1 {
		cutoff = float64(len(rows)-1) / (rows[len(rows)-1] - rows[0])
	}
	if len(rows) > 0 && (!(cutoff > 0) || math.IsInf(cutoff, 0) || lobes < 1) {
		panic("design: Lanczos needs a cutoff above 0, or ascending rows to take it from, and at least one lobe")
	}
	within := func(row float64) (from, to int) {
		from = sort.Search(len(features), func(i int) bool { return (row-features[i])*cutoff < lobes })
		to = sort.Search(len(features), func(i int) bool { return (row-features[i])*cutoff <= -lobes })
		return from, to
	}
	return weigh(rows, features, within, func(row, feature float64, _ int) float64 {
		v := lanczos((row-feature)*cutoff, lobes)
		if opt.ClipNegative && v < clipBelow {
			return 0
		}
		return v
	})
}

// lanczos returns the kernel with a lobes on each side, for |x| < a.
func lanczos(x, a float64) float64 {
	if x == 0 {
		return 1
	}
	px := math.Pi * x
	return a * math.Sin(px) * math.Sin(px/a) / (px * px)
}
