package probe

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func gauss(n int, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 5))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func TestCKA(t *testing.T) {
	const n, width = 400, 5
	x := gauss(n*width, 1)
	cka := func(y []float32) float64 {
		c, err := linearCKA(t.Context(), x, y, n)
		require.NoError(t, err)
		return c
	}
	assert.InDelta(t, 1, cka(x), 1e-9)

	// A rotation in the plane of two columns, a scale and a shift change nothing.
	turned := append([]float32(nil), x...)
	sin, cos := math.Sincos(.7)
	for i := 0; i < len(x); i += width {
		a, b := float64(x[i]), float64(x[i+1])
		turned[i], turned[i+1] = float32(cos*a-sin*b), float32(sin*a+cos*b)
		for c := range width {
			turned[i+c] = 3*turned[i+c] + 2
		}
	}
	assert.InDelta(t, 1, cka(turned), 1e-6)

	// Closed form of one column each: r².
	a, b := gauss(n, 2), gauss(n, 3)
	for i := range b {
		b[i] += a[i]
	}
	got, err := linearCKA(t.Context(), a, b, n)
	require.NoError(t, err)
	var ma, mb, aa, bb, ab float64
	for i := range a {
		ma, mb = ma+float64(a[i])/n, mb+float64(b[i])/n
	}
	for i := range a {
		p, q := float64(a[i])-ma, float64(b[i])-mb
		aa, bb, ab = aa+p*p, bb+q*q, ab+p*q
	}
	assert.InDelta(t, ab*ab/aa/bb, got, 1e-9)

	assert.Less(t, cka(gauss(n*width, 9)), .05, "independent: about width/n")
	assert.Zero(t, cka(make([]float32, n*width)), "a constant")
}

func TestIntrinsicDimensionOfPlantedManifolds(t *testing.T) {
	const n, width = 1500, 20
	for _, d := range []int{1, 2, 5} {
		low, mix := gauss(n*d, uint64(d)), gauss(d*width, uint64(10+d))
		x := make([]float32, n*width)
		for i := range n {
			for c := range width {
				for k := range d {
					x[i*width+c] += low[i*d+k] * mix[k*width+c]
				}
			}
		}
		got, err := intrinsicDimension(t.Context(), x, n)
		require.NoError(t, err)
		assert.InEpsilon(t, d, got, .08, "planted %d", d)
		// Points met twice change nothing.
		twice, err := intrinsicDimension(t.Context(), append(x, x[:width*200]...), n+200)
		require.NoError(t, err)
		assert.InDelta(t, got, twice, 1e-6)
	}
	none, err := intrinsicDimension(t.Context(), make([]float32, 30), 30)
	require.NoError(t, err)
	assert.True(t, math.IsNaN(none))
}

func TestPCA(t *testing.T) {
	// Three directions with SDs 4, 2 and 1 in five channels: variances 16, 4, 1.
	const n = 2000
	g := gauss(n*3, 1)
	x := make([]float32, n*5)
	for i := range n {
		x[i*5+3], x[i*5+1], x[i*5] = 4*g[i*3], 2*g[i*3+1], g[i*3+2]
	}
	p, err := newPCA(t.Context(), x, n)
	require.NoError(t, err)
	assert.InDelta(t, 16./21, p.variance[0], .02)
	assert.InDelta(t, 4./21, p.variance[1], .02)
	assert.Equal(t, 2, p.dims(.9))
	assert.Equal(t, 3, p.dims(.999))
	first := p.first(1)
	require.Len(t, first, n)
	assert.InDelta(t, 1, math.Abs(float64(first[7]-first[8]))/math.Abs(float64(x[7*5+3]-x[8*5+3])), .05)
}
