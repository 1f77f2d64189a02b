package audio

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tone is n samples of a sine of unit amplitude.
func tone(n int, hz, rate float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(math.Sin(2 * math.Pi * hz * float64(i) / rate))
	}
	return x
}

// decibels of the largest absolute value, leaving out what the ends of the signal disturb.
func decibels(x []float32, margin int) float64 {
	peak := 0.0
	for _, v := range x[margin : len(x)-margin] {
		peak = max(peak, math.Abs(float64(v)))
	}
	return 20 * math.Log10(peak)
}

// edge is how far, in samples of 16 kHz, a signal's end reaches into the result.
const edge = 160

var rates = []int{8000, 11025, 12000, 15999, 16001, 22050, 24000, 32000, 44100, 44101, 48000, 96000, 192000}

// resample converts x in blocks, as a reader does.
func resample(x []float32, from, to int, method Method) []float32 {
	r := newResampler(from, to, method)
	y := make([]float32, resampledLen(int64(len(x)), from, to))
	n := 0
	for block := range slices.Chunk(x, blockSamples) {
		b := make([]float64, len(block))
		for i, v := range block {
			b[i] = float64(v)
		}
		r.push(b)
		n += r.pull(y[n:])
	}
	r.end()
	r.pull(y[n:])
	return y
}

func TestPassBandIsKeptWithoutDelay(t *testing.T) {
	for _, rate := range rates {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			nyquist := float64(min(rate, Rate)) / 2
			for _, hz := range []float64{50, 0.3 * nyquist, 0.7 * nyquist, 0.9 * nyquist} {
				got := resample(tone(rate/4, hz, float64(rate)), rate, Rate, Sinc)
				want := tone(len(got), hz, Rate)
				for i := range got {
					got[i] -= want[i]
				}
				assert.Less(t, decibels(got, edge), -100.0, "%g Hz", hz)
			}
		})
	}
}

func TestStopBandIsRemoved(t *testing.T) {
	for _, rate := range rates {
		if rate < Rate {
			continue // images of what is kept are errors in TestPassBandIsKeptWithoutDelay
		}
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			top := float64(rate) / 2
			for _, hz := range []float64{8000, 8000 + 0.01*(top-8000), 8000 + 0.3*(top-8000), 8000 + 0.99*(top-8000)} {
				// A cosine: at exactly half the output's rate a sine would be sampled where it is
				// 0.
				x := make([]float32, rate/4)
				for i := range x {
					x[i] = float32(math.Cos(2 * math.Pi * hz * float64(i) / float64(rate)))
				}
				got := resample(x, rate, Rate, Sinc)
				assert.Less(t, decibels(got, edge), -100.0, "%g Hz", hz)
			}
		})
	}
}

func TestSweepEndsAtNyquist(t *testing.T) {
	// One second of a sweep from 0 to 20 kHz: what passes 8 kHz, at 0.4 s, must be gone,
	// alias-free.
	const rate, n = 44100, 44100
	x := make([]float32, n)
	for i := range x {
		s := float64(i) / rate
		x[i] = float32(math.Sin(2 * math.Pi * 10000 * s * s))
	}
	y := resample(x, rate, Rate, Sinc)
	assert.InDelta(t, 0, decibels(y[:int(0.35*Rate)], edge), 0.01, "7 kHz and below pass")
	assert.Less(t, decibels(y[int(0.415*Rate):], edge), -100.0)
}

func TestTorchaudioParity(t *testing.T) {
	var golden struct {
		Cases []struct {
			From, To int
			X, Y     []float32
		}
	}
	raw, err := os.ReadFile("testdata/resample_torchaudio.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &golden))
	require.Len(t, golden.Cases, 7)
	for _, c := range golden.Cases {
		t.Run(fmt.Sprint(c.From), func(t *testing.T) {
			got := resample(c.X, c.From, c.To, Torchaudio)
			require.Len(t, got, len(c.Y))
			// float32 rounding, and at 44101 Hz, where rows are interpolated, 3e-7 more.
			// Torchaudio's own float32 arithmetic is off by up to 2e-5.
			assert.InDeltaSlice(t, c.Y, got, 5e-7)
		})
	}
}

func TestBlocksDoNotMatter(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, rate := range []int{8000, 16000, 22050, 44100, 44101} {
		for _, n := range []int{1, 7, 999, 12345} {
			x := make([]float32, n)
			for i := range x {
				x[i] = rng.Float32()*2 - 1
			}
			want := resample(x, rate, Rate, Sinc)

			r := newResampler(rate, Rate, Sinc)
			var got []float32
			out := make([]float32, 333)
			for rest := x; ; {
				if k := r.pull(out[:1+rng.IntN(len(out))]); k > 0 {
					got = append(got, out[:k]...)
				} else if r.ended() {
					break
				} else if len(rest) == 0 {
					r.end()
				} else {
					block := make([]float64, min(len(rest), 1+rng.IntN(2000)))
					for i := range block {
						block[i] = float64(rest[i])
					}
					r.push(block)
					rest = rest[len(block):]
				}
			}
			require.Equal(t, want, got, "%d samples at %d Hz", n, rate)
			require.Len(t, got, int(math.Ceil(float64(n)*Rate/float64(rate))))
		}
	}
}

func TestConstantStaysConstant(t *testing.T) {
	x := make([]float32, 20000)
	for i := range x {
		x[i] = 0.25
	}
	y := resample(x, 44100, Rate, "")
	for _, v := range y[edge : len(y)-edge] {
		require.InDelta(t, 0.25, v, 1e-7)
	}
}

func TestSameRateIsTheSame(t *testing.T) {
	x := tone(1000, 440, Rate)
	y := resample(x, Rate, Rate, Sinc)
	assert.Equal(t, x, y)
}

func TestKernelTablesAreSmall(t *testing.T) {
	for rate := minRate; rate <= maxRate; rate += 9973 {
		for _, m := range []Method{Sinc, Torchaudio} {
			r := newResampler(rate, Rate, m)
			require.LessOrEqual(t, len(r.table), maxTable+2*r.half, "%d Hz", rate)
		}
	}
}

func BenchmarkResample(b *testing.B) {
	for _, rate := range []int{8000, 44100, 48000} {
		for _, m := range []Method{Sinc, Torchaudio} {
			b.Run(fmt.Sprintf("%s/%d", m, rate), func(b *testing.B) {
				x := tone(10*rate, 440, float64(rate))
				for b.Loop() {
					resample(x, rate, Rate, m)
				}
				b.ReportMetric(10*float64(b.N)/b.Elapsed().Seconds(), "audio-s/s")
			})
		}
	}
}
