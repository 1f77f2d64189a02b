package ridge

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/brainwavlm/bwlm/brain/stats"
)

// inForm makes all fits of a test take a form.
func inForm(t *testing.T, form Form) {
	was := onlyForm
	onlyForm = form
	t.Cleanup(func() { onlyForm = was })
}

// What holds of fits holds of those from sums.
func TestFitsFromSums(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	for name, test := range map[string]func(*testing.T){"himalaya": TestFitEqualsHimalaya,
		"contiguous folds": TestContiguousFoldsEqualHimalaya, "closed form": TestFitEqualsTheClosedForm,
		"one alpha": TestSingleAlphaIsTheOneOfTheBestMean, "units": TestUnitsDoNotMatter,
		"alpha 0": TestAlphaZeroIsLeastSquares, "extreme alphas": TestExtremeAlphasStayFinite,
		"constant columns": TestConstantColumns, "constant in a fold": TestConstantInTheTrainingRowsOfAFold,
		"few rows": TestFewerRowsThanFeatures, "ties": TestTiesBetweenAlphasGoToTheLargerOrTheSmaller,
		"same seed": TestSameSeedSameBits} {
		t.Run(name, func(t *testing.T) {
			inForm(t, Sums)
			test(t)
		})
	}
}

// bothForms fits in both forms.
func bothForms(t *testing.T, x, y []float32, rows int, opt Options) (direct, sums *Model) {
	t.Helper()
	var err error
	inForm(t, Direct)
	direct, err = Fit(t.Context(), x, y, rows, opt)
	require.NoError(t, err)
	onlyForm = Sums
	sums, err = Fit(t.Context(), x, y, rows, opt)
	require.NoError(t, err)
	require.Equal(t, []Form{Direct, Sums}, []Form{direct.Cost.Form, sums.Cost.Form})
	require.Positive(t, direct.Cost.Operations)
	require.Positive(t, sums.Cost.Operations)
	for _, cost := range []Cost{direct.Cost, sums.Cost} {
		require.EqualValues(t, 4*len(y), cost.Bytes)
		require.InDelta(t, 1, cost.Passes, 0)
	}
	return direct, sums
}

func TestBothFormsGiveTheSameScoresAndWeights(t *testing.T) {
	const rows, features, voxels = 300, 17, 40
	x, y := simulate(3, rows, features, voxels)
	for _, metric := range []Metric{R, R2, SignedRoot} {
		for _, through := range []bool{false, true} {
			for _, boots := range []int{1, 3} {
				for _, common := range []bool{false, true} {
					opt := Options{Metric: metric, NoIntercept: through, Boots: boots, ChunkRows: 7,
						SingleAlpha: common}
					a, b := bothForms(t, x, y, rows, opt)
					assert.Equal(t, a.Alphas, b.Alphas)
					assert.InDeltaSlice(t, a.Scores, b.Scores, 2e-6)
					assert.InDeltaSlice(t, a.Weights, b.Weights, 2e-6)
					assert.InDeltaSlice(t, a.Intercept, b.Intercept, 2e-5)
				}
			}
		}
	}
}

// Raw scanner units: a mean of ten thousand standard deviations, which float32 holds to a thousandth of one.
func TestSumsLoseNothingOfRawUnits(t *testing.T) {
	const rows, features, voxels = 400, 10, 12
	x, y := simulate(5, rows, features, voxels)
	for i := range y {
		y[i] = y[i]*3 + 3e4*float32(1+i%voxels%2)
	}
	for i := range x {
		x[i] += 1e4 * float32(i%features%2)
	}
	a, b := bothForms(t, x, y, rows, Options{})
	assert.Equal(t, a.Alphas, b.Alphas)
	assert.InDeltaSlice(t, a.Scores, b.Scores, 2e-6)
	assert.InDeltaSlice(t, a.Weights, b.Weights, 2e-5)
}

// Features whose singular values span six decades, from their singular value decomposition in float64, with the
// smallest penalty below all of them.
func TestSumsOfIllConditionedFeatures(t *testing.T) {
	const rows, features, voxels = 500, 25, 30
	rng := rand.New(rand.NewPCG(7, 7))
	normal := func(rows, cols int) *mat.Dense {
		m := mat.NewDense(rows, cols, nil)
		m.Apply(func(_, _ int, _ float64) float64 { return rng.NormFloat64() }, m)
		return m
	}
	var qr mat.QR
	var u, v, x mat.Dense
	qr.Factorize(normal(rows, features))
	qr.QTo(&u)
	qr.Factorize(normal(features, features))
	qr.QTo(&v)
	x.Apply(func(_, k int, value float64) float64 {
		return value * math.Pow(10, -6*float64(k)/(features-1)) * math.Sqrt(rows)
	}, u.Slice(0, rows, 0, features))
	x.Mul(mat.DenseCopyOf(&x), v.T())
	var y mat.Dense
	y.Mul(u.Slice(0, rows, 0, features), normal(features, voxels)) // every direction matters
	y.Apply(func(_, _ int, value float64) float64 { return value*math.Sqrt(rows) + 2*rng.NormFloat64() }, &y)

	data, responses := float32s(&x), float32s(&y)
	folds, err := KFold(rows, 5)
	require.NoError(t, err)
	for _, lambda := range []float64{1e-9, 1e-3, 10} {
		opt := Options{Lambdas: []float64{lambda, lambda * 1e6}, Folds: folds}
		_, sums := bothForms(t, data, responses, rows, opt)
		assert.InDelta(t, 6, math.Log10(sums.Cost.Condition), .3)
		want := make([][]float64, 2) // scores by the decomposition
		for a := range want {
			want[a] = make([]float64, voxels)
			for _, held := range folds {
				train := trainingRows(held, rows)
				xTrain, xHeld := centred(rowsOf(dense(data, rows), train), rowsOf(dense(data, rows), held))
				yTrain, yHeld := centred(rowsOf(dense(responses, rows), train), rowsOf(dense(responses, rows), held))
				var svd mat.SVD
				require.True(t, svd.Factorize(xTrain, mat.SVDThin))
				var left, right, z, w, pred mat.Dense
				svd.UTo(&left)
				svd.VTo(&right)
				values := svd.Values(nil)
				z.Mul(left.T(), yTrain)
				z.Apply(func(k, _ int, value float64) float64 {
					return value * values[k] / (values[k]*values[k] + opt.Lambdas[a])
				}, &z)
				w.Mul(&right, &z)
				pred.Mul(xHeld, &w)
				r, _ := stats.Correlation(float32s(&pred), float32s(yHeld), len(held), voxels)
				for v := range r {
					want[a][v] += r[v] / float64(len(folds))
				}
			}
		}
		for v := range voxels {
			assert.InDelta(t, max(want[0][v], want[1][v]), sums.Scores[v], 1e-5, "lambda %g", lambda)
		}
	}
}

func TestSumsOfAStudyOfTrueSize(t *testing.T) {
	const rows, features, voxels = 33_000, 3072, 95_000
	for boots, want := range map[int]struct {
		operations float64
		passes     int
	}{3: {8.3e13, 2}, 5: {1.26e14, 3}, 20: {4.54e14, 10}} {
		folds, err := ChunkFolds(rows, 40, boots, .25, 0)
		require.NoError(t, err)
		f := &fit{x: &matrix{rows: rows, cols: features, factor: []float64{1}}, voxels: voxels,
			opt: Options{Lambdas: make([]float64, 10)}}
		assert.True(t, f.fromSums(folds), "%d boots", boots)
		direct, sums := f.estimate(voxels, folds)
		assert.InEpsilon(t, want.operations, sums, .01)
		assert.Greater(t, direct, 2.4*sums)
		p := &pass{fit: f, folds: boots, directions: &directions{size: make([]float64, features)}}
		f.opt.Bytes = 8 << 30 / 3
		widths := slices.Collect(maps.Keys(maps.Collect(p.groups(&responses{Responses: Responses{Voxels: voxels}}))))
		assert.Len(t, widths, want.passes)
	}
	few, err := ChunkFolds(600, 10, 3, .25, 0)
	require.NoError(t, err)
	f := &fit{x: &matrix{rows: 600, cols: features, factor: []float64{1}}, voxels: voxels,
		opt: Options{Lambdas: make([]float64, 10)}}
	direct, sums := f.estimate(voxels, few)
	assert.Less(t, direct, sums, "predictions of an hour cost less than its sums")
}
