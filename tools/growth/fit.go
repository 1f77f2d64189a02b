package main

import (
	"fmt"
	"math"
)

// line is y = fixed + slope·x.
type line struct{ fixed, slope, r2 float64 }

func (l line) String() string { return fmt.Sprintf("%.4g %+.4g·n", l.fixed, l.slope) }

// fit is the line of least squares, with the share of the variance that it explains.
func fit(x, y []float64) line {
	mx, my := mean(x), mean(y)
	var xx, xy, yy float64
	for i := range x {
		xx += (x[i] - mx) * (x[i] - mx)
		xy += (x[i] - mx) * (y[i] - my)
		yy += (y[i] - my) * (y[i] - my)
	}
	slope := xy / xx
	return line{my - slope*mx, slope, xy * xy / (xx * yy)}
}

// exponent is k of y = c·x^k, fitted to the logarithms: 1 where time grows in proportion, less
// where part of it is fixed.
func exponent(x, y []float64) float64 { return fit(logs(x), logs(y)).slope }

func logs(x []float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = math.Log(v)
	}
	return out
}

func mean(x []float64) (m float64) {
	for _, v := range x {
		m += v / float64(len(x))
	}
	return m
}
