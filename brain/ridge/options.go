package ridge

import (
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

// Options say how the penalty is chosen. The zero value is useful.
type Options struct {
	Alphas      []float64    // candidates, in any order; nil: ten from 10 to 10⁴, evenly spaced in the logarithm
	SingleAlpha bool         // one alpha for all voxels, by their mean score, instead of one each
	Boots       int          // folds; 0: 3
	ChunkRows   int          // rows of a chunk; 0: 40
	HeldOut     float64      // share of the chunks that each fold holds out; 0: .25
	Seed        uint64       // of the choice of chunks
	Folds       [][]int      // held-out rows of each fold, instead of drawn chunks
	NoIntercept bool         // do not centre: features and responses have mean 0 already, or must be taken so
	Device      torch.Device // the zero value is the CPU
}

// DefaultAlphas are ten alphas from 10 to 10⁴, evenly spaced in the logarithm: the grid of the HuthLab recipes
// (github.com/HuthLab/speechmodeltutorial).
func DefaultAlphas() []float64 {
	const n = 10
	alphas := make([]float64, n)
	for i := range alphas {
		alphas[i] = math.Pow(10, 1+3*float64(i)/(n-1))
	}
	return alphas
}

// withDefaults fills in what is zero, sorts the alphas and drops duplicates, and refuses what has no meaning.
func (o Options) withDefaults() (Options, error) {
	if o.Alphas == nil {
		o.Alphas = DefaultAlphas()
	}
	if o.Boots == 0 {
		o.Boots = 3
	}
	if o.ChunkRows == 0 {
		o.ChunkRows = 40
	}
	if o.HeldOut == 0 {
		o.HeldOut = .25
	}
	refuse := func(where, why string, value any) (Options, error) {
		return o, fault.New(fault.Usage, "ridge", where, why, value)
	}
	if len(o.Alphas) == 0 {
		return refuse("alphas", "the list is empty: %v", o.Alphas)
	}
	for _, alpha := range o.Alphas {
		if !(alpha >= 0) || math.IsInf(alpha*alpha, 0) {
			return refuse("alphas", "%g is negative, or its square is no number", alpha)
		}
	}
	if o.Boots < 0 {
		return refuse("boots", "%d is negative", o.Boots)
	}
	if o.ChunkRows < 0 {
		return refuse("chunk_trs", "%d is negative", o.ChunkRows)
	}
	if !(o.HeldOut > 0 && o.HeldOut < 1) {
		return refuse("held_out", "%g is not between 0 and 1", o.HeldOut)
	}
	o.Alphas = slices.Compact(slices.Sorted(slices.Values(o.Alphas)))
	return o, nil
}
