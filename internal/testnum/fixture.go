package testnum

import (
	"math"
	"math/rand/v2"
)

// Values are n numbers that look random.
func Values(n int, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 9))
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(r.NormFloat64())
	}
	return out
}

// Pearson is r of two columns, by the textbook.
func Pearson(x, y []float64) float64 {
	n := float64(len(x))
	var mx, my, xy, xx, yy float64
	for i := range x {
		mx += x[i] / n
		my += y[i] / n
	}
	for i := range x {
		xy += (x[i] - mx) * (y[i] - my)
		xx += (x[i] - mx) * (x[i] - mx)
		yy += (y[i] - my) * (y[i] - my)
	}
	if xx*yy == 0 {
		return 0
	}
	return xy / math.Sqrt(xx*yy)
}

// Lines are the rows or columns of x (rows, cols).
func Lines(x []float32, rows, cols, along int) (out [][]float64) {
	count, length := cols, rows
	if along == 1 {
		count, length = rows, cols
	}
	for c := range count {
		line := make([]float64, length)
		for k := range line {
			if along == 1 {
				line[k] = float64(x[c*cols+k])
			} else {
				line[k] = float64(x[k*cols+c])
			}
		}
		out = append(out, line)
	}
	return out
}
