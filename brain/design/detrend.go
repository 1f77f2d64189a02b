package design

import (
	"github.com/brainwavlm/bwlm/internal/brain/colstats"
)

// Detrend returns x (rows, cols) without the least-squares fit of Legendre polynomials of order 0
// to order to each column, mean included. The rows must be those of one run: one repeat of one
// story.
func Detrend(x []float32, rows, cols, order int) []float32 {
	mustHave(x, rows, cols)
	d := colstats.NewDrift(rows, cols, order)
	for l := range order + 1 {
		for k := range rows {
			d.Fit(l, k, 0, x[k*cols:][:cols])
		}
	}
	out := make([]float32, len(x))
	for k := range rows {
		d.Remove(k, 0, x[k*cols:][:cols], out[k*cols:])
	}
	return out
}
