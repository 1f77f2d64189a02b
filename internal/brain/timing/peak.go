package timing

import (
	"math"
	"slices"
)

// peakReach is the distance from the highest point, in seconds, up to which the parabola is fitted.
const peakReach = 1.5

// peak returns the location and the height of the peak of a curve over ascending lags, by a
// least-squares parabola around its highest point. inside is false if the highest point is the
// first or the last, so that the peak may lie beyond.
func peak(lags, curve []float64) (lag, r float64, inside bool) {
	top := slices.Index(curve, slices.Max(curve))
	if top == 0 || top == len(curve)-1 {
		return lags[top], curve[top], false
	}
	from, to := top, top
	for from > 0 && lags[top]-lags[from-1] <= peakReach+1e-9 {
		from--
	}
	for to < len(lags)-1 && lags[to+1]-lags[top] <= peakReach+1e-9 {
		to++
	}
	a, b, c := parabola(lags[from:to+1], curve[from:to+1], lags[top])
	if x := -b / (2 * a); a < 0 && math.Abs(x) <= peakReach {
		return lags[top] + x, c - b*b/(4*a), true
	}
	return lags[top], curve[top], true
}

// parabola fits y = a·d² + b·d + c with d = x − origin by least squares (normal equations).
func parabola(x, y []float64, origin float64) (a, b, c float64) {
	var s [5]float64 // sums of the powers of d
	var t [3]float64 // sums of d^k·y
	for i := range x {
		d, power := x[i]-origin, 1.
		for k := range s {
			s[k] += power
			if k < len(t) {
				t[k] += power * y[i]
			}
			power *= d
		}
	}
	det := func(m [3][3]float64) float64 {
		return m[0][0]*(m[1][1]*m[2][2]-m[1][2]*m[2][1]) - m[0][1]*(m[1][0]*m[2][2]-m[1][2]*m[2][0]) +
			m[0][2]*(m[1][0]*m[2][1]-m[1][1]*m[2][0])
	}
	whole := [3][3]float64{{s[0], s[1], s[2]}, {s[1], s[2], s[3]}, {s[2], s[3], s[4]}}
	var solution [3]float64
	for k := range solution { // Cramer's rule
		m := whole
		for row := range m {
			m[row][k] = t[row]
		}
		solution[k] = det(m) / det(whole)
	}
	return solution[2], solution[1], solution[0]
}
