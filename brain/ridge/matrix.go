package ridge

import (
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

const repairHint = "remove or repair it; no value is filled in"

// matrix is a float32 matrix of features with its standard form: each column centred, and the whole
// multiplied by one factor, which keeps the relative scales of the columns. In the standard form
// float32 products neither overflow nor vanish, whatever the units.
type matrix struct {
	data       []float32 // (rows, columns)
	rows, cols int
	centred    bool // false: mean is 0
	mean       []float64
	factor     []float64 // (columns) the common factor, 0 for constant columns if centred
	constant   []bool    // (columns) all values are equal
}

// newMatrix returns an error for a size that is not a multiple of rows and for a value that is not
// finite.
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
				return nil, fault.New(fault.BadData, "ridge", "features", "row %d, feature %d is %g", row, c, x).
					WithHint(repairHint)
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

// isZero reports whether a column is 0 after centring. It has to be set to 0, since its mean may be
// off in the last bit.
func (m *matrix) isZero(c int) bool { return m.centred && m.constant[c] }

// scale sets the factor that gives the matrix a mean square of 1, and returns it.
func (m *matrix) scale() float64 {
	sum := 0.0
	for row := range m.rows {
		for c, x := range m.data[row*m.cols : (row+1)*m.cols] {
			if !m.isZero(c) {
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
		if !m.isZero(c) {
			m.factor[c] = factor
		}
	}
	return factor
}

// scaleIsZero reports whether no column varies.
func (m *matrix) scaleIsZero() bool { return slices.Max(m.factor) == 0 }

// trainingMean returns the means of the columns over some rows, and the scales with 0 for columns
// that are constant in these rows: centred they would be 0 except for the rounding of their mean.
func (m *matrix) trainingMean(rows []int, scales []float64) (mean, masked []float64) {
	varies, masked := make([]bool, m.cols), slices.Clone(scales)
	mean = make([]float64, m.cols)
	first := m.data[rows[0]*m.cols:]
	for _, row := range rows {
		for c, x := range m.data[row*m.cols : (row+1)*m.cols] {
			varies[c] = varies[c] || x != first[c]
			mean[c] += (float64(x) - m.mean[c]) / float64(len(rows))
		}
	}
	for c := range masked {
		mean[c] += m.mean[c]
		if !varies[c] {
			masked[c] = 0
		}
	}
	return mean, masked
}

// standard returns some rows, centred by mean and multiplied by the factor of the standard form and
// by the scale of each column, as a Float64 tensor, (rows, columns).
func (m *matrix) standard(s *torch.Scope, rows []int, mean, scales []float64) *torch.Tensor {
	taken := make([]float32, 0, len(rows)*m.cols)
	for _, row := range rows {
		taken = append(taken, m.data[row*m.cols:(row+1)*m.cols]...)
	}
	factor := make([]float64, m.cols)
	for c := range factor {
		factor[c] = m.factor[c] * scales[c]
	}
	return s.Frozen(func(s *torch.Scope) *torch.Tensor { // each scope frees its intermediate tensors
		less := s.Frozen(func(s *torch.Scope) *torch.Tensor {
			x := s.Frozen(func(s *torch.Scope) *torch.Tensor {
				return s.FromFloat32(taken, len(rows), m.cols).ToType(torch.Float64)
			})
			return x.Sub(s.FromFloat64(mean, m.cols))
		})
		return less.Mul(s.FromFloat64(factor, m.cols))
	})
}
