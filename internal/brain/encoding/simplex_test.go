package encoding

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

// errorOf returns aᵀPa.
func errorOf(p, a []float64) (sum float64) {
	for i := range a {
		for j := range a {
			sum += a[i] * p[i*len(a)+j] * a[j]
		}
	}
	return sum
}

// residualProducts returns the products of n residuals over some rows, which have a part in common.
func residualProducts(r *rand.Rand, n, rows int) []float64 {
	p := make([]float64, n*n)
	for range rows {
		x, common := make([]float64, n), r.NormFloat64()
		for i := range x {
			x[i] = common + float64(i%3+1)*.5*r.NormFloat64()
		}
		for i := range n {
			for j := range n {
				p[i*n+j] += x[i] * x[j]
			}
		}
	}
	return p
}

// No point of a fine grid of the simplex is better, and the best one is no further away than the grid allows.
func TestConvexWeightsAgainstAGrid(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	const steps = 200
	inside := 0
	for trial := range 200 {
		n := 2 + trial%2
		p := residualProducts(r, n, 4+trial%9)
		a := convexWeights(p, n)
		best, at := 0., []float64(nil)
		for i := range steps + 1 {
			for j := range steps + 1 - i {
				b := []float64{float64(i) / steps, float64(j) / steps, float64(steps-i-j) / steps}
				if n == 2 {
					if j > 0 {
						break
					}
					b = []float64{b[0], 1 - b[0]}
				}
				if e := errorOf(p, b); at == nil || e < best {
					best, at = e, b
				}
			}
		}
		assert.LessOrEqual(t, errorOf(p, a), best*(1+1e-9), "%v, grid %v", a, at)
		assert.Greater(t, errorOf(p, a), .9*best, "%v, grid %v", a, at)
		if min(a[0], a[1]) > 0 {
			inside++
		}
	}
	assert.Greater(t, inside, 50, "optima in the middle are among them")
}

// The conditions of Karush, Kuhn and Tucker hold for many residuals, more than rows, and for copies of each other.
func TestConvexWeightsAreOptimal(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	for trial := range 100 {
		const n = 25
		p := residualProducts(r, n, 5+trial)
		if trial%3 == 0 { // residual 7 is residual 3
			for i := range n {
				p[7*n+i] = p[3*n+i]
			}
			for i := range n {
				p[i*n+7] = p[i*n+3]
			}
		}
		a := convexWeights(p, n)
		sum, largest := 0., 0.
		for i, x := range a {
			assert.GreaterOrEqual(t, x, 0.)
			sum, largest = sum+x, max(largest, p[i*n+i])
		}
		assert.InDelta(t, 1, sum, 1e-9)
		value := errorOf(p, a)
		for i := range n {
			gradient := 0.
			for j := range n {
				gradient += p[i*n+j] * a[j]
			}
			assert.GreaterOrEqual(t, gradient, value-1e-7*largest, "trial %d, weight %d", trial, i)
			if a[i] > 1e-6 {
				assert.InDelta(t, value, gradient, 1e-7*largest)
			}
		}
	}
	assert.Equal(t, []float64{1, 0, 0}, convexWeights(make([]float64, 9), 3), "without any error")
	assert.Equal(t, []float64{0, 1}, convexWeights([]float64{4, 2, 2, 1}, 2), "twice the residual has no part")
}
