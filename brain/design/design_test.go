package design

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

func TestClock(t *testing.T) {
	c := Clock{First: 1.352, TR: 2, RowTime: .5}
	assert.InDelta(t, 1.352+1, c.Time(0), 1e-12)
	assert.InDelta(t, 1.352+7, c.Time(3), 1e-12)
	assert.Equal(t, []float64{c.Time(2), c.Time(3)}, c.Times(2, 4))
	assert.Empty(t, c.Times(4, 2))
}

func TestWindowsRampUpThenSlide(t *testing.T) {
	windows := Windows(16000*5+3999, 16000, 4, .25)
	require.Len(t, windows, 20, "none ends after the audio")
	for i, w := range windows {
		assert.Equal(t, 4000*(i+1), w.End)
		assert.Equal(t, max(0, w.End-64000), w.Start)
		assert.Equal(t, .25*float64(i+1), w.Time)
	}
	assert.Len(t, Windows(16000*5+4000, 16000, 4, .25), 21, "one may end with the audio")
}

func TestWindowsBelowOneFrameAreLeftOut(t *testing.T) {
	windows := Windows(1000, 16000, 4, .01)
	require.Len(t, windows, 4)
	assert.Equal(t, Window{Start: 0, End: 480, Time: .03}, windows[0])
	assert.Equal(t, Window{Start: 0, End: 400, Time: .025}, Windows(400, 16000, 4, .025)[0],
		"400 samples are one frame")
	assert.Empty(t, Windows(399, 16000, 4, .025))
	assert.Empty(t, Windows(16000, 16000, 399./16000, .25), "a window shorter than a frame never has one")
	assert.Empty(t, Windows(0, 16000, 4, .25))
}

func TestWindowsDoNotDrift(t *testing.T) {
	// A third of a second is 5333.33 samples: adding up 5333 would be a second early after 16000
	// windows.
	windows := Windows(16000*3600, 16000, 4, 1./3)
	last := windows[len(windows)-1]
	assert.Equal(t, 16000*3600, last.End)
	for _, w := range windows {
		require.InDelta(t, w.Time*16000, float64(w.End), .5001)
	}
	// .1·3 is not .3 in binary: the last window must not be lost to it.
	assert.Len(t, Windows(16000*3, 16000, 4, .1), 30)
}

func TestWindowsPanicOnNonsense(t *testing.T) {
	for _, f := range []func(){
		func() { Windows(1000, 0, 4, .25) },
		func() { Windows(1000, 16000, 0, .25) },
		func() { Windows(1000, 16000, 4, 0) },
		func() { Windows(1000, 16000, math.NaN(), .25) },
		func() { Windows(1000, 16000, 4, math.Inf(1)) },
	} {
		assert.Panics(t, f)
	}
}

// The numbers that HuthLab's interpdata.py gives at TR 2.0045.
func TestLanczosGolden(t *testing.T) {
	const tr = 2.0045
	rows := Clock{TR: tr, RowTime: .5}.Times(0, 40)
	for _, g := range []struct {
		stride   float64
		nonzero  int
		sum      float64
		positive int
	}{{.25, 48, 7.99, 32}, {.1, 120, 19.99, 80}} {
		features := Clock{First: g.stride, TR: g.stride}.Times(0, int(40*tr/g.stride))
		w := Lanczos(rows, features, LanczosOptions{})
		clipped := Lanczos(rows, features, LanczosOptions{ClipNegative: true})
		for r := 10; r < 30; r++ {
			var sum, negative, positive float64
			nonzero, kept := 0, 0
			for i, v := range w.Runs[r] {
				sum += v
				if v != 0 {
					nonzero++
				}
				if v < 0 {
					negative -= v
					assert.Zero(t, clipped.Runs[r][i])
				} else {
					positive += v
					assert.Equal(t, v, clipped.Runs[r][i])
				}
				if clipped.Runs[r][i] != 0 {
					kept++
				}
			}
			assert.InDelta(t, g.nonzero, nonzero, 1)
			assert.InDelta(t, g.sum, sum, .006)
			assert.InDelta(t, .152, negative/positive, .001)
			assert.InDelta(t, g.positive, kept, 1)
		}
	}
}

func TestLanczosOneRowByHand(t *testing.T) {
	// TR 2 s: a feature one second before the row is at x = 1/2, where the kernel is
	// 3·sin(π/2)·sin(π/6)/(π/2)².
	w := Lanczos([]float64{10}, []float64{3.9, 4, 9, 10, 11, 12, 16}, LanczosOptions{Cutoff: .5})
	require.Equal(t, 2, w.First[0], "the kernel is zero from 3 TRs on")
	half := 3 * .5 / (math.Pi * math.Pi / 4)
	require.InDeltaSlice(t, []float64{half, 1, half, 0}, w.Runs[0], 1e-12)
	assert.Equal(t, w, Lanczos([]float64{10}, []float64{3.9, 4, 9, 10, 11, 12, 16},
		LanczosOptions{Cutoff: .5, Lobes: 3}))
}

func TestLanczosNeedsACutoff(t *testing.T) {
	assert.Panics(t, func() { Lanczos([]float64{1}, []float64{1}, LanczosOptions{}) })
	assert.Panics(t, func() { Lanczos([]float64{2, 1}, []float64{1}, LanczosOptions{}) })
	assert.Panics(t, func() { Lanczos([]float64{1, 2}, []float64{2, 1}, LanczosOptions{}) }, "features must ascend")
	w := Lanczos(nil, []float64{1}, LanczosOptions{})
	assert.Zero(t, w.Rows)
}

func TestAverageTakesTheRowsOwnTR(t *testing.T) {
	features := Clock{First: .1, TR: .1}.Times(0, 60) // .1 to 6.0, with the rounding of a running sum of .1
	for _, rowTime := range []float64{0, .5, 1} {
		c := Clock{TR: 2, RowTime: rowTime}
		w := Average(c.Times(0, 4), features, 2, rowTime)
		for r := range 3 {
			require.Len(t, w.Runs[r], 20)
			assert.Equal(t, 20*r, w.First[r],
				"the feature that ends with the TR is in it, the one that ends where it starts is not")
			assert.Equal(t, 1./20, w.Runs[r][7])
		}
		assert.Empty(t, w.Runs[3], "no audio is left")
	}
}

func TestDelays(t *testing.T) {
	d, err := Delays([]float64{8, 2, 4, 6}, 2.0045)
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2, 3, 4}, d)
	for name, seconds := range map[string][]float64{
		"none": {}, "zero": {0, 2}, "below half a TR": {.9}, "negative": {-2}, "same TR": {4, 4.5},
		"NaN": {math.NaN()}, "Inf": {math.Inf(1)},
	} {
		_, err := Delays(seconds, 2)
		require.Error(t, err, name)
		assert.Equal(t, fault.Usage, fault.KindOf(err), name)
	}
	_, err = Delays([]float64{2}, 0)
	require.Error(t, err)
}

func TestFIRIsNewestFirstWithZerosBefore(t *testing.T) {
	x := []float32{1, 10, 2, 20, 3, 30}
	assert.Equal(t, []float32{
		0, 0, 0, 0,
		1, 10, 0, 0,
		2, 20, 1, 10,
	}, FIR(x, 3, 2, []int{1, 2}))
	assert.Equal(t, make([]float32, 6), FIR(x, 3, 2, []int{7}), "a delay longer than the story")
	assert.Equal(t, x, FIR(x, 3, 2, []int{0}))
	assert.Panics(t, func() { FIR(x, 3, 2, []int{-1}) })
	assert.Panics(t, func() { FIR(x, 4, 2, []int{1}) })
}

func TestZScore(t *testing.T) {
	x := []float32{1, .1, 3, .1, 5, .1, 7, .1}
	z := FitZScore(x, 4, 2)
	assert.Equal(t, []float64{4, float64(float32(.1))}, z.Mean)
	assert.InDeltaSlice(t, []float64{math.Sqrt(5), 1}, z.SD, 1e-12, "biased SD; a constant column keeps scale 1")
	y := z.Apply(x)
	assert.InDelta(t, -3/math.Sqrt(5), y[0], 1e-6)
	assert.Zero(t, y[1])

	part := FitZScore(x, 4, 2, Rows{From: 0, To: 1}, Rows{From: 3, To: 4})
	assert.Equal(t, 4., part.Mean[0])
	assert.Equal(t, 3., part.SD[0])
	assert.Panics(t, func() { FitZScore(x, 4, 2, Rows{From: 3, To: 5}) })
	assert.Panics(t, func() { z.Apply(x[:3]) })
}

func TestZScoreOfLargeMeans(t *testing.T) {
	// Scanner units: the one-pass formula loses all digits of this SD.
	x := []float32{16777214, 16777215, 16777216}
	assert.InDelta(t, math.Sqrt(2./3), FitZScore(x, 3, 1).SD[0], 1e-12)
}

func TestDetrendRemovesPolynomialsAndNothingElse(t *testing.T) {
	const rows, order = 120, 5
	x := make([]float32, rows*2)
	wave := make([]float64, rows)
	for k := range rows {
		s := float64(k)/rows - .3
		wave[k] = math.Cos(math.Pi * 60 * (float64(k) + .5) / rows)
		x[2*k] = float32(1000 + 30*s - 200*s*s*s + 5*math.Pow(s, 5))
		x[2*k+1] = float32(x[2*k]) + float32(wave[k])
	}
	y := Detrend(x, rows, 2, order)
	for k := range rows {
		assert.InDelta(t, 0, y[2*k], 2e-4)
		assert.InDelta(t, wave[k], y[2*k+1], 5e-2, "a wave of 60 half cycles has little in common with order 5")
	}
	again := Detrend(y, rows, 2, order)
	for i := range y {
		assert.InDelta(t, y[i], again[i], 1e-6)
	}
	assert.Panics(t, func() { Detrend(x, rows, 2, rows) })
}
