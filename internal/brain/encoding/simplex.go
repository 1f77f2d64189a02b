package encoding

import "math"

// convexWeights returns the weights a ≥ 0 of sum 1 that make aᵀPa smallest, exactly but for rounding. P (n, n) is
// the matrix of products of n residuals, so that aᵀPa is the squared error of the weighted sum of their
// predictions (Lin, Naselaris, Kay and Wehbe 2023). The minimum is the point of the convex hull of the residuals
// that is nearest to 0, which Wolfe's algorithm (1976) finds in finitely many steps from products alone.
func convexWeights(p []float64, n int) []float64 {
	a, largest, first := make([]float64, n), 0., 0
	for i := range n {
		largest = max(largest, p[i*n+i])
		if p[i*n+i] < p[first*n+first] {
			first = i
		}
	}
	a[first] = 1
	if largest == 0 {
		return a
	}
	within := []int{first} // the weights that are above 0
	for range 100 * n {    // far more than it takes
		value, gradient, least := 0., make([]float64, n), 0
		for i := range n {
			for _, j := range within {
				gradient[i] += p[i*n+j] * a[j]
			}
			value += a[i] * gradient[i]
			if gradient[i] < gradient[least] {
				least = i
			}
		}
		if gradient[least] >= value-1e-12*largest || a[least] > 0 {
			break
		}
		within = append(within, least)
		for {
			v := affineWeights(p, n, within, largest)
			step, out := 1., -1
			for k, i := range within {
				if v[k] <= 0 && a[i]-v[k] > 0 {
					if t := a[i] / (a[i] - v[k]); t < step || out < 0 {
						step, out = t, k
					}
				}
			}
			for k, i := range within {
				a[i] += step * (v[k] - a[i])
			}
			if out < 0 {
				break
			}
			a[within[out]] = 0
			within = append(within[:out:out], within[out+1:]...)
		}
	}
	return a
}

// affineWeights returns weights of sum 1, of any sign, of some of the residuals that make the error smallest:
// (P + c·11ᵀ)u = 1 has the direction of the solution, and residuals of which none is an affine combination of the
// others make the matrix positive definite.
func affineWeights(p []float64, n int, of []int, c float64) []float64 {
	m := len(of)
	low, u := make([]float64, m*m), make([]float64, m) // Cholesky factor
	for i := range m {
		for j := range i + 1 {
			x := p[of[i]*n+of[j]] + c
			for k := range j {
				x -= low[i*m+k] * low[j*m+k]
			}
			if i == j {
				low[i*m+i] = math.Sqrt(max(x, 1e-14*c))
			} else {
				low[i*m+j] = x / low[j*m+j]
			}
		}
	}
	for i := range m {
		u[i] = 1
		for k := range i {
			u[i] -= low[i*m+k] * u[k]
		}
		u[i] /= low[i*m+i]
	}
	sum := 0.
	for i := m - 1; i >= 0; i-- {
		for k := i + 1; k < m; k++ {
			u[i] -= low[k*m+i] * u[k]
		}
		u[i] /= low[i*m+i]
		sum += u[i]
	}
	for i := range u {
		u[i] /= sum
	}
	return u
}
