package ridge

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

var nan, inf = float32(math.NaN()), float32(math.Inf(1))

type golden struct {
	Name       string
	Rows       int
	Intercept  bool
	X, Y       []float32
	Held       [][]int
	Alphas     []float64
	Best       []float64
	Scores     []float64
	Weights    []float64
	Intercepts []float64
	Fixed      []float64 // weights with Alphas[2] for all voxels
}

// goldens are made by tools/ridge/make_golden.py.
func goldens(t *testing.T) []golden {
	b, err := os.ReadFile("testdata/golden.json")
	require.NoError(t, err)
	var file struct{ Cases []golden }
	require.NoError(t, json.Unmarshal(b, &file))
	require.Len(t, file.Cases, 4)
	return file.Cases
}

func TestFitEqualsHimalaya(t *testing.T) {
	for _, g := range goldens(t) {
		t.Run(g.Name, func(t *testing.T) {
			model, err := Fit(t.Context(), g.X, g.Y, g.Rows, Options{Alphas: g.Alphas, Folds: g.Held,
				NoIntercept: !g.Intercept})
			require.NoError(t, err)
			assert.InDeltaSlice(t, g.Best, model.Alphas, 1e-9)
			assert.InDeltaSlice(t, g.Scores, model.Scores, 1e-6)
			assert.InDeltaSlice(t, g.Weights, weightsOf(t, model), 1e-6)
			within := 1e-6
			if onlyForm == Sums && len(g.Intercepts) > 0 { // of float32 products, so that large ones are rounded so
				within = 1e-7 * slices.MaxFunc(g.Intercepts, func(a, b float64) int {
					return cmp.Compare(math.Abs(a), math.Abs(b))
				})
			}
			assert.InDeltaSlice(t, g.Intercepts, model.Intercept, max(math.Abs(within), 1e-6))
		})
	}
}

func TestFixedAlphaEqualsScikitLearn(t *testing.T) {
	for _, g := range goldens(t) {
		model, err := Fit(t.Context(), g.X, g.Y, g.Rows, Options{Alphas: g.Alphas[2:3], NoIntercept: !g.Intercept})
		require.NoError(t, err)
		assert.InDeltaSlice(t, g.Fixed, weightsOf(t, model), 1e-6, g.Name)
		assert.Nil(t, model.Scores)
	}
}

func TestSingleAlphaIsTheOneOfTheBestMean(t *testing.T) {
	g := goldens(t)[0]
	// cross-validated with one alpha, beside one that never wins
	scores := func(alpha float64, voxels []float32) []float64 {
		model, err := Fit(t.Context(), g.X, voxels, g.Rows,
			Options{Alphas: []float64{alpha, alpha * (1 + 1e-12)}, Folds: g.Held})
		require.NoError(t, err)
		return model.Scores
	}
	best, most := 0., math.Inf(-1)
	for _, alpha := range g.Alphas {
		sum := 0.
		for _, r := range scores(alpha, g.Y) {
			sum += r
		}
		if sum > most {
			best, most = alpha, sum
		}
	}
	model, err := Fit(t.Context(), g.X, g.Y, g.Rows, Options{Alphas: g.Alphas, Folds: g.Held, SingleAlpha: true})
	require.NoError(t, err)
	assert.Equal(t, slices.Repeat([]float64{best}, 6), model.Alphas)
	assert.InDeltaSlice(t, scores(best, g.Y), model.Scores, 1e-6)
}

// simulate makes features (rows, features) with common parts, and responses that they predict more
// or less.
func simulate(seed uint64, rows, features, voxels int) (x, y []float32) {
	rng := rand.New(rand.NewPCG(seed, 0))
	x, y = make([]float32, rows*features), make([]float32, rows*voxels)
	w := make([]float64, features*voxels)
	for i := range w {
		w[i] = rng.NormFloat64() / math.Sqrt(float64(features))
	}
	for row := range rows {
		common := rng.NormFloat64()
		for i := range features {
			x[row*features+i] = float32(common + rng.NormFloat64())
		}
		for v := range voxels {
			sum := 2 * float64(v%4) * rng.NormFloat64()
			for i := range features {
				sum += float64(x[row*features+i]) * w[i*voxels+v]
			}
			y[row*voxels+v] = float32(sum)
		}
	}
	return x, y
}

// dense is a float64 copy of a matrix.
func dense(x []float32, rows int) *mat.Dense {
	out := make([]float64, len(x))
	for i, value := range x {
		out[i] = float64(value)
	}
	return mat.NewDense(rows, len(x)/rows, out)
}

// centred takes the mean of each column of train from train and other.
func centred(train, other *mat.Dense) (_, _ *mat.Dense) {
	n, cols := train.Dims()
	mean := make([]float64, cols)
	for c := range mean {
		mean[c] = mat.Sum(train.ColView(c)) / float64(n)
	}
	less := func(_, c int, value float64) float64 { return value - mean[c] }
	a, b := new(mat.Dense), new(mat.Dense)
	a.Apply(less, train)
	b.Apply(less, other)
	return a, b
}

// solution is (XᵀX + α²I)⁻¹XᵀY.
func solution(x, y mat.Matrix, alpha float64) *mat.Dense {
	_, features := x.Dims()
	var gram, xy, w mat.Dense
	gram.Mul(x.T(), x)
	for i := range features {
		gram.Set(i, i, gram.At(i, i)+alpha*alpha)
	}
	xy.Mul(x.T(), y)
	if err := w.Solve(&gram, &xy); err != nil {
		panic(err)
	}
	return &w
}

func rowsOf(x *mat.Dense, rows []int) *mat.Dense {
	_, cols := x.Dims()
	out := mat.NewDense(len(rows), cols, nil)
	for i, row := range rows {
		out.SetRow(i, x.RawRowView(row))
	}
	return out
}

// float32s is the float32 copy of a matrix, row by row.
func float32s(x *mat.Dense) []float32 {
	var out []float32
	for _, value := range x.RawMatrix().Data {
		out = append(out, float32(value))
	}
	return out
}

// The method, written out plainly, gives the same scores, alphas and predictions.
func TestFitEqualsTheClosedForm(t *testing.T) {
	const rows, voxels = 130, 9
	for _, features := range []int{20, 200} {
		x, y := simulate(1, rows, features, voxels)
		opt := Options{Alphas: []float64{3, 10, 30, 100}, Boots: 4, ChunkRows: 12, Seed: 5}
		model, err := Fit(t.Context(), x, y, rows, opt)
		require.NoError(t, err)

		folds, err := ChunkFolds(rows, 12, 4, .25, 5)
		require.NoError(t, err)
		X, Y := dense(x, rows), dense(y, rows)
		scores := make([][]float64, len(opt.Alphas))
		for a, alpha := range opt.Alphas {
			scores[a] = make([]float64, voxels)
			for _, held := range folds {
				train := trainingRows(held, rows)
				xTrain, xHeld := centred(rowsOf(X, train), rowsOf(X, held))
				yTrain, yHeld := centred(rowsOf(Y, train), rowsOf(Y, held))
				var pred mat.Dense
				pred.Mul(xHeld, solution(xTrain, yTrain, alpha))
				r, _ := stats.Correlation(float32s(&pred), float32s(yHeld), len(held), voxels)
				for v := range r {
					scores[a][v] += r[v] / float64(len(folds))
				}
			}
		}
		xAll, _ := centred(X, X)
		yAll, _ := centred(Y, Y)
		pred, err := model.Predict(t.Context(), x, rows)
		require.NoError(t, err)
		for v := range voxels {
			best := 0
			for a := range opt.Alphas {
				if scores[a][v] > scores[best][v] {
					best = a
				}
			}
			assert.Equal(t, opt.Alphas[best], model.Alphas[v], "%d features, voxel %d", features, v)
			assert.InDelta(t, scores[best][v], model.Scores[v], 1e-5)
			w := solution(xAll, yAll, opt.Alphas[best])
			var want mat.Dense
			want.Mul(xAll, w.ColView(v))
			for row := range rows {
				require.InDelta(t, want.At(row, 0)+Y.At(row, v)-yAll.At(row, v), pred[row*voxels+v], 1e-4)
			}
		}
	}
}

func TestBlocksOfVoxelsChangeNothing(t *testing.T) {
	const rows, features = 50, 3
	step := blockValues / rows
	x, one := simulate(2, rows, features, 5)
	voxels := step + 7 // two blocks
	y := make([]float32, rows*voxels)
	for row := range rows {
		for v := range voxels {
			y[row*voxels+v] = one[row*5+v%5]
		}
	}
	opt := Options{Alphas: []float64{.1, 20}, ChunkRows: 10, Boots: 2}
	want, err := Fit(t.Context(), x, one, rows, opt)
	require.NoError(t, err)
	require.Contains(t, want.Alphas, .1)
	require.Contains(t, want.Alphas, 20.)
	got, err := Fit(t.Context(), x, y, rows, opt)
	require.NoError(t, err)
	for _, v := range []int{0, 1, step - 1, step, step + 1, step + 2, step + 3, voxels - 1} {
		assert.Equal(t, want.Alphas[v%5], got.Alphas[v], v)
		assert.InDelta(t, want.Scores[v%5], got.Scores[v], 1e-5)
		assert.InDelta(t, weightsOf(t, want)[v%5], weightsOf(t, got)[v], 1e-6)
		assert.InDelta(t, weightsOf(t, want)[2*5+v%5], weightsOf(t, got)[2*voxels+v], 1e-6)
	}
}

func TestSameSeedSameBits(t *testing.T) {
	x, y := simulate(3, 90, 30, 12)
	run := func(seed uint64) *Model {
		model, err := Fit(t.Context(), x, y, 90, Options{ChunkRows: 8, Seed: seed})
		require.NoError(t, err)
		return model
	}
	assert.Equal(t, run(1), run(1))
	assert.NotEqual(t, run(1).Scores, run(2).Scores)
}

func TestUnitsDoNotMatter(t *testing.T) {
	const rows, features, voxels = 80, 10, 6
	x, y := simulate(4, rows, features, voxels)
	opt := Options{Alphas: []float64{1, 10, 100}, ChunkRows: 10}
	want, err := Fit(t.Context(), x, y, rows, opt)
	require.NoError(t, err)
	for _, unit := range []float64{1e-12, 1e12, 1e30} {
		u := make([]float32, len(y))
		for i := range y {
			u[i] = float32(unit * float64(y[i]))
		}
		got, err := Fit(t.Context(), x, u, rows, opt)
		require.NoError(t, err)
		assert.Equal(t, want.Alphas, got.Alphas, unit)
		assert.InDeltaSlice(t, want.Scores, got.Scores, 1e-5)
		assert.InEpsilon(t, unit*float64(weightsOf(t, want)[7]), weightsOf(t, got)[7], 1e-5)

		for i := range x {
			u = append(u[:i], float32(unit*float64(x[i])))
		}
		alphas := []float64{unit, 10 * unit, 100 * unit}
		got, err = Fit(t.Context(), u, y, rows, Options{Alphas: alphas, ChunkRows: 10})
		require.NoError(t, err)
		assert.InDeltaSlice(t, want.Scores, got.Scores, 1e-5, "features in units of %g", unit)
		assert.InEpsilon(t, float64(weightsOf(t, want)[7])/unit, weightsOf(t, got)[7], 1e-5)
	}
}

func TestAlphaZeroIsLeastSquares(t *testing.T) {
	const rows, features, voxels = 60, 4, 3
	x, y := simulate(5, rows, features, voxels)
	doubled := make([]float32, 0, rows*2*features) // each feature twice: the weights are not unique
	for row := range rows {
		doubled = append(doubled, x[row*features:(row+1)*features]...)
		doubled = append(doubled, x[row*features:(row+1)*features]...)
	}
	model, err := Fit(t.Context(), doubled, y, rows, Options{Alphas: []float64{0}})
	require.NoError(t, err)
	xAll, _ := centred(dense(x, rows), dense(x, rows))
	yAll, _ := centred(dense(y, rows), dense(y, rows))
	want := solution(xAll, yAll, 0)
	for i := range features {
		for v := range voxels {
			assert.InDelta(t, want.At(i, v)/2, weightsOf(t, model)[i*voxels+v], 1e-5, "the least norm shares equally")
			assert.InDelta(t, want.At(i, v)/2, weightsOf(t, model)[(i+features)*voxels+v], 1e-5)
		}
	}
	tiny, err := Fit(t.Context(), doubled, y, rows, Options{Alphas: []float64{1e-6}})
	require.NoError(t, err)
	assert.InDeltaSlice(t, weightsOf(t, model), weightsOf(t, tiny), 1e-5, "the limit of a vanishing penalty")
	wide, y := simulate(6, 20, 50, 2) // more features than rows: every response is met exactly
	model, err = Fit(t.Context(), wide, y, 20, Options{Alphas: []float64{0}})
	require.NoError(t, err)
	pred, err := model.Predict(t.Context(), wide, 20)
	require.NoError(t, err)
	assert.InDeltaSlice(t, y, pred, 1e-4)
}

func TestExtremeAlphasStayFinite(t *testing.T) {
	x, y := simulate(7, 64, 8, 8)
	for _, alphas := range [][]float64{{0, 1e12}, {1e12}, {1e150, 0, 0, 3, 1e150}, {1e-300, 1e-200}} {
		model, err := Fit(t.Context(), x, y, 64, Options{Alphas: alphas, ChunkRows: 8})
		require.NoError(t, err)
		assertFinite(t, model)
	}
	// The score of a direction is the same however strong the penalty: at alpha → ∞ the prediction
	// is XXᵀY, scaled.
	huge, err := Fit(t.Context(), x, y, 64, Options{Alphas: []float64{1e12, 1e13}, ChunkRows: 8})
	require.NoError(t, err)
	large, err := Fit(t.Context(), x, y, 64, Options{Alphas: []float64{1e6, 1e7}, ChunkRows: 8})
	require.NoError(t, err)
	assert.InDeltaSlice(t, large.Scores, huge.Scores, 1e-4)
	assert.Greater(t, slices.Max(huge.Scores), .1)
}

func assertFinite(t *testing.T, m *Model) {
	t.Helper()
	for _, w := range weightsOf(t, m) {
		require.Zero(t, w-w)
	}
	for _, values := range [][]float64{m.Intercept, m.Alphas, m.Scores} {
		for _, value := range values {
			require.Zero(t, value-value)
		}
	}
}

func TestOrderAndDuplicatesOfAlphas(t *testing.T) {
	x, y := simulate(8, 80, 10, 8)
	want, err := Fit(t.Context(), x, y, 80, Options{Alphas: []float64{1, 10, 100}, ChunkRows: 10})
	require.NoError(t, err)
	alphas := []float64{100, 1, 10, 1, 100}
	got, err := Fit(t.Context(), x, y, 80, Options{Alphas: alphas, ChunkRows: 10})
	require.NoError(t, err)
	assert.Equal(t, want, got)
	assert.Equal(t, []float64{100, 1, 10, 1, 100}, alphas, "the caller's list is left alone")
}

func TestConstantColumns(t *testing.T) {
	const rows, features, voxels = 40, 6, 5
	x, y := simulate(9, rows, features, voxels)
	held := make([]int, 10)
	for row := range rows {
		x[row*features+2] = .1 // a constant feature
		y[row*voxels] = .1     // constant everywhere
		if row < 10 {
			held[row] = row
			y[row*voxels+1] = 7 // constant in the held-out rows
		} else {
			y[row*voxels+2] = .3        // constant in the training rows of the fold
			x[row*features+3] = 1e5 / 3 // a feature that varies only in the held-out rows
		}
	}
	for _, alphas := range [][]float64{{1, 10}, {0, 1e-9}} {
		model, err := Fit(t.Context(), x, y, rows, Options{Alphas: alphas, Folds: [][]int{held}})
		require.NoError(t, err)
		assertFinite(t, model)
		assert.Equal(t, []bool{true, false, false, false, false}, model.Constant)
		assert.Equal(t, []float64{0, 0, 0}, model.Scores[:3])
		assert.NotZero(t, model.Scores[3])
		for v := range voxels {
			assert.Zero(t, weightsOf(t, model)[2*voxels+v])
		}
		pred, err := model.Predict(t.Context(), x, rows)
		require.NoError(t, err)
		for row := range rows {
			require.Equal(t, float32(.1), pred[row*voxels], "a constant voxel is predicted by its mean")
		}
	}
	flat := make([]float32, rows*2)
	model, err := Fit(t.Context(), flat, y, rows, Options{Folds: [][]int{held}})
	require.NoError(t, err, "features that are all constant")
	assertFinite(t, model)
	assert.Equal(t, make([]float32, 2*voxels), weightsOf(t, model))

}

// Where features or responses vary in the held-out rows alone nothing can be learned, whatever
// rounding leaves of the constants: the mean of equal numbers is often not that number.
func TestConstantInTheTrainingRowsOfAFold(t *testing.T) {
	const rows, voxels = 40, 30
	x, y := simulate(9, rows, 6, voxels)
	held := trainingRows(nil, 10)
	for row := 10; row < rows; row++ {
		for v := range voxels {
			y[row*voxels+v] = .1 + .07*float32(v)
		}
	}
	opt := Options{Alphas: []float64{0, 1}, Folds: [][]int{held}}
	model, err := Fit(t.Context(), x, y, rows, opt)
	require.NoError(t, err)
	assert.Equal(t, make([]float64, voxels), model.Scores, "responses")
	opt.NoIntercept = true
	model, err = Fit(t.Context(), x, y, rows, opt)
	require.NoError(t, err)
	assert.Equal(t, make([]float64, voxels), model.Scores, "responses, through the origin")
	opt.NoIntercept = false

	_, varied := simulate(10, rows, 6, 4)
	for v := range voxels {
		feature := make([]float32, rows)
		for row := range feature {
			feature[row] = y[row*voxels+v]
		}
		model, err := Fit(t.Context(), feature, varied, rows, opt)
		require.NoError(t, err)
		assert.Equal(t, make([]float64, 4), model.Scores, "feature %d", v)
	}
}

func TestTheSmallerGramIsDecomposed(t *testing.T) {
	require.NoError(t, torch.Infer(t.Context(), func(s *torch.Scope) error {
		for _, size := range [][2]int{{9, 4}, {4, 9}} {
			b := newBasis(s, size[0], size[1], func(s *torch.Scope) *torch.Tensor {
				return s.Normal(0, 1, size[0], size[1]).ToType(torch.Float64)
			})
			assert.Len(t, b.values, 4)
		}
		return nil
	}))
}

func TestFitRefuses(t *testing.T) {
	x, y := simulate(10, 40, 3, 2)
	with := func(data []float32, at int, value float32) []float32 {
		data = slices.Clone(data)
		data[at] = value
		return data
	}
	small := Options{ChunkRows: 10}
	for _, c := range []struct {
		name string
		x, y []float32
		rows int
		opt  Options
		kind fault.Kind
		why  string
	}{
		{"NaN feature", with(x, 7, nan), y, 40, small, fault.BadData, "features: row 2, feature 1 is NaN"},
		{"infinite response", x, with(y, 5, -inf), 40, small, fault.BadData, "responses: row 2, voxel 1 is -Inf"},
		{"rows do not fit", x, y[:78], 40, small, fault.BadData, "78 values do not make 40 rows"},
		{"no rows", nil, nil, 0, small, fault.BadData, "do not make 0 rows"},
		{"no voxels", x, nil, 40, small, fault.BadData, "responses: 0 values"},
		{"fewer rows than two chunks", x, y, 40, Options{}, fault.BadData, "40 rows do not make two chunks of 40 rows"},
		{"one row", x[:3], y[:2], 1, Options{ChunkRows: 1}, fault.BadData, "1 rows do not make two chunks"},
		{"negative alpha", x, y, 40, Options{Alphas: []float64{1, -1}}, fault.Usage, "-1 is negative"},
		{"NaN alpha", x, y, 40, Options{Alphas: []float64{math.NaN()}}, fault.Usage, "NaN is negative, or it"},
		{"infinite alpha", x, y, 40, Options{Alphas: []float64{1e200}}, fault.Usage, "or its square is not finite"},
		{"no alphas", x, y, 40, Options{Alphas: []float64{}}, fault.Usage, "the list is empty"},
		{"held out", x, y, 40, Options{HeldOut: 1}, fault.Usage, "1 is not between 0 and 1"},
		{"boots", x, y, 40, Options{Boots: -1}, fault.Usage, "boots: -1"},
		{"chunks", x, y, 40, Options{ChunkRows: -5}, fault.Usage, "chunk_rows: -5"},
		{"fold of all rows", x, y, 40, Options{Folds: [][]int{trainingRows(nil, 40)}}, fault.BadData,
			"fold 0 holds out 40 of 40"},
		{"empty fold", x, y, 40, Options{Folds: [][]int{{1}, {}}}, fault.BadData, "fold 1 holds out 0"},
		{"fold out of range", x, y, 40, Options{Folds: [][]int{{3, 40}}}, fault.BadData, "rows 3 to 40 of 40"},
		{"fold with a row twice", x, y, 40, Options{Folds: [][]int{{3, 4, 3}}}, fault.BadData, "a row twice"},
		{"no folds", x, y, 40, Options{Folds: [][]int{}}, fault.BadData, "none is given"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Fit(t.Context(), c.x, c.y, c.rows, c.opt)
			require.ErrorContains(t, err, c.why)
			assert.Equal(t, c.kind, fault.KindOf(err))
		})
	}
	model, err := Fit(t.Context(), x, y, 40, small)
	require.NoError(t, err)
	_, err = model.Predict(t.Context(), with(x, 3, nan), 40)
	require.ErrorContains(t, err, "row 1, feature 0 is NaN")
	_, err = model.Predict(t.Context(), x, 20)
	require.ErrorContains(t, err, "6 features, the model has 3")
	_, err = new(Model).Predict(t.Context(), x, 40)
	require.ErrorContains(t, err, "3 features, the model has 0")
	_, err = FitColumns(t.Context(), x, nil, 40, 2, small)
	require.ErrorContains(t, err, "responses: there are none")
	_, err = FitColumns(t.Context(), x, matrixColumns{}, 40, 0, small)
	require.ErrorContains(t, err, "responses: there are none")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Fit(ctx, x, y, 40, small)
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, fault.Interrupted, fault.KindOf(err))
}

func TestFewerRowsThanFeatures(t *testing.T) {
	x, y := simulate(11, 3, 100, 4)
	model, err := Fit(t.Context(), x, y, 3, Options{ChunkRows: 1, Boots: 10, Alphas: []float64{1e4, 10}})
	require.NoError(t, err)
	assertFinite(t, model)
	assert.Equal(t, make([]float64, 4), model.Scores, "one held-out row has no correlation")
	assert.Equal(t, slices.Repeat([]float64{1e4}, 4), model.Alphas, "of equal scores the larger penalty wins")
}

func TestFolds(t *testing.T) {
	folds, err := ChunkFolds(103, 10, 200, .25, 1)
	require.NoError(t, err)
	require.Len(t, folds, 200)
	held := make([]int, 103)
	for _, fold := range folds {
		require.True(t, slices.IsSorted(fold))
		chunks := map[int]int{}
		for _, row := range fold {
			chunks[row/10]++
			held[row]++
		}
		require.Len(t, chunks, 3, "a quarter of 11 chunks, rounded")
		for chunk, n := range chunks {
			require.Equal(t, min(10, 103-10*chunk), n, "chunks are held out whole, the last one too")
		}
		assert.Equal(t, 103, len(fold)+len(trainingRows(fold, 103)))
	}
	for row, n := range held {
		assert.InDelta(t, 200*3./11, n, 25, "row %d", row)
	}
	again, err := ChunkFolds(103, 10, 200, .25, 1)
	require.NoError(t, err)
	assert.Equal(t, folds, again)
	other, err := ChunkFolds(103, 10, 200, .25, 2)
	require.NoError(t, err)
	assert.NotEqual(t, folds, other)

	for _, zero := range []func() ([][]int, error){
		func() ([][]int, error) { return ChunkFolds(9, 0, 1, .5, 0) },
		func() ([][]int, error) { return ChunkFolds(9, 1, 0, .5, 0) },
		func() ([][]int, error) { return ChunkFolds(9, 1, 1, 0, 0) },
	} {
		_, err := zero()
		assert.Equal(t, fault.Usage, fault.KindOf(err))
	}

	for share, n := range map[float64]int{.01: 1, .5: 2, .99: 2} {
		folds, err := ChunkFolds(3, 1, 1, share, 0)
		require.NoError(t, err)
		assert.Len(t, folds[0], n, share)
	}
}

func TestDefaultAlphas(t *testing.T) {
	alphas := defaultAlphas()
	assert.Len(t, alphas, 10)
	assert.InDelta(t, 10, alphas[0], 1e-9)
	assert.InDelta(t, 1e4, alphas[9], 1e-8)
	assert.InDelta(t, alphas[4]/alphas[3], alphas[9]/alphas[8], 1e-12)
}

func benchmark(b *testing.B, rows, features, voxels int) {
	rng := rand.New(rand.NewPCG(1, 1))
	x, y := make([]float32, rows*features), make([]float32, rows*voxels)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	for i := range y {
		y[i] = float32(rng.NormFloat64()) + x[i%len(x)]
	}
	for b.Loop() {
		_, err := Fit(b.Context(), x, y, rows, Options{})
		require.NoError(b, err)
	}
}

func BenchmarkFit(b *testing.B) {
	b.Run("rows=1500,features=384,voxels=300", func(b *testing.B) { benchmark(b, 1500, 384, 300) })
	b.Run("rows=2000,features=3072,voxels=5000", func(b *testing.B) { benchmark(b, 2000, 3072, 5000) })
}
