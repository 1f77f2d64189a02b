package ridge

import (
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

// Options configures the choice of the penalty. The zero value tries ten alphas from 10 to 10⁴ by
// Pearson's r on three folds of chunks.
type Options struct {
	Alphas      []float64    // candidates as HuthLab gives them, in any order; nil: ten, evenly spaced in the logarithm
	Lambdas     []float64    // candidates as scikit-learn and himalaya give them, instead of Alphas: lambda = alpha²
	Metric      Metric       // the score by which a candidate wins
	SingleAlpha bool         // choose one candidate for all voxels by their mean score, instead of one per voxel
	Boots       int          // folds of chunks; 0: 3
	ChunkRows   int          // rows of a chunk; 0: 40
	HeldOut     float64      // share of the chunks that each fold holds out; 0: .25
	Seed        uint64       // of the chunks and of the weights of bands
	Folds       [][]int      // held-out rows of each fold, instead of chunks; see KFold
	Chunks      [][]int      // numbers of the chunks that each fold holds out, instead of random ones
	WholeChunks bool         // hold out whole chunks only, ⌊rows·HeldOut/ChunkRows⌋ of them; see wholeChunkFolds
	Given       []float64    // (voxels) the alpha of each voxel, instead of candidates: nothing is cross-validated
	SmallerTies bool         // of candidates with equal scores the smaller one wins, instead of the larger
	NoIntercept bool         // do not centre features and responses
	Device      torch.Device // zero: the CPU
	Bytes       int          // responses, or sums over them, that are held at once; 0: 2 GiB. It changes no result

	// A share of the voxels, such as that of one of several processes, is fitted bit for bit as all of them are if both
	// fits have the same Unit, if each Responses of the share begins with a voxel whose number is a multiple of it, and
	// ends with such a voxel or the last, and if Of is the number of all voxels.
	Unit int // a block of voxels begins at each multiple of it within each Responses; 0: at the first voxel alone
	Of   int // voxels by whose number the form of the fit is chosen; 0: those that are fitted

	Bands   []Band      // banded ridge: a penalty per band and voxel
	Tries   int         // random sets of weights of the bands to try; 0: 20
	Weights [][]float64 // the sets to try, (sets, bands), instead of random ones

	Progress func(done, all int) // called after each fold of each set of weights, or each block of voxels; may be nil
}

// Metric is a score by which penalties are compared, on held-out rows.
type Metric int

// R is Pearson's r. R2 is the coefficient of determination, 1 - Σ(y-ŷ)²/Σ(y-ȳ)² (himalaya's
// r2_score), which unlike r penalises a wrong scale or mean of the prediction. SignedRoot is the
// score of HuthLab's bootstrap_ridge with use_corr=False: sign(d)·√|d| with d = 1 - var(y-ŷ)/var(y),
// which ignores a wrong mean.
const (
	R Metric = iota
	R2
	SignedRoot
)

// defaultAlphas returns ten alphas from 10 to 10⁴, evenly spaced in the logarithm: the grid of
// HuthLab's recipes (github.com/HuthLab/speechmodeltutorial).
func defaultAlphas() []float64 {
	const n = 10
	alphas := make([]float64, n)
	for i := range alphas {
		alphas[i] = math.Pow(10, 1+3*float64(i)/(n-1))
	}
	return alphas
}

// withDefaults replaces zero values by the defaults, fills in both Alphas and Lambdas, sorted and
// without duplicates, and returns an error for invalid values.
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
	if o.Bytes == 0 {
		o.Bytes = defaultBytes
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
	case o.Metric != R && o.Metric != R2 && o.Metric != SignedRoot:
		return refuse("metric", "%d is neither R nor R2 nor SignedRoot", int(o.Metric))
	case o.Given != nil && (o.Alphas != nil || o.Lambdas != nil || o.Bands != nil):
		return refuse("given", "%d alphas are given and candidates or bands, too", len(o.Given))
	case o.Given != nil:
		o.Alphas = o.Given
	case o.Bytes < 0:
		return refuse("bytes", "%d is negative", o.Bytes)
	case o.Unit < 0:
		return refuse("unit", "%d is negative", o.Unit)
	case o.Unit > 0 && o.SingleAlpha:
		return refuse("unit", "%d voxels, and all voxels have a single alpha", o.Unit)
	case o.Tries < 0:
		return refuse("tries", "%d is negative", o.Tries)
	case o.Weights == nil && o.Bands != nil:
		o.Weights = drawWeights(len(o.Bands), o.Tries, o.Seed)
	}
	return o.withCandidates()
}

// withCandidates fills in Alphas and Lambdas from the one that is given.
func (o Options) withCandidates() (Options, error) {
	given, name, other := o.Alphas, "alphas", func(alpha float64) float64 { return alpha * alpha }
	switch {
	case o.Lambdas != nil && o.Alphas != nil:
		return o, fault.New(fault.Usage, "ridge", "lambdas", "alphas are given, too").
			WithHint("give one of them: lambda = alpha²")
	case o.Lambdas != nil:
		given, name, other = o.Lambdas, "lambdas", math.Sqrt
	case o.Alphas == nil:
		given = defaultAlphas()
	}
	if len(given) == 0 {
		return o, fault.New(fault.Usage, "ridge", name, "the list is empty")
	}
	sorted := slices.Compact(slices.Sorted(slices.Values(given)))
	others := make([]float64, len(sorted))
	for i, value := range sorted {
		if others[i] = other(value); !(value >= 0) || math.IsInf(value, 0) || math.IsInf(others[i], 0) {
			return o, fault.New(fault.Usage, "ridge", name, "%g is negative, or it or its square is not finite", value)
		}
	}
	o.Alphas, o.Lambdas = sorted, others
	if name == "lambdas" {
		o.Alphas, o.Lambdas = others, sorted
	}
	return o, nil
}
