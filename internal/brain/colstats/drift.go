package colstats

import (
	"fmt"
	"math"
)

// Drift is the least-squares fit of Legendre polynomials to the columns of a matrix whose rows are
// given one after another, once for each order. It holds one coefficient for each order and column,
// and no values.
type Drift struct {
	basis        [][]float64 // (order+1, rows), orthonormal
	coefficients [][]float64 // (order+1, cols)
}

// NewDrift returns a Drift of orders 0 to order that has not been fitted.
func NewDrift(rows, cols, order int) *Drift {
	if order < 0 || order >= rows {
		panic(fmt.Sprintf("colstats: drift of order %d on %d rows", order, rows))
	}
	d := &Drift{basis: Legendre(rows, order)}
	for range d.basis {
		d.coefficients = append(d.coefficients, make([]float64, cols))
	}
	return d
}

// Orders returns the number of polynomials.
func (d *Drift) Orders() int { return len(d.basis) }

// Fit adds row k, or a part of it that begins at column from, to the coefficients of order l. All
// rows must be given for the orders below, and each order's rows in ascending order: the rest that
// lower orders leave is what l is fitted to.
func (d *Drift) Fit(l, k, from int, row []float32) {
	p := d.basis[l][k]
	d.blocks(l, k, from, row, func(at int, rest []float64) {
		fit := d.coefficients[l][from+at:][:len(rest)]
		for c, v := range rest {
			fit[c] += p * v
		}
	})
}

// Remove writes row k, or a part of it that begins at column from, without the drift to out.
func (d *Drift) Remove(k, from int, row, out []float32) {
	d.blocks(len(d.basis), k, from, row, func(at int, rest []float64) {
		for c, v := range rest {
			out[at+c] = float32(v)
		}
	})
}

// Value returns the value x of row k and column c without the drift.
func (d *Drift) Value(k, c int, x float32) float32 {
	v := float64(x)
	for l, p := range d.basis {
		v -= p[k] * d.coefficients[l][c]
	}
	return float32(v)
}

// blocks visits what the given number of orders leave of a part of row k, a block of columns at a
// time.
func (d *Drift) blocks(orders, k, from int, row []float32, visit func(at int, rest []float64)) {
	var block [256]float64
	for at := 0; at < len(row); at += len(block) {
		rest := block[:min(len(block), len(row)-at)]
		for c := range rest {
			rest[c] = float64(row[at+c])
		}
		for l := range orders {
			p := d.basis[l][k]
			for c, f := range d.coefficients[l][from+at:][:len(rest)] {
				rest[c] -= p * f
			}
		}
		visit(at, rest)
	}
}

// Legendre samples the polynomials of order 0 to order at n even steps from −1 to 1 and makes them
// orthonormal on these points, where the continuous polynomials are only nearly so.
func Legendre(n, order int) [][]float64 {
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

// legendreAt returns P_l(t) by Bonnet's recursion.
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
