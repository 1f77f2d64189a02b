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

// span is the least and the greatest, a little apart at least.
func span(x []float64) (low, high float64) {
	low, high = slices.Min(x), slices.Max(x)
	return low, max(high, low+1e-9)
}

func median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
