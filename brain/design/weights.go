package design

import (
	"fmt"
	"slices"
)

// Weights is a linear map from features to rows, (Rows, Cols). The weights of each row are zero
// except in one run of neighbouring columns.
type Weights struct {
	Rows, Cols int
	First      []int       // first column of each row's run
	Runs       [][]float64 // weights of each row's run; empty where a row has no feature
}

// Apply returns the rows (Rows, channels) of features x (Cols, channels), summed in float64.
func (w *Weights) Apply(x []float32, channels int) []float32 {
	mustHave(x, w.Cols, channels)
	out := make([]float32, w.Rows*channels)
	sum := make([]float64, channels)
	for r, run := range w.Runs {
		clear(sum)
		for i, weight := range run {
			feature := x[(w.First[r]+i)*channels:][:channels]
			for c, v := range feature {
				sum[c] += weight * float64(v)
			}
		}
		row := out[r*channels:][:channels]
		for c, v := range sum {
			row[c] = float32(v)
		}
	}
	return out
}

// weigh returns the Weights in which run gives the features of a row and weight the weight of each.
func weigh(rows, features []float64, run func(row float64) (from, to int),
	weight func(row, feature float64, n int) float64) *Weights {
	if !slices.IsSorted(features) {
		panic("design: feature times must ascend")
	}
	w := &Weights{Rows: len(rows), Cols: len(features), First: make([]int, len(rows)),
		Runs: make([][]float64, len(rows))}
	for r, t := range rows {
		from, to := run(t)
		w.First[r], w.Runs[r] = from, make([]float64, to-from)
		for i := range w.Runs[r] {
			w.Runs[r][i] = weight(t, features[from+i], to-from)
		}
	}
	return w
}

// mustHave panics unless x has the shape (rows, cols).
func mustHave[T any](x []T, rows, cols int) {
	if rows < 0 || cols < 0 || len(x) != rows*cols {
		panic(fmt.Sprintf("design: %d values for shape (%d, %d)", len(x), rows, cols))
	}
}
