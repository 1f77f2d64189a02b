package ridge

import (
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
)

// matrix is a view of a caller's float32 matrix in standard form: each column less its mean, then multiplied by
// a factor. That puts numbers of any unit where float32 products neither overflow nor vanish. The float32
// matrix is converted a block of columns at a time, since float64 copies of whole brains do not fit.
type matrix struct {
	data       []float32 // (rows, columns)
	rows, cols int
	centred    bool // else mean is 0
	mean       []float64
	factor     []float64
	constant   []bool // all values equal
}

// newMatrix refuses a size that does not fit and a value that is not finite, naming it; unit is what a column is
// called.
func newMatrix(what, unit string, data []float32, rows int, centre bool) (*matrix, error) {
	if rows < 1 || len(data) == 0 || len(data)%rows != 0 {
		return nil, fault.New(fault.BadData, "ridge", what, "%d values do not make %d rows", len(data), rows)
	}
	cols := len(data) / rows
	m := &matrix{data: data, rows: rows, cols: cols, centred: centre,
		mean: make([]float64, cols), factor: make([]float64, cols), constant: make([]bool, cols)}
	for c := range cols {
		m.constant[c] = true
	}
	for row := range rows {
		for c, x := range data[row*cols : (row+1)*cols] {
			if x-x != 0 { // NaN and ±Inf
				return nil, fault.New(fault.BadData, "ridge", what, "row %d, %s %d is %g", row, unit, c, x).
					Advise("remove or repair it; no value is filled in")
			}
			m.mean[c] += float64(x) / float64(rows)
			m.constant[c] = m.constant[c] && x == data[c]
		}
	}
	if !centre {
		clear(m.mean)
	}
	return m, nil
}

// zeroed says that a column is 0 once it is centred. Its mean may be off in the last bit, so it is made 0.
func (m *matrix) zeroed(c int) bool { return m.centred && m.constant[c] }

// scaleColumns gives each column mean square 1.
func (m *matrix) scaleColumns() {
	for c, square := range m.meanSquares() {
		if square > 0 {
			m.factor[c] = 1 / math.Sqrt(square)
		}
	}
}

// scaleWhole gives the matrix mean square 1 by one factor for all columns, which keeps their sizes relative to
// each other, and returns it.
func (m *matrix) scaleWhole() float64 {
	sum := 0.0
	for _, square := range m.meanSquares() {
		sum += square
	}
	factor := 1.0
	if sum > 0 {
		factor = math.Sqrt(float64(m.cols) / sum)
	}
	for c := range m.factor {
		if !m.zeroed(c) {
			m.factor[c] = factor
		}
	}
	return factor
}

// meanSquares gives the mean square of each column, less its mean.
func (m *matrix) meanSquares() []float64 {
	squares := make([]float64, m.cols)
	for row := range m.rows {
		for c, x := range m.data[row*m.cols : (row+1)*m.cols] {
			if !m.zeroed(c) {
				d := float64(x) - m.mean[c]
				squares[c] += d * d / float64(m.rows)
			}
		}
	}
	return squares
}

// take gives the standard form of some rows of columns from to to, (rows, to-from).
func (m *matrix) take(rows []int, from, to int) []float64 {
	n := to - from
	out := make([]float64, len(rows)*n)
	mean, factor := m.mean[from:to], m.factor[from:to]
	for i, row := range rows {
		standard := out[i*n : (i+1)*n]
		for c, x := range m.data[row*m.cols+from : row*m.cols+to] {
			standard[c] = (float64(x) - mean[c]) * factor[c]
		}
	}
	return out
}

// same says which columns of x, (rows, columns), hold one value only.
func same(x []float64, columns int) []bool {
	yes := make([]bool, columns)
	for c := range yes {
		yes[c] = true
	}
	for row := range slices.Chunk(x, columns) {
		for c, value := range row {
			yes[c] = yes[c] && value == x[c]
		}
	}
	return yes
}
