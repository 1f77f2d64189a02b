package design

import (
	"fmt"

	"github.com/brainwavlm/bwlm/internal/brain/colstats"
)

// ZScore holds the mean and SD of each column of a matrix.
type ZScore struct {
	Mean []float64
	SD   []float64 // 1 for a constant column, which thereby becomes 0
}

// FitZScore returns the mean and SD of the columns of x (rows, cols) over the given ranges of rows,
// all rows if none is given. The SD divides by the number of rows, not by one less, as himalaya and
// HuthLab do.
func FitZScore(x []float32, rows, cols int, over ...Rows) ZScore {
	mustHave(x, rows, cols)
	if len(over) == 0 {
		over = []Rows{{To: rows}}
	}
	n := 0
	for _, r := range over {
		if r.From < 0 || r.To < r.From || r.To > rows {
			panic(fmt.Sprintf("design: z-score over rows %d to %d of %d", r.From, r.To, rows))
		}
		n += r.Len()
	}
	m := colstats.NewMoments(n, cols)
	for _, r := range over {
		for k := r.From; k < r.To; k++ {
			m.Add(0, x[k*cols:][:cols])
		}
	}
	m.Centre(0, cols)
	for _, r := range over {
		for k := r.From; k < r.To; k++ {
			m.AddSquares(0, x[k*cols:][:cols])
		}
	}
	mean, sd := m.MeanSD()
	return ZScore{mean, sd}
}

// Apply returns (x − mean)/SD for x (rows, cols).
func (z ZScore) Apply(x []float32) []float32 {
	cols := len(z.Mean)
	if cols == 0 || len(x)%cols != 0 {
		panic(fmt.Sprintf("design: z-score of %d columns on %d values", cols, len(x)))
	}
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = z.Value(i%cols, v)
	}
	return out
}

// Value returns the z-score of the value v of column c.
func (z ZScore) Value(c int, v float32) float32 {
	return float32((float64(v) - z.Mean[c]) / z.SD[c])
}
