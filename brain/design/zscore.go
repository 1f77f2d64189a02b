package design

import (
	"fmt"
	"math"
)

// ZScore holds the mean and SD of each column.
type ZScore struct {
	Mean []float64
	SD   []float64 // 1 for a constant column, which thereby becomes 0
}

// FitZScore measures the columns of x (rows, cols) over the given ranges of rows, all rows if none is given. The SD
// divides by the number of rows, not by one less, as himalaya and HuthLab do.
func FitZScore(x []float32, rows, cols int, over ...Rows) ZScore {
	mustHave(x, rows, cols)
	if len(over) == 0 {
		over = []Rows{{To: rows}}
	}
	each := func(visit func(row []float32)) (n float64) {
		for _, r := range over {
			if r.From < 0 || r.To < r.From || r.To > rows {
				panic(fmt.Sprintf("design: z-score over rows %d to %d of %d", r.From, r.To, rows))
			}
			for k := r.From; k < r.To; k++ {
				visit(x[k*cols:][:cols])
				n++
			}
		}
		return n
	}
	z := ZScore{Mean: make([]float64, cols), SD: make([]float64, cols)}
	n := each(func(row []float32) {
		for c, v := range row {
			z.Mean[c] += float64(v)
		}
	})
	for c := range z.Mean {
		z.Mean[c] /= max(n, 1)
	}
	// A second pass: raw scanner units have means far above their SD, where E[x²] − E[x]² cancels.
	each(func(row []float32) {
		for c, v := range row {
			d := float64(v) - z.Mean[c]
			z.SD[c] += d * d
		}
	})
	for c := range z.SD {
		z.SD[c] = math.Sqrt(z.SD[c] / max(n, 1))
		if z.SD[c] == 0 {
			z.SD[c] = 1
		}
	}
	return z
}

// Apply returns (x − mean)/SD for x (rows, cols).
func (z ZScore) Apply(x []float32) []float32 {
	cols := len(z.Mean)
	if cols == 0 || len(x)%cols != 0 {
		panic(fmt.Sprintf("design: z-score of %d columns on %d values", cols, len(x)))
	}
	out := make([]float32, len(x))
	for i, v := range x {
		c := i % cols
		out[i] = float32((float64(v) - z.Mean[c]) / z.SD[c])
	}
	return out
}
