package ridge

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/torch"
)

// inFolds makes all folds of a test share the decomposition of all rows, or have their own.
func inFolds(t *testing.T, share bool) {
	was := onlyFolds
	onlyFolds = &share
	t.Cleanup(func() { onlyFolds = was })
}

// What holds of fits holds of those whose folds share a decomposition.
func TestFitsOfSharedFolds(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	for name, test := range map[string]func(*testing.T){"himalaya": TestFitEqualsHimalaya,
		"contiguous folds": TestContiguousFoldsEqualHimalaya, "banded": TestBandedEqualsHimalaya,
		"closed form": TestFitEqualsTheClosedForm, "one alpha": TestSingleAlphaIsTheOneOfTheBestMean,
		"units": TestUnitsDoNotMatter, "alpha 0": TestAlphaZeroIsLeastSquares,
		"extreme alphas": TestExtremeAlphasStayFinite, "constant columns": TestConstantColumns,
		"constant in a fold": TestConstantInTheTrainingRowsOfAFold, "few rows": TestFewerRowsThanFeatures,
		"ties": TestTiesBetweenAlphasGoToTheLargerOrTheSmaller, "same seed": TestSameSeedSameBits,
		"shares": TestSharesHaveTheBitsOfAllVoxels, "release": TestRidgeOfTheRelease,
		"kernel": TestDualEqualsPrimal} {
		t.Run(name, func(t *testing.T) {
			inFolds(t, true)
			test(t)
		})
	}
}

// decaying returns features of which the i-th has a standard deviation of 1/i^decay, and responses to a fifth of them.
func decaying(rows, features, voxels int, decay float64) (x, y []float32) {
	rng := rand.New(rand.NewPCG(7, 7))
	for range rows {
		row := make([]float32, features)
		for i := range row {
			row[i] = float32(rng.NormFloat64() * math.Pow(float64(1+i), -decay))
		}
		x = append(x, row...)
		for v := range voxels {
			sum := 3 * rng.NormFloat64()
			for i := (5 - 2*v%5) % 5; i < features; i += 5 {
				sum += float64(row[i])
			}
			y = append(y, float32(sum))
		}
	}
	return x, y
}

// Folds that share a decomposition have the scores of folds that have their own.
func TestSharedFoldsEqualOwnOnes(t *testing.T) {
	const voxels = 20
	type way struct {
		form Form
		opt  Options
	}
	for _, size := range [][2]int{{300, 50}, {300, 250}, {150, 450}} {
		for _, decay := range []float64{0, 1, 3} {
			for _, w := range []way{{Direct, Options{}}, {Direct, Options{Metric: R2, Boots: 5}},
				{Direct, Options{Metric: SignedRoot, NoIntercept: true}}, {Kernel, Options{}},
				{Kernel, Options{Metric: R2, NoIntercept: true}}} {
				rows, features := size[0], size[1]
				name := fmt.Sprintf("%v, decay %g, %s, metric %d", size, decay, w.form, w.opt.Metric)
				t.Run(name, func(t *testing.T) {
					inForm(t, w.form)
					x, y := decaying(rows, features, voxels, decay)
					w.opt.ChunkRows = 10
					// until nothing is left of any direction
					w.opt.Lambdas = []float64{3, 30, 300, 3e3, 3e4, 3e5, 3e8, 3e30}
					if decay > 0 {
						w.opt.Lambdas = append(w.opt.Lambdas, .03, .3) // without a gain of more than 1000
					}
					f, err := newFit(x, rows, []Responses{{matrixColumns{rows, voxels, y}, voxels}}, w.opt)
					require.NoError(t, err)
					folds, err := f.folds()
					require.NoError(t, err)
					if w.form == Kernel {
						f.kernel, err = f.newKernel(t.Context())
						require.NoError(t, err)
					}
					require.NoError(t, f.ys[0].hold(t.Context(), 0, voxels))
					require.NoError(t, f.withFeatures(t.Context(), 0, func(s *torch.Scope, of *decomposed) error {
						inFolds(t, true)
						shared := f.newFolds(s, of, folds[0])
						require.Nil(t, shared[0].candidates[0].shrink, "the fold has its own")
						got, err := f.crossValidate(s, of, f.ys[0], folds, 1)
						require.NoError(t, err)
						inFolds(t, false)
						want, err := f.crossValidate(s, of, f.ys[0], folds, 1)
						require.NoError(t, err)
						assert.InDeltaSlice(t, want, got, 2e-6)
						return nil
					}))
				})
			}
		}
	}
}

// A penalty below what the training rows alone have of a direction needs their own decomposition.
func TestSmallPenaltiesHaveTheirOwnFolds(t *testing.T) {
	inFolds(t, true)
	const rows, features = 60, 100
	x, y := decaying(rows, features, 1, 0)
	for lambda, want := range map[float64][]torch.DType{0: nil, 1e-9: nil, 1e-3: nil, .3: {torch.Float64},
		3: {torch.Float64}, 1e3: {torch.Float32}} {
		f, err := newFit(x, rows, []Responses{{matrixColumns{rows, 1, y}, 1}}, Options{Lambdas: []float64{lambda}})
		require.NoError(t, err)
		require.NoError(t, f.withFeatures(t.Context(), 0, func(s *torch.Scope, of *decomposed) error {
			var got []torch.DType
			fd := fold{train: upTo(15, rows), held: upTo(0, 15), centre: true}
			for _, fd := range f.sharedFolds(s, of.basis, fd) {
				got = append(got, fd.onto.DType())
			}
			assert.Equal(t, want, got, "lambda %g", lambda)
			return nil
		}))
	}
}
