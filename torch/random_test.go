package torch_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/torch"
)

// dropped is a scope's n-th dropout of ones, for n draws.
func dropped(t *testing.T, seed uint64, p float64, draws, size int) (out [][]float32) {
	t.Helper()
	train(t, seed, func(s *torch.Scope) {
		for range draws {
			out = append(out, s.Full(1, size).Dropout(p).Float32s())
		}
	})
	return out
}

func TestDropoutIsSeeded(t *testing.T) {
	a := dropped(t, 7, .25, 2, 1000)
	assert.Equal(t, a, dropped(t, 7, .25, 2, 1000))
	assert.NotEqual(t, a[0], a[1], "each draw of a scope is another")
	assert.NotEqual(t, a, dropped(t, 8, .25, 2, 1000))
	// Parallel runs of the mask are longer than 1<<15: the number of threads does not show.
	assert.Equal(t, dropped(t, 7, .25, 1, 200_000)[0][:1000], a[0])
}

func TestDropoutLimits(t *testing.T) {
	infer(t, func(s *torch.Scope) { assert.Equal(t, 1., s.Full(1, 9).Dropout(.9).Mean().Item(), "off in Infer") })
	train(t, 1, func(s *torch.Scope) {
		x := s.Full(1, 9)
		assert.Same(t, x, x.Dropout(0))
		assert.Equal(t, make([]float32, 9), x.Dropout(1).Float32s())
		for _, p := range []float64{-.1, 1.1, math.NaN()} {
			y := s.Zeros(1, 1, 1, 1)
			assert.Panics(t, func() { y.Dropout(p) }, p)
			assert.Panics(t, func() { y.GatedAttention(y, y, torch.Attention{Dropout: p}) }, p)
		}
	})
}

func TestDropoutInEachType(t *testing.T) {
	train(t, 3, func(s *torch.Scope) {
		for _, d := range []torch.DType{torch.Float32, torch.Float64, torch.BFloat16} {
			x := s.Full(3, 1000).ToType(d).RequireGrad(true)
			y := x.Dropout(.1)
			assert.Equal(t, d, y.DType())
			y.Sum().Backward()
			values, slopes := y.Detach().ToType(torch.Float64).Float64s(), x.Grad(s).ToType(torch.Float64).Float64s()
			gain := s.Full(1, 1).ToType(d).MulScalar(1 / .9).ToType(torch.Float64).Item() // as this type rounds it
			for i, v := range values {
				if v == 0 {
					assert.Zero(t, slopes[i])
					continue
				}
				assert.InEpsilon(t, 3/.9, v, map[torch.DType]float64{torch.Float32: 1e-7, torch.Float64: 1e-15,
					torch.BFloat16: 4e-3}[d])
				assert.Equal(t, gain, slopes[i])
			}
		}
	})
}

// Bernoulli trials: the number kept, and no correlation between neighbours, draws and seeds. Five
// standard deviations are allowed, and the seeds are fixed.
func TestDropoutDistribution(t *testing.T) {
	const n = 200_000
	for _, p := range []float64{.01, .1, .5, .9} {
		q := 1 - p
		a := dropped(t, 11, p, 2, n)
		b := dropped(t, 12, p, 1, n)
		kept := func(x []float32, i int) float64 { // 1 or 0, centred
			if x[i%n] != 0 {
				return 1 - q
			}
			return -q
		}
		products := map[string]func(i int) float64{
			"mean":            func(i int) float64 { return kept(a[0], i) * math.Sqrt(p*q) },
			"next element":    func(i int) float64 { return kept(a[0], i) * kept(a[0], i+1) },
			"second next":     func(i int) float64 { return kept(a[0], i) * kept(a[0], i+2) },
			"64 elements on":  func(i int) float64 { return kept(a[0], i) * kept(a[0], i+64) },
			"next draw":       func(i int) float64 { return kept(a[0], i) * kept(a[1], i) },
			"next draw, next": func(i int) float64 { return kept(a[0], i) * kept(a[1], i+1) },
			"next seed":       func(i int) float64 { return kept(a[0], i) * kept(b[0], i) },
		}
		for name, product := range products {
			sum := 0.
			for i := range n {
				sum += product(i)
			}
			assert.LessOrEqual(t, math.Abs(sum), 5*p*q*math.Sqrt(n), "p = %g: %s", p, name)
		}
		for _, v := range a[0] {
			if v != 0 {
				require.InEpsilon(t, 1/q, v, 1e-6)
			}
		}
	}
}

// unmixed is the mode's seed with which a scope's first draw has the given seed: Seed backwards.
func unmixed(want uint64) uint64 {
	unxor := func(z uint64, by uint) uint64 {
		for x := z >> by; x != 0; x >>= by {
			z ^= x
		}
		return z
	}
	unmix := func(z uint64) uint64 {
		z = unxor(z, 31) * 0x319642B2D24D8EC3 // inverse of 0x94D049BB133111EB modulo 2^64
		z = unxor(z, 27) * 0x96DE1B173F119089 // inverse of 0xBF58476D1CE4E5B9
		return unxor(z, 30) - 0x9E3779B97F4A7C15
	}
	return unmix(unmix(want) - 1)
}

func TestUnmixed(t *testing.T) {
	for _, z := range []uint64{0, 1, 1234, math.MaxUint64} {
		assert.Equal(t, z, torch.Seed(unmixed(z), 1))
	}
}

// The draws are those of PyTorch: kaiming_uniform_(a=√5) after manual_seed(1234) is in the goldens
// of PEFT.
func TestUniformIsPyTorchs(t *testing.T) {
	f, err := ckpt.Open("../testdata/golden/base/peft/init.safetensors")
	require.NoError(t, err)
	defer f.Close()
	want, err := f.Float32("kaiming_uniform_a_sqrt5_seed1234_4x48")
	require.NoError(t, err)
	train(t, unmixed(1234), func(s *torch.Scope) {
		limit := 1 / math.Sqrt(48)
		assert.InDeltaSlice(t, want, s.Uniform(-limit, limit, 4, 48).Float32s(), 2e-8)
	})
}

func TestNormal(t *testing.T) {
	train(t, 5, func(s *torch.Scope) {
		x := s.Normal(2, 3, 100_000)
		mean := x.Mean()
		sd := math.Sqrt(x.Sub(mean).Square().Mean().Item())
		assert.InDelta(t, 2, mean.Item(), 5*3/math.Sqrt(1e5))
		assert.InDelta(t, 3, sd, 5*3/math.Sqrt(2e5))
		assert.NotEqual(t, x.Float32s(), s.Normal(2, 3, 100_000).Float32s())
	})
}

func TestSeed(t *testing.T) {
	seen := map[uint64]bool{}
	for a := range uint64(30) {
		seen[torch.Seed(a)] = true
		for b := range uint64(30) {
			seen[torch.Seed(a, b)] = true
		}
	}
	assert.Len(t, seen, 30+900, "parts and their order count")
}
