package report

import (
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
)

// room widens an axis upwards by a part of its length, and a little downwards.
func room(a *plot.Axis, part float64) {
	length := max(a.Max-a.Min, 1e-6)
	a.Max += part * length
	a.Min -= .04 * length
}

// leastSpan is the least length of an axis of r: less would draw rounding as if it were an effect.
const leastSpan = .01

// atLeast widens an axis to both sides until it is of a length.
func atLeast(a *plot.Axis, length float64) {
	if missing := length - (a.Max - a.Min); missing > 0 {
		a.Min, a.Max = a.Min-missing/2, a.Max+missing/2
	}
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// numbers returns the values that are not NaN.
func numbers(x []float32) (out []float64) {
	for _, v := range x {
		if v == v {
			out = append(out, float64(v))
		}
	}
	return out
}

func ys(xys plotter.XYs) (out []float64) {
	for _, p := range xys {
		out = append(out, p.Y)
	}
	return out
}

// span is the least and the greatest, some length apart at least.
func span(x []float64, length float64) (low, high float64) {
	low, high = slices.Min(x), slices.Max(x)
	if missing := length - (high - low); missing > 0 {
		low, high = low-missing/2, high+missing/2
	}
	return low, high
}

func median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
