package ridge

import (
	"context"

	"github.com/brainwavlm/bwlm/internal/parallel"
	"github.com/brainwavlm/bwlm/torch"
)

// Where features far outnumber rows, nothing of the size of the features is made beside the features: folds and the
// last fit come from the kernel K = X·Xᵀ, (rows, rows), of features centred by their means over all rows, which is
// summed over blocks of columns. For the training rows T of a fold, with the means r of the rows of K over T,
//
//	K_T = K[T, T] - r - rᵀ + mean(r)    K_H = K[H, T] - r_H - r_Tᵀ + mean(r)
//
// are the kernels of features centred by the means of T. The model keeps A = Q·D·Qᵀ·Y, (rows, voxels), the dual
// coefficients of kernel ridge regression. Its weights are W = Xᵀ·A, and its predictions K(new, X)·A.

// A fit is dual if it has more than twice as many features as rows, and if its weights or its features have at least so
// many values: 64 MB of float32.
const dualValues = 1 << 24

// isDual reports whether a fit keeps dual coefficients.
func (f *fit) isDual() bool {
	rows, cols := f.x.rows, f.x.cols
	if f.opt.Bands != nil || f.x.scaleIsZero() {
		return false
	}
	return onlyForm == Kernel || onlyForm == "" && cols > 2*rows && max(cols*f.formVoxels(), cols*rows) >= dualValues
}

// kernelValues is the number of float64 values of a block of columns, 64 MB but in tests.
var kernelValues = 1 << 23

// columns returns the columns from ≤ c < to of all rows, centred by the means of the matrix, as Float64, (rows,
// to-from). Columns that are constant in the matrix are 0 also in other rows: they have no weight.
func (m *matrix) columns(s *torch.Scope, data []float32, from, to int) *torch.Tensor {
	rows, n := len(data)/m.cols, to-from
	taken := make([]float32, rows*n)
	parallel.Each(rows, func(row int) { copy(taken[row*n:], data[row*m.cols+from:row*m.cols+to]) })
	mask := make([]float64, n)
	for c := range mask {
		if !m.isZero(from + c) {
			mask[c] = 1
		}
	}
	return s.Frozen(func(s *torch.Scope) *torch.Tensor {
		x := s.FromFloat32(taken, rows, n).ToType(torch.Float64)
		return x.Sub(s.FromFloat64(m.mean[from:to], n)).Mul(s.FromFloat64(mask, n))
	})
}

// columnBlocks yields ranges of columns, of which a block has a number of rows.
func (m *matrix) columnBlocks(rows int) func(yield func(from, to int) bool) {
	return blocks(0, m.cols, max(1, kernelValues/rows))
}

// kernel returns the products of some rows of features, (n, columns), with the rows of m, (n, rows), both centred by
// the means of m.
func (m *matrix) kernel(ctx context.Context, device torch.Device, data []float32) ([]float64, error) {
	n := len(data) / m.cols
	same := n == m.rows && &data[0] == &m.data[0]
	sum := make([]float64, n*m.rows)
	for from, to := range m.columnBlocks(n + m.rows) {
		err := onTensors(ctx, device, func(s *torch.Scope) error {
			right := m.columns(s, m.data, from, to)
			left := right
			if !same {
				left = m.columns(s, data, from, to)
			}
			part := left.MatMul(right.Transpose(0, 1)).Float64s()
			parallel.Each(n, func(i int) {
				for k := i * m.rows; k < (i+1)*m.rows; k++ {
					sum[k] += part[k]
				}
			})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return sum, nil
}

// meanProducts returns the products of the rows of m, centred, with its means, (rows).
func (m *matrix) meanProducts(ctx context.Context, device torch.Device) ([]float64, error) {
	sum := make([]float64, m.rows)
	for from, to := range m.columnBlocks(m.rows) {
		err := onTensors(ctx, device, func(s *torch.Scope) error {
			part := m.columns(s, m.data, from, to).MatMul(s.FromFloat64(m.mean[from:to], to-from, 1)).Float64s()
			for i, x := range part {
				sum[i] += x
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return sum, nil
}

// foldKernels returns the kernels of a fold, K_T (training, training) and K_H (held, training).
func foldKernels(s *torch.Scope, k []float64, rows int, train, held []int, centre bool) (kt, kh *torch.Tensor) {
	n := len(train)
	means := func(of []int) []float64 { // of rows of K over the training rows
		out := make([]float64, len(of))
		if !centre {
			return out
		}
		parallel.Each(len(of), func(i int) {
			for _, t := range train {
				out[i] += k[of[i]*rows+t] / float64(n)
			}
		})
		return out
	}
	own := means(train)
	all := 0.0
	for _, x := range own {
		all += x / float64(n)
	}
	part := func(of []int, mean []float64) *torch.Tensor {
		out := make([]float64, len(of)*n)
		parallel.Each(len(of), func(i int) {
			for j, t := range train {
				out[i*n+j] = k[of[i]*rows+t] - mean[i] - own[j] + all
			}
		})
		return s.FromFloat64(out, len(of), n)
	}
	return part(train, own), part(held, means(held))
}
