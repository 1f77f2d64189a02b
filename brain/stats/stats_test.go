package stats

import (
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"
)

var nan, inf = float32(math.NaN()), float32(math.Inf(1))

func withProcessors(t *testing.T, n int) {
	before := runtime.GOMAXPROCS(n)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
}

// column gives column v of x as float64.
func column(x []float32, voxels, v int) []float64 {
	var y []float64
	for at := v; at < len(x); at += voxels {
		y = append(y, float64(x[at]))
	}
	return y
}

func TestCorrelation(t *testing.T) {
	s := study(seeded(1), "a", 50, 4, .5, 1, 1)
	for at := range s.Responses {
		s.Responses[at] = 3e37*s.Responses[at] + 1e37
	}
	r, constant := Correlation(s.Base, s.Responses, 50, 4)
	for v := range 4 {
		assert.InDelta(t, stat.Correlation(column(s.Base, 4, v), column(s.Responses, 4, v), nil), r[v], 1e-12)
		assert.False(t, constant[v])
	}
	self, _ := Correlation(s.Responses, s.Responses, 50, 4)
	assert.Equal(t, []float64{1, 1, 1, 1}, self)
}

func TestCorrelationOfColumnsThatCannotBeScored(t *testing.T) {
	// constant prediction | constant response, a third whose mean is inexact | NaN | +Inf | -Inf and +Inf | denormal
	tiny := float32(math.SmallestNonzeroFloat32)
	pred := []float32{
		.1, 1, nan, 1, inf, 0,
		.1, 2, 2, 2, -inf, tiny,
		.1, 4, 3, 3, 0, 0,
	}
	want := []float32{
		1, .1, 1, 1, 1, 0,
		2, .1, 2, inf, 2, tiny,
		3, .1, 4, 5, 3, 0,
	}
	r, constant := Correlation(pred, want, 3, 6)
	assert.Equal(t, []bool{true, true, true, true, true, false}, constant)
	assert.Equal(t, []float64{0, 0, 0, 0, 0}, r[:5])
	assert.InDelta(t, 1, r[5], 1e-12)
	mean, count := Mean(r, constant, nil)
	assert.Equal(t, 1, count)
	assert.InDelta(t, 1, mean, 1e-12)

	for _, rows := range []int{0, 1} {
		_, constant = Correlation(pred[:rows*6], want[:rows*6], rows, 6)
		assert.NotContains(t, constant, false, "%d rows", rows)
	}
	assert.PanicsWithValue(t, "stats: matrix has 3 values, want 2 rows × 2 voxels",
		func() { Correlation(pred[:3], want[:4], 2, 2) })
}

func TestMean(t *testing.T) {
	r, constant := []float64{.5, 0, .25, math.NaN()}, []bool{false, true, false, false}
	for _, c := range []struct {
		columns []int
		mean    float64
		count   int
	}{{nil, .375, 2}, {[]int{0, 1}, .5, 1}, {[]int{1, 3}, 0, 0}, {[]int{}, 0, 0}} {
		mean, count := Mean(r, constant, c.columns)
		assert.Equal(t, c.mean, mean, c.columns)
		assert.Equal(t, c.count, count, c.columns)
	}
}

func TestAutocorrelationTime(t *testing.T) {
	rng := seeded(2)
	for _, phi := range []float64{0, .3, .6, .8} {
		assert.InEpsilon(t, (1+phi)/(1-phi), autocorrelationTime(process(rng, 40000, phi), nil), .1, "φ = %g", phi)
	}
	assert.Equal(t, 1., autocorrelationTime(process(rng, 4000, -.5), nil), "neighbours that oppose each other")

	// The border between stories of different level is not taken for memory.
	white := process(rng, 4000, 0)
	for i := range white[:2000] {
		white[i] += 100
	}
	assert.Greater(t, autocorrelationTime(white, nil), 100.)
	assert.InDelta(t, 1, autocorrelationTime(white, []int{2000, 2000}), .2)

	for _, dull := range [][]float64{nil, {1}, {1, 2, 1}, {.1, .1, .1, .1, .1}, {1, math.NaN(), 2, 3, 4},
		{1, math.Inf(1), 2, 3, 4}} {
		assert.Equal(t, 1., autocorrelationTime(dull, nil), dull)
	}
	assert.Panics(t, func() { autocorrelationTime(white, []int{2000, 1999}) })
	assert.Panics(t, func() { autocorrelationTime(white, []int{2000, 2001}) })
}

func TestMedianAutocorrelationTime(t *testing.T) {
	rng := seeded(3)
	const rows, voxels = 5000, 4
	x := make([]float32, rows*voxels)
	for v, phi := range []float64{0, .6, .9} { // and a constant column, which has no say
		for i, value := range process(rng, rows, phi) {
			x[i*voxels+v] = float32(value)
		}
	}
	assert.InEpsilon(t, 4, MedianAutocorrelationTime(x, []int{2000, 3000}, voxels), .25)
	assert.Equal(t, 1., MedianAutocorrelationTime(make([]float32, 20), []int{10}, 2))
}

func TestBlockLength(t *testing.T) {
	for tau, rows := range map[float64]int{0: 10, 1: 10, 3.33: 10, 3.34: 11, 4: 12} {
		assert.Equal(t, rows, BlockLength(tau), tau)
	}
}

func TestCeiling(t *testing.T) {
	// Response = signal + noise of SD 2 in each of 5 repeats: SP = 1, TP = 5, and the mean has noise variance .8.
	const n, rows, voxels = 5, 20000, 3
	rng := seeded(4)
	signal := process(rng, rows, .5)
	repeats := make([]float32, n*rows*voxels)
	model, average := make([]float32, rows*voxels), make([]float32, rows*voxels)
	for row := range rows {
		for v := range voxels {
			at := row*voxels + v
			model[at] = float32(signal[row])
			for i := range n {
				y := 100 + 2*rng.NormFloat64() // voxel 1 is noise alone, voxel 2 constant
				if v == 0 {
					y += signal[row]
				}
				if v == 2 {
					y = .1
				}
				repeats[i*rows*voxels+at] = float32(y)
				average[at] += float32(y / n)
			}
		}
	}
	c := Ceiling(repeats, n, rows, voxels)
	assert.InDelta(t, 5, c.TP[0], .1)
	assert.InDelta(t, 1, c.SP[0], .05)
	assert.InDelta(t, .2, c.EV[0], .01)
	assert.InDelta(t, c.SP[0]/c.TP[0], c.EV[0], 1e-9, "the corrected explainable variance is the share of signal power")
	assert.InDelta(t, 1/math.Sqrt(1+(c.TP[0]/c.SP[0]-1)/n), c.CCMax[0], 1e-9)
	perfect, _ := Correlation(model, average, rows, voxels)
	assert.InDelta(t, perfect[0], c.CCMax[0], .01,
		"the ceiling is the r of the true signal with the mean of the repeats")
	assert.InDelta(t, 0, c.SP[1], .03)
	assert.Equal(t, []bool{true, c.SP[1] > 0, false}, c.Defined)
	assert.Zero(t, c.CCMax[2])
	for _, values := range [][]float64{c.TP, c.SP, c.EV, c.CCMax} {
		assert.False(t, slices.ContainsFunc(values, math.IsNaN))
	}
}

func TestCeilingUndefined(t *testing.T) {
	// Two repeats that oppose each other share less than nothing.
	opposed := Ceiling([]float32{1, 2, 3, 3, 2, 1}, 2, 3, 1)
	assert.Negative(t, opposed.SP[0])
	assert.Equal(t, []bool{false}, opposed.Defined)
	assert.Equal(t, []float64{0}, opposed.CCMax)
	assert.Equal(t, []bool{false}, Ceiling([]float32{1, 2, 3}, 1, 3, 1).Defined, "one repeat bounds nothing")
	assert.Equal(t, []bool{false}, Ceiling([]float32{1, 2, nan, 3, 2, 1}, 2, 3, 1).Defined)
	same := Ceiling([]float32{1, 2, 4, 1, 2, 4}, 2, 3, 1)
	assert.InDelta(t, 1, same.CCMax[0], 1e-12)
	assert.InDelta(t, 1, same.EV[0], 1e-12)
}

func TestShiftNull(t *testing.T) {
	const rows, voxels = 60, 3
	s := study(seeded(5), "a", rows, voxels, .5, .5, 1)
	for row := range rows {
		s.Base[row*voxels+1] = 2 // a constant prediction has no say
	}
	null := ShiftNull(s.Base, s.Responses, rows, voxels, nil, 10)
	require.Len(t, null.Shifted, 41)
	for i, got := range null.Shifted {
		shift := 10 + i
		moved := make([]float32, len(s.Responses))
		for row := range rows {
			copy(moved[(row+shift)%rows*voxels:][:voxels], s.Responses[row*voxels:])
		}
		r, constant := Correlation(s.Base, moved, rows, voxels)
		want, _ := Mean(r, constant, nil)
		require.InDelta(t, want, got, 1e-12, "shift %d", shift)
	}
	r, constant := Correlation(s.Base, s.Responses, rows, voxels)
	observed, _ := Mean(r, constant, nil)
	assert.InDelta(t, observed, null.Observed, 1e-12)
	assert.Greater(t, null.Observed, null.P95)
	assert.InDelta(t, 1./42, null.P, 1e-12)
	assert.InDelta(t, stat.Quantile(.95, stat.LinInterp, slices.Sorted(slices.Values(null.Shifted)), nil), null.P95,
		.02)

	one := ShiftNull(s.Base, s.Responses, rows, voxels, []int{2}, 10)
	assert.InDelta(t, r[2], one.Observed, 1e-12)
	none := ShiftNull(s.Base, s.Responses, rows, voxels, []int{1}, 10)
	assert.Zero(t, none.Observed)
	assert.Equal(t, 1., none.P)
	assert.Panics(t, func() { ShiftNull(s.Base, s.Responses, rows, voxels, nil, 31) })
	assert.Panics(t, func() { ShiftNull(s.Base, s.Responses, rows, voxels, nil, 0) })
}

// A process that has nothing to do with the responses reaches their 95th percentile one time in twenty.
func TestShiftNullIsCalibrated(t *testing.T) {
	rng := seeded(6)
	const simulations, rows = 300, 150
	above := 0
	for range simulations {
		p, y := make([]float32, rows), make([]float32, rows)
		a, b := process(rng, rows, .7), process(rng, rows, .7)
		for i := range rows {
			p[i], y[i] = float32(a[i]), float32(b[i])
		}
		if null := ShiftNull(p, y, rows, 1, nil, 5); null.Observed > null.P95 {
			above++
		}
	}
	t.Logf("%d of %d above the 95th percentile", above, simulations)
	assert.Less(t, above, simulations/10)
	assert.Positive(t, above)
}

func TestQuantile(t *testing.T) {
	values := []float64{1, 2, 4}
	for q, want := range map[float64]float64{0: 1, .25: 1.5, .5: 2, .75: 3, 1: 4} {
		assert.Equal(t, want, quantile(values, q), q)
	}
	assert.Equal(t, 7., quantile([]float64{7}, .3))
}
