package ridge

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// weightsOf returns the weights of a model, (features, voxels), whatever it keeps.
func weightsOf(t *testing.T, m *Model) []float32 {
	t.Helper()
	out := make([]float32, m.Features*m.Voxels)
	middle := m.Features / 2
	require.NoError(t, m.ReadWeights(t.Context(), 0, middle, out))
	require.NoError(t, m.ReadWeights(t.Context(), middle, m.Features, out[middle*m.Voxels:]))
	return out
}

// inBlocks makes a kernel come from blocks of a few columns.
func inBlocks(t *testing.T, values int) {
	was := kernelValues
	kernelValues = values
	t.Cleanup(func() { kernelValues = was })
}

// blockOfDual makes blocks of voxels of so many dual coefficients.
func blockOfDual(t *testing.T, values int) {
	was := dualBlockValues
	dualBlockValues = values
	t.Cleanup(func() { dualBlockValues = was })
}

// What holds of fits holds of those from the kernel.
func TestFitsFromTheKernel(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	for name, test := range map[string]func(*testing.T){"himalaya": TestFitEqualsHimalaya,
		"scikit-learn": TestFixedAlphaEqualsScikitLearn, "contiguous folds": TestContiguousFoldsEqualHimalaya,
		"closed form": TestFitEqualsTheClosedForm, "one alpha": TestSingleAlphaIsTheOneOfTheBestMean,
		"units": TestUnitsDoNotMatter, "alpha 0": TestAlphaZeroIsLeastSquares,
		"extreme alphas": TestExtremeAlphasStayFinite, "constant columns": TestConstantColumns,
		"constant in a fold": TestConstantInTheTrainingRowsOfAFold, "few rows": TestFewerRowsThanFeatures,
		"ties": TestTiesBetweenAlphasGoToTheLargerOrTheSmaller, "same seed": TestSameSeedSameBits,
		"blocks": TestBlocksOfVoxelsChangeNothing} {
		t.Run(name, func(t *testing.T) {
			inForm(t, Kernel)
			inBlocks(t, 1000)
			test(t)
		})
	}
}

// Dual coefficients and weights are of one model: penalties, scores, weights, predictions and test scores agree.
func TestDualEqualsPrimal(t *testing.T) {
	const rows, features, voxels, testRows = 60, 150, 40, 25
	x, y := simulate(3, rows+testRows, features, voxels)
	for row := range rows + testRows {
		x[row*features+7] = 2.5 // a constant column, but for a test row
		y[row*voxels+3] = -1    // and voxel
	}
	x[(rows+4)*features+7] = 100
	testX, testY := x[rows*features:], matrixColumns{testRows, voxels, y[rows*voxels:]}
	x, y = x[:rows*features], y[:rows*voxels]
	folds, err := KFold(rows, 4)
	require.NoError(t, err)
	for name, opt := range map[string]Options{"no intercept": {NoIntercept: true, Boots: 4, ChunkRows: 5},
		"intercept": {Folds: folds}, "one alpha": {SingleAlpha: true, Folds: folds}, "R²": {Metric: R2, Folds: folds},
		"one candidate":   {Alphas: []float64{3}},
		"small penalties": {Folds: folds, Lambdas: []float64{1e-3, 1e-1, 10}}} {
		t.Run(name, func(t *testing.T) {
			inForm(t, Direct)
			primal, err := Fit(t.Context(), x, y, rows, opt)
			require.NoError(t, err)
			onlyForm = Kernel
			inBlocks(t, 64*85)
			blockOfDual(t, 16*rows) // three blocks of voxels
			dual, err := Fit(t.Context(), x, y, rows, opt)
			require.NoError(t, err)
			require.Equal(t, []Form{Direct, Kernel}, []Form{primal.Cost.Form, dual.Cost.Form})
			assert.Nil(t, dual.Weights)
			assert.Len(t, dual.Dual, rows*voxels)
			assert.Equal(t, primal.Lambdas, dual.Lambdas)
			assert.InDeltaSlice(t, primal.Scores, dual.Scores, 1e-5)
			assert.InDeltaSlice(t, primal.Weights, weightsOf(t, dual), 1e-5)
			assert.InDeltaSlice(t, primal.Intercept, dual.Intercept, 1e-5)
			a, err := primal.Predict(t.Context(), testX, testRows)
			require.NoError(t, err)
			b, err := dual.Predict(t.Context(), testX, testRows)
			require.NoError(t, err)
			assert.InDeltaSlice(t, a, b, 1e-5)
			p, err := primal.Evaluate(t.Context(), testX, testY, testRows)
			require.NoError(t, err)
			q, err := dual.Evaluate(t.Context(), testX, testY, testRows)
			require.NoError(t, err)
			assert.InDeltaSlice(t, p.R, q.R, 1e-5)
			assert.InDeltaSlice(t, p.R2, q.R2, 1e-4)
			assert.Equal(t, p.Constant, q.Constant)

			own, err := dual.Predict(t.Context(), x, rows) // the training rows themselves
			require.NoError(t, err)
			again, err := dual.Predict(t.Context(), append([]float32(nil), x...), rows)
			require.NoError(t, err)
			assert.InDeltaSlice(t, own, again, 1e-6)
		})
	}
}

func TestLargeWideFitsAreDual(t *testing.T) {
	of := func(rows, cols, voxels int, bands ...Band) bool {
		f := &fit{x: &matrix{rows: rows, cols: cols, factor: []float64{1}}, voxels: voxels}
		f.opt.Bands = bands
		return f.isDual()
	}
	assert.True(t, of(2000, 148_000, 5000))
	assert.True(t, of(2000, 148_000, 10), "for its features")
	assert.True(t, of(100, 3072, 95_000), "for its weights")
	assert.False(t, of(190, 384, 6))
	assert.False(t, of(1800, 3072, 95_000), "not twice as many features")
	assert.False(t, of(2000, 148_000, 5000, Band{0, 148_000}))
}
