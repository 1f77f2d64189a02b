package acoustic_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/acoustic"
)

// voice is a tone with harmonics that fall by 6 dB an octave, its pitch gliding between two
// frequencies, and noise of the given SD.
func voice(seconds, from, to, noise float64) (wave []float32, hertz func(second float64) float64) {
	hertz = func(at float64) float64 { return from + (to-from)*at/seconds }
	r := rand.New(rand.NewPCG(1, 1))
	phase := 0.
	for i := range int(seconds * acoustic.Rate) {
		phase += 2 * math.Pi * hertz(float64(i)/acoustic.Rate) / acoustic.Rate
		x := noise * r.NormFloat64()
		for h := 1.; h <= 8; h++ {
			x += .2 / h * math.Sin(h*phase+h)
		}
		wave = append(wave, float32(x))
	}
	return wave, hertz
}

func TestPitchOfSyntheticVoices(t *testing.T) {
	for _, c := range []struct{ from, to, noise float64 }{{80, 80, 0}, {120, 120, .02}, {210, 210, .02}, {380, 380, 0},
		{100, 300, .01}} {
		wave, hertz := voice(1, c.from, c.to, c.noise)
		voiced := 0
		for i, f := range acoustic.Pitch(wave) {
			if f == 0 {
				continue
			}
			voiced++
			assert.InEpsilon(t, hertz(acoustic.Time(i)), f, .01, "%v, frame %d", c, i)
		}
		assert.GreaterOrEqual(t, voiced, 45, "of 49 frames, less the edges: %v", c)
	}

	// A missing fundamental is still the pitch.
	var wave []float32
	for i := range acoustic.Rate {
		at := 2 * math.Pi * 150 * float64(i) / acoustic.Rate
		wave = append(wave, float32(.2*math.Sin(2*at)+.2*math.Sin(3*at)+.2*math.Sin(4*at)))
	}
	assert.InDelta(t, 150, acoustic.Pitch(wave)[20], 1)
}

// Periods halfway between two lags: read off at whole lags, the pitch would be wrong by half a lag,
// and the peak at two periods, which is a whole lag, would be higher than that at one.
func TestPitchBetweenTwoLags(t *testing.T) {
	for _, lag := range []float64{40.5, 42.5, 50.5, 80.5} {
		hertz := acoustic.Rate / lag
		wave, _ := voice(1, hertz, hertz, 0)
		pitch := acoustic.Pitch(wave)
		for i, f := range pitch[2 : len(pitch)-2] {
			require.InEpsilon(t, hertz, f, .002, "a period of %g samples, frame %d", lag, i+2)
		}
	}
}

func TestNoVoiceNoPitch(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	noise := make([]float32, acoustic.Rate)
	for i := range noise {
		noise[i] = float32(.1 * r.NormFloat64())
	}
	voiced := 0
	for _, f := range acoustic.Pitch(noise) {
		if f != 0 {
			voiced++
		}
	}
	assert.LessOrEqual(t, voiced, 2, "white noise")
	for _, f := range acoustic.Pitch(make([]float32, acoustic.Rate)) {
		require.Zero(t, f, "silence")
	}
	assert.Empty(t, acoustic.Pitch(make([]float32, 399)))
}

func TestLoudnessAndBands(t *testing.T) {
	wave := make([]float32, acoustic.Rate)
	for i := range wave { // 1000 Hz: whole periods in a frame
		wave[i] = float32(.5 * math.Sin(2*math.Pi*1000*float64(i)/acoustic.Rate))
	}
	loud := acoustic.Loudness(wave)
	require.Len(t, loud, acoustic.Frames(len(wave)))
	require.Len(t, loud, 49)
	assert.InDelta(t, 10*math.Log10(.125), loud[10], 1e-4)
	assert.InDelta(t, -100, acoustic.Loudness(make([]float32, 1000))[0], 1e-9)

	const n = 8
	bands := acoustic.Bands(wave, n)
	require.Len(t, bands, 49*n)
	most := 0
	for b := range n {
		if bands[10*n+b] > bands[10*n+most] {
			most = b
		}
	}
	assert.Equal(t, 2, most, "of 8 bands from 150 to 2805 mel the third holds 1000 mel")
	for _, b := range bands[10*n+5 : 11*n] {
		assert.Less(t, b, bands[10*n+most]-10, "far bands are 40 dB lower")
	}
}

func ExamplePitch() {
	wave, _ := voice(.5, 200, 200, 0)
	fmt.Printf("%.0f Hz\n", acoustic.Pitch(wave)[10])
	// Output: 200 Hz
}
