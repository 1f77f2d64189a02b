package design

import (
	"fmt"
	"math"
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
	m := NewMoments(n, cols)
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
	return m.ZScore()
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

// Moments computes the mean and SD of the columns of a matrix whose rows are given one after
// another, twice: to Add and, after Centre, to AddSquares. The second pass keeps the SD exact in
// raw scanner units, whose means are far above their SD, where E[x²] − E[x]² cancels.
type Moments struct {
	rows float64
	z    ZScore
}

// NewMoments returns the Moments of a matrix of the given size.
func NewMoments(rows, cols int) *Moments {
	return &Moments{rows: float64(max(rows, 1)), z: ZScore{Mean: make([]float64, cols), SD: make([]float64, cols)}}
}

// Add adds a row, or a part of it that begins at column from, to the mean.
func (m *Moments) Add(from int, row []float32) {
	sum := m.z.Mean[from:][:len(row)]
	for c, v := range row {
		sum[c] += float64(v)
	}
}

// Centre ends the first pass of columns from ≤ c < to.
func (m *Moments) Centre(from, to int) {
	for c := from; c < to; c++ {
		m.z.Mean[c] /= m.rows
	}
}

// AddSquares adds a row, or a part of it that begins at column from, to the SD.
func (m *Moments) AddSquares(from int, row []float32) {
	mean, sum := m.z.Mean[from:][:len(row)], m.z.SD[from:][:len(row)]
	for c, v := range row {
		d := float64(v) - mean[c]
		sum[c] += d * d
	}
}

// ZScore ends the second pass and returns mean and SD.
func (m *Moments) ZScore() ZScore {
	for c := range m.z.SD {
		m.z.SD[c] = math.Sqrt(m.z.SD[c] / m.rows)
		if m.z.SD[c] == 0 {
			m.z.SD[c] = 1
		}
	}
	return m.z
}
