package ridge

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/torchtest"
)

// sample is training and test rows.
type sample struct {
	Rows         int
	X, Y, X2, Y2 []float32
}

// cvGolden is what himalaya found for one sample.
type cvGolden struct {
	Name       string
	Data       int // of the samples
	Intercept  bool
	Select     string
	Lambdas    []float64
	CV         []float64
	Coef       []float64
	Intercepts []float64
	R, R2      []float64

	sample           // of banded ridge
	Bands   [][2]int // only there
	Weights [][]float64
	Split   []float64
}

// cvGoldens are made by tools/ridge/make_cv_golden.py.
func cvGoldens(t *testing.T) (plain, banded []cvGolden, grid []float64) {
	b, err := os.ReadFile("testdata/cv.json")
	require.NoError(t, err)
	var file struct {
		Grid          []float64
		Data          []sample
		Cases, Banded []cvGolden
	}
	require.NoError(t, json.Unmarshal(b, &file))
	for i, g := range file.Cases {
		file.Cases[i].sample = file.Data[g.Data]
	}
	require.Len(t, file.Cases, 16)
	require.Len(t, file.Banded, 4)
	return file.Cases, file.Banded, file.Grid
}

func (g cvGolden) options(t *testing.T, grid []float64) Options {
	folds, err := KFold(g.Rows, 5)
	require.NoError(t, err)
	opt := Options{Lambdas: grid, Folds: folds, NoIntercept: !g.Intercept, Weights: g.Weights,
		Device: torchtest.Device()}
	if g.Select == "r2" {
		opt.Metric = R2
	}
	for _, band := range g.Bands {
		opt.Bands = append(opt.Bands, Band{band[0], band[1]})
	}
	return opt
}

func (g cvGolden) check(t *testing.T, grid []float64) {
	model, err := Fit(t.Context(), g.X, g.Y, g.Rows, g.options(t, grid))
	require.NoError(t, err)
	for v, want := range g.Lambdas {
		require.InEpsilon(t, want, model.Lambdas[v], 1e-6, "penalty %d", v)
	}
	voxels := model.Voxels
	assert.InDeltaSlice(t, g.CV, model.Scores, 1e-5)
	assert.InDeltaSlice(t, g.Coef, weightsOf(t, model), 1e-5)
	if g.Intercepts != nil {
		assert.InDeltaSlice(t, g.Intercepts, model.Intercept, 1e-5)
	}
	e, err := model.Evaluate(t.Context(), g.X2, matrixColumns{g.Rows, voxels, g.Y2}, g.Rows)
	require.NoError(t, err)
	assert.InDeltaSlice(t, g.R, e.R, 1e-5)
	assert.InDeltaSlice(t, g.R2, e.R2, 1e-5)
	assert.Equal(t, make([]bool, voxels), e.Constant)
	if g.Bands == nil {
		assert.Nil(t, e.Split)
		return
	}
	assert.InDeltaSlice(t, g.Split, e.Split, 1e-5)
}

func TestContiguousFoldsEqualHimalaya(t *testing.T) {
	plain, _, grid := cvGoldens(t)
	for _, g := range plain {
		t.Run(g.Name, func(t *testing.T) { g.check(t, grid) })
	}
}

func TestBandedEqualsHimalaya(t *testing.T) {
	_, banded, grid := cvGoldens(t)
	for _, g := range banded {
		t.Run(g.Name, func(t *testing.T) { g.check(t, grid) })
	}
}

func TestContiguousIsKFold(t *testing.T) {
	folds, err := KFold(7, 3)
	require.NoError(t, err)
	assert.Equal(t, [][]int{{0, 1, 2}, {3, 4}, {5, 6}}, folds)
	_, err = KFold(4, 5)
	require.ErrorContains(t, err, "4 rows do not make 5 folds")
	_, err = KFold(4, 1)
	require.ErrorContains(t, err, "1, want at least 2")
}
