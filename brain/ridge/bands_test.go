package ridge

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/fault"
)

// planted makes training and test rows of two bands: voxels 0 to 9 follow band 0 (20 features), 10
// to 19 band 1 (60 features), and 20 to 24 both.
func planted(seed uint64, rows int) (x, y []float32, bands []Band) {
	bands = []Band{{0, 20}, {20, 80}}
	const features, voxels = 80, 25
	rng := rand.New(rand.NewPCG(seed, 0))
	w := make([]float64, features*voxels)
	for i := range features {
		for v := range voxels {
			if band := i / 20; v >= 20 || (v < 10) == (band == 0) {
				w[i*voxels+v] = rng.NormFloat64()
			}
		}
	}
	for range rows {
		row := make([]float64, features)
		for i := range row {
			row[i] = rng.NormFloat64()
			x = append(x, float32(row[i]))
		}
		for v := range voxels {
			sum := 5 * rng.NormFloat64()
			for i := range row {
				sum += row[i] * w[i*voxels+v]
			}
			y = append(y, float32(sum))
		}
	}
	return x, y, bands
}

// Where one band is silent a penalty of its own beats one penalty for all on rows that were held
// out, and the silent band is given no share.
func TestBandedFindsThePlantedBand(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	const rows, test, features, voxels = 200, 600, 80, 25
	var gain, silentShare, livingShare, both []float64
	right := 0
	for seed := uint64(10); seed < 13; seed++ {
		x, y, bands := planted(seed, rows+test)
		folds, err := KFold(rows, 5)
		require.NoError(t, err)
		opt := Options{Lambdas: []float64{1, 10, 100, 1000, 1e4}, Folds: folds, Metric: R2}
		evaluate := func(opt Options) (*Model, *Evaluation) {
			model, err := Fit(t.Context(), x[:rows*features], y[:rows*voxels], rows, opt)
			require.NoError(t, err)
			e, err := model.Evaluate(t.Context(), x[rows*features:], matrixColumns{test, voxels, y[rows*voxels:]}, test)
			require.NoError(t, err)
			return model, e
		}
		_, ordinary := evaluate(opt)
		opt.Bands, opt.Tries = bands, 10
		model, banded := evaluate(opt)
		for v := range 20 {
			lives, silent := v/10, 1-v/10
			gain = append(gain, banded.R2[v]-ordinary.R2[v])
			silentShare = append(silentShare, banded.Split[silent*voxels+v])
			livingShare = append(livingShare, banded.Split[lives*voxels+v])
			if model.Lambdas[lives*voxels+v] < model.Lambdas[silent*voxels+v] {
				right++
			}
		}
		both = append(both, banded.Split[20:25]...)
		pred, err := model.Predict(t.Context(), x[rows*features:], test)
		require.NoError(t, err)
		for v := range voxels {
			centre, left, total := 0., 0., 0.
			for row := range rows {
				centre += float64(y[row*voxels+v]) / rows
			}
			for row := range test {
				at := float64(y[(rows+row)*voxels+v])
				left += (at - float64(pred[row*voxels+v])) * (at - float64(pred[row*voxels+v]))
				total += (at - centre) * (at - centre)
			}
			assert.InDelta(t, 1-left/total, banded.Split[v]+banded.Split[voxels+v], 1e-5, "the shares add up")
		}
	}
	mean := func(x []float64) float64 {
		m, _ := stats.Mean(x, make([]bool, len(x)), nil)
		return m
	}
	t.Logf("gain in R² %.3f, shares: silent %.4f, living %.3f; both live: band 0 %.3f; right band %d of 60",
		mean(gain), mean(silentShare), mean(livingShare), mean(both), right)
	assert.Greater(t, mean(gain), .02)
	assert.InDelta(t, 0, mean(silentShare), .01)
	assert.Greater(t, mean(livingShare), .3)
	assert.Greater(t, mean(both), .1)
	assert.GreaterOrEqual(t, right, 54)
}

// One set of weights that are all 1 is the ordinary ridge; weights are what divides the penalties.
func TestWeightsDividePenalties(t *testing.T) {
	x, y, bands := planted(1, 60)
	plain, err := Fit(t.Context(), x, y, 60, Options{Lambdas: []float64{30}})
	require.NoError(t, err)
	ones, err := Fit(t.Context(), x, y, 60, Options{Lambdas: []float64{30}, Bands: bands, Weights: [][]float64{{1, 1}}})
	require.NoError(t, err)
	assert.InDeltaSlice(t, plain.Weights, ones.Weights, 1e-6)
	assert.Nil(t, ones.Scores)
	unequal, err := Fit(t.Context(), x, y, 60, Options{Lambdas: []float64{30}, Bands: bands,
		Weights: [][]float64{{2, .5}}})
	require.NoError(t, err)
	assert.Equal(t, []float64{15, 60}, []float64{unequal.Lambdas[0], unequal.Lambdas[25]})
	scaled := slices.Clone(x) // penalties 15 and 60 are one of 30 on features that are √2 times larger and smaller
	for i := range scaled {
		if i%80 < 20 {
			scaled[i] *= 1.4142135
		} else {
			scaled[i] /= 1.4142135
		}
	}
	same, err := Fit(t.Context(), scaled, y, 60, Options{Lambdas: []float64{30}})
	require.NoError(t, err)
	for i := range 80 * 25 {
		factor := 1.4142135
		if i/25 >= 20 {
			factor = 1 / factor
		}
		require.InDelta(t, float64(same.Weights[i])*factor, unequal.Weights[i], 1e-5)
	}
}

// A better set wins each voxel for itself, and the order of the sets does not matter.
func TestVoxelsChooseTheirOwnWeights(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	x, y, bands := planted(2, 120)
	folds, err := KFold(120, 4)
	require.NoError(t, err)
	sets := [][]float64{{1, 1}, {1.99, .01}, {.01, 1.99}}
	fit := func(sets [][]float64, single bool) *Model {
		m, err := Fit(t.Context(), x, y, 120, Options{Lambdas: []float64{10, 100}, Bands: bands, Weights: sets,
			Folds: folds, SingleAlpha: single})
		require.NoError(t, err)
		return m
	}
	all := fit(sets, false)
	used := map[float64]bool{}
	for v := range 25 {
		best := 0.
		for _, set := range sets {
			one := fit([][]float64{set}, false)
			best = max(best, one.Scores[v])
			if one.Scores[v] == all.Scores[v] {
				used[set[0]] = true
				for i := range 80 {
					require.Equal(t, one.Weights[i*25+v], all.Weights[i*25+v])
				}
			}
		}
		require.Equal(t, best, all.Scores[v], v)
		if v == 3 {
			break // each call fits all voxels
		}
	}
	slices.Reverse(sets)
	assert.Equal(t, all.Scores, fit(sets, false).Scores)
	assert.Equal(t, all.Lambdas, fit(sets, false).Lambdas)
	assert.NotEmpty(t, used)
	common := fit(sets, true)
	assert.Len(t, slices.Compact(slices.Clone(common.Lambdas[:25])), 1)
	assert.Len(t, slices.Compact(slices.Clone(common.Lambdas[25:])), 1)
}

func TestCandidates(t *testing.T) {
	sets := drawWeights(3, 40, 7)
	assert.Equal(t, []float64{1, 1, 1}, sets[0])
	for b := range 3 {
		assert.InDelta(t, 3, sets[b+1][b], 1e-4, "each band nearly alone")
	}
	for _, set := range sets {
		assert.InDelta(t, 3, set[0]+set[1]+set[2], 1e-12)
		assert.Positive(t, slices.Min(set))
	}
	assert.Equal(t, sets, drawWeights(3, 40, 7))
	assert.Equal(t, sets[:20], drawWeights(3, 20, 7), "more tries keep those before")
	assert.NotEqual(t, sets, drawWeights(3, 40, 8))
	assert.Len(t, drawWeights(3, 1, 7), 1)
}

func TestBandsAreRefused(t *testing.T) {
	x, y := simulate(1, 40, 4, 2)
	for why, opt := range map[string]Options{
		"feature 1 is in two bands":  {Bands: []Band{{0, 2}, {1, 4}}},
		"feature 3 is in no band":    {Bands: []Band{{0, 3}}},
		"2:5 is not a range of 4":    {Bands: []Band{{0, 2}, {2, 5}}},
		"3:3 is not a range":         {Bands: []Band{{0, 3}, {3, 3}}},
		"1 weights for 2 bands":      {Bands: []Band{{0, 3}, {3, 4}}, Weights: [][]float64{{1}}},
		"0 is not a positive number": {Bands: []Band{{0, 3}, {3, 4}}, Weights: [][]float64{{1, 0}}},
		"alphas are given, too":      {Alphas: []float64{1}, Lambdas: []float64{1}},
		"lambdas: -1 is negative":    {Lambdas: []float64{1, -1}},
		"metric: 7 is neither R nor": {Metric: 7},
		"tries: -1 is negative":      {Tries: -1},
		"there is no set of weights": {Bands: []Band{{0, 4}}, Weights: [][]float64{}},
	} {
		opt.ChunkRows = 10
		_, err := Fit(t.Context(), x, y, 40, opt)
		require.ErrorContains(t, err, why)
		assert.Equal(t, fault.Usage, fault.KindOf(err))
	}
}
