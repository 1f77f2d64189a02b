package ridge

import (
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

// Options say how the penalty is chosen. The zero value is useful.
type Options struct {
	Alphas      []float64    // candidates, HuthLab's, in any order; nil: ten from 10 to 10⁴, evenly spaced in the logarithm
	Lambdas     []float64    // candidates as scikit-learn and himalaya give them, instead of Alphas: lambda = alpha²
	Select      Selection    // the score by which a candidate wins
	SingleAlpha bool         // one candidate for all voxels, by their mean score, instead of one each
	Boots       int          // folds; 0: 3
	ChunkRows   int          // rows of a chunk; 0: 40
	HeldOut     float64      // share of the chunks that each fold holds out; 0: .25
	Seed        uint64       // of the choice of chunks, and of the weights of bands
	Folds       [][]int      // held-out rows of each fold, instead of drawn chunks; see KFold
	NoIntercept bool         // do not centre: features and responses have mean 0 already, or must be taken so
	Device      torch.Device // the zero value is the CPU

	Bands   []Band      // a penalty for each band and voxel: banded ridge
	Tries   int         // sets of weights of the bands to try; 0: 20. See Candidates
	Weights [][]float64 // the sets themselves, (sets, bands), instead of Candidates

	Progress func(done, all int) // told after each fold of each set of weights; may be nil
}

// Selection is a score by which penalties are compared, on held-out rows.
type Selection int

// R is Pearson's r, the zero value. R2 is the share of variance that a prediction explains, 1 - Σ(y-ŷ)²/Σ(y-ȳ)²
// (himalaya's r2_score), which unlike r counts a wrong size or a wrong mean against the prediction.
const (
	R Selection = iota
	R2
)

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

// withDefaults fills in what is zero, makes Alphas and Lambdas two names of the same candidates, in order and without
// duplicates, and refuses what has no meaning.
func (o Options) withDefaults() (Options, error) {
	if o.Boots == 0 {
		o.Boots = 3
	}
	if o.ChunkRows == 0 {
		o.ChunkRows = 40
	}
	if o.HeldOut == 0 {
		o.HeldOut = .25
	}
	if o.Tries == 0 {
		o.Tries = 20
	}
	refuse := func(where, why string, value any) (Options, error) {
		return o, fault.New(fault.Usage, "ridge", where, why, value)
	}
	switch {
	case o.Boots < 0:
		return refuse("boots", "%d is negative", o.Boots)
	case o.ChunkRows < 0:
		return refuse("chunk_rows", "%d is negative", o.ChunkRows)
	case !(o.HeldOut > 0 && o.HeldOut < 1):
		return refuse("held_out", "%g is not between 0 and 1", o.HeldOut)
	case o.Select != R && o.Select != R2:
		return refuse("select", "%d is neither R nor R2", int(o.Select))
	case o.Tries < 0:
		return refuse("tries", "%d is negative", o.Tries)
	case o.Weights == nil && o.Bands != nil:
		o.Weights = Candidates(len(o.Bands), o.Tries, o.Seed)
	}
	return o.withCandidates()
}

// withCandidates makes Alphas and Lambdas of the one that is given.
func (o Options) withCandidates() (Options, error) {
	given, name, other := o.Alphas, "alphas", func(alpha float64) float64 { return alpha * alpha }
	switch {
	case o.Lambdas != nil && o.Alphas != nil:
		return o, fault.New(fault.Usage, "ridge", "lambdas", "alphas are given, too").WithHint("give one of them: lambda = alpha²")
	case o.Lambdas != nil:
		given, name, other = o.Lambdas, "lambdas", math.Sqrt
	case o.Alphas == nil:
		given = DefaultAlphas()
	}
	if len(given) == 0 {
		return o, fault.New(fault.Usage, "ridge", name, "the list is empty")
	}
	sorted := slices.Compact(slices.Sorted(slices.Values(given)))
	others := make([]float64, len(sorted))
	for i, value := range sorted {
		if others[i] = other(value); !(value >= 0) || math.IsInf(value, 0) || math.IsInf(others[i], 0) {
			return o, fault.New(fault.Usage, "ridge", name, "%g is negative, or no number, or its square is none", value)
		}
	}
	o.Alphas, o.Lambdas = sorted, others
	if name == "lambdas" {
		o.Alphas, o.Lambdas = others, sorted
	}
	return o, nil
}
