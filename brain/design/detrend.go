package design

import (
	"fmt"
	"math"
)

// Detrend removes from each column of x (rows, cols) its least-squares fit by Legendre polynomials of order 0 to order,
// mean included, over all rows. Fit on one run (one repeat of one story) at a time.
func Detrend(x []float32, rows, cols, order int) []float32 {
	mustHave(x, rows, cols)
	if order < 0 || order >= rows {
		panic(fmt.Sprintf("design: drift of order %d on %d rows", order, rows))
	}
	rest := make([]float64, len(x))
	for i, v := range x {
		rest[i] = float64(v)
	}
	fit := make([]float64, cols)
	for _, p := range legendre(rows, order) {
		clear(fit)
		for k, pk := range p {
			for c, v := range rest[k*cols:][:cols] {
				fit[c] += pk * v
			}
		}
		for k, pk := range p {
			row := rest[k*cols:][:cols]
			for c, f := range fit {
				row[c] -= pk * f
			}
		}
	}
	out := make([]float32, len(x))
	for i, v := range rest {
		out[i] = float32(v)
	}
	return out
}

// legendre samples the polynomials of order 0 to order at n even steps from −1 to 1 and makes them orthonormal on those
// points, where the continuous ones are only nearly so.
func legendre(n, order int) [][]float64 {
	basis := make([][]float64, 0, order+1)
	for l := range order + 1 {
		p := make([]float64, n)
		for k := range p {
			p[k] = legendreAt(l, -1+2*float64(k)/max(1, float64(n-1)))
		}
		for range 2 { // one Gram-Schmidt sweep leaves rounding that the second removes
			for _, q := range basis {
				proj := dot(p, q)
				for k := range p {
					p[k] -= proj * q[k]
				}
			}
		}
		norm := math.Sqrt(dot(p, p))
		for k := range p {
			p[k] /= norm
		}
		basis = append(basis, p)
	}
	return basis
}

// legendreAt is P_l(t) by Bonnet's recursion.
func legendreAt(l int, t float64) float64 {
	before, p := 0.0, 1.0
	for i := range l {
		before, p = p, (float64(2*i+1)*t*p-float64(i)*before)/float64(i+1)
	}
	return p
}

func dot(a, b []float64) (sum float64) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}
