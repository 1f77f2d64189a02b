package colstats

import "math"

// Moments computes the mean and SD of the columns of a matrix whose rows are given one after
// another, twice: to Add and, after Centre, to AddSquares. The second pass keeps the SD exact in
// raw scanner units, whose means are far above their SD, where E[x²] − E[x]² cancels.
type Moments struct {
	rows     float64
	mean, sd []float64
}

// NewMoments returns the Moments of a matrix of the given size.
func NewMoments(rows, cols int) *Moments {
	return &Moments{rows: float64(max(rows, 1)), mean: make([]float64, cols), sd: make([]float64, cols)}
}

// Add adds a row, or a part of it that begins at column from, to the mean.
func (m *Moments) Add(from int, row []float32) {
	sum := m.mean[from:][:len(row)]
	for c, v := range row {
		sum[c] += float64(v)
	}
}

// Centre ends the first pass of columns from ≤ c < to.
func (m *Moments) Centre(from, to int) {
	for c := from; c < to; c++ {
		m.mean[c] /= m.rows
	}
}

// AddSquares adds a row, or a part of it that begins at column from, to the SD.
func (m *Moments) AddSquares(from int, row []float32) {
	mean, sum := m.mean[from:][:len(row)], m.sd[from:][:len(row)]
	for c, v := range row {
		d := float64(v) - mean[c]
		sum[c] += d * d
	}
}

// MeanSD ends the second pass and returns mean and SD; the SD of a constant column is 1.
func (m *Moments) MeanSD() (mean, sd []float64) {
	for c := range m.sd {
		m.sd[c] = math.Sqrt(m.sd[c] / m.rows)
		if m.sd[c] == 0 {
			m.sd[c] = 1
		}
	}
	return m.mean, m.sd
}
