package ridge

import (
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

const repair = "remove or repair it; no value is filled in"

// matrix is a caller's float32 matrix of features with its standard form: each column less its mean, the whole
// multiplied by one factor, which keeps the sizes of columns relative to each other. That puts numbers of any unit
// where float32 products neither overflow nor vanish.
type matrix struct {
	data       []float32 // (rows, columns)
	rows, cols int
	centred    bool // else mean is 0
	mean       []float64
	factor     []float64 // one for all but constant columns that are centred, which are 0
	constant   []bool    // all values equal
}

// newMatrix refuses a size that does not fit and a value that is not finite, naming it.
func newMatrix(data []float32, rows int, centre bool) (*matrix, error) {
	if rows < 1 || len(data) == 0 || len(data)%rows != 0 {
		return nil, fault.New(fault.BadData, "ridge", "features", "%d values do not make %d rows", len(data), rows)
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
				return nil, fault.New(fault.BadData, "ridge", "features", "row %d, feature %d is %g", row, c, x).WithHint(repair)
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

// scale gives the matrix mean square 1 by one factor for all columns and returns it.
func (m *matrix) scale() float64 {
	sum := 0.0
	for row := range m.rows {
		for c, x := range m.data[row*m.cols : (row+1)*m.cols] {
			if !m.zeroed(c) {
				d := float64(x) - m.mean[c]
				sum += d * d / float64(m.rows)
			}
		}
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

// trainingMean gives the means of columns over some rows, and sizes of columns with 0 for those
// that are constant in these rows: centred they would be 0, but for the rounding of their mean.
func (m *matrix) trainingMean(rows []int, size []float64) (mean, sizes []float64) {
	varies, sizes := make([]bool, m.cols), slices.Clone(size)
	mean = make([]float64, m.cols)
	first := m.data[rows[0]*m.cols:]
	for _, row := range rows {
		for c, x := range m.data[row*m.cols : (row+1)*m.cols] {
			varies[c] = varies[c] || x != first[c]
			mean[c] += (float64(x) - m.mean[c]) / float64(len(rows))
		}
	}
	for c := range sizes {
		mean[c] += m.mean[c]
		if !varies[c] {
			sizes[c] = 0
		}
	}
	return mean, sizes
}

// standard gives some rows less a mean, times the factor of the standard form and a size of each column, as a Float64
// tensor (rows, columns).
func (m *matrix) standard(s *torch.Scope, rows []int, mean, size []float64) *torch.Tensor {
	taken := make([]float32, 0, len(rows)*m.cols)
	for _, row := range rows {
		taken = append(taken, m.data[row*m.cols:(row+1)*m.cols]...)
	}
	factor := make([]float64, m.cols)
	for c := range factor {
		factor[c] = m.factor[c] * size[c]
	}
	return s.Frozen(func(s *torch.Scope) *torch.Tensor { // each scope frees what its result was made of
		less := s.Frozen(func(s *torch.Scope) *torch.Tensor {
			x := s.Frozen(func(s *torch.Scope) *torch.Tensor {
				return s.FromFloat32(taken, len(rows), m.cols).ToType(torch.Float64)
			})
			return x.Sub(s.FromFloat64(mean, m.cols))
		})
		return less.Mul(s.FromFloat64(factor, m.cols))
	})
}
