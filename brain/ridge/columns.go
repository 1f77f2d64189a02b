package ridge

import (
	"context"

	"github.com/brainwavlm/bwlm/internal/parallel"
	"github.com/brainwavlm/bwlm/torch"
)

// ColumnReader reads responses in blocks of voxels, for responses that do not fit in memory next to
// the weights. Columns of package npy reads them from a file.
type ColumnReader interface {
	// Read fills out with the columns from ≤ v < to, (to-from, rows).
	Read(from, to int, out []float32) error
}

// RowReader is a ColumnReader of responses that are stored by rows. It is read by rows alone: a fit goes through all
// of them as rarely as memory allows.
type RowReader interface {
	ColumnReader

	// EachRows visits the columns from ≤ v < to of all rows in their order, some rows at a time: x holds those from row
	// on, (n, to-from), until visit returns. Visits come one after another, on the goroutine of the caller.
	EachRows(ctx context.Context, from, to int, visit func(row int, x []float32) error) error
}

// matrixColumns reads the columns of a matrix in memory, (rows, cols).
type matrixColumns struct {
	rows, cols int
	data       []float32
}

// Read implements [ColumnReader].
func (m matrixColumns) Read(from, to int, out []float32) error {
	transpose(m.data[from:], m.rows, to-from, m.cols, out, m.rows)
	return nil
}

// transpose writes x, (rows, cols) with rows that are stride values apart, into out, (cols, rows)
// with rows that are apart values apart.
func transpose(x []float32, rows, cols, stride int, out []float32, apart int) {
	const tile = 64 // a tile of each matrix fits in the cache
	parallel.Each((cols+tile-1)/tile, func(k int) {
		for top := 0; top < rows; top += tile {
			for row := top; row < min(rows, top+tile); row++ {
				for c := k * tile; c < min(cols, (k+1)*tile); c++ {
					out[c*apart+row] = x[row*stride+c]
				}
			}
		}
	})
}

// reuse returns n values of a buffer, which it replaces if it is too small. Blocks are large and
// many, and as garbage they would wait long for the collector, since the heap is large.
func reuse[T any](buffer *[]T, n int) []T {
	if cap(*buffer) < n {
		*buffer = make([]T, n)
	}
	return (*buffer)[:n]
}

// notFinite returns the index of the first NaN or ±Inf, or the length of x.
func notFinite(x []float32) int {
	for i, value := range x {
		if value-value != 0 {
			return i
		}
	}
	return len(x)
}

// allEqual reports whether all values are equal.
func allEqual(x []float32) bool {
	for _, value := range x {
		if value != x[0] {
			return false
		}
	}
	return true
}

// pick returns the values at some indices.
func pick(x []float32, places []int) []float32 {
	out := make([]float32, len(places))
	for i, place := range places {
		out[i] = x[place]
	}
	return out
}

// mean returns the mean of x in float64.
func mean(x []float32) float64 {
	sum := 0.0
	for _, value := range x {
		sum += float64(value)
	}
	return sum / float64(len(x))
}

// sumSquares returns the sum of (x-less)² in float64.
func sumSquares(x []float32, less float64) float64 {
	sum := 0.0
	for _, value := range x {
		d := float64(value) - less
		sum += d * d
	}
	return sum
}

// elementsOf returns what read returns of what fn makes of x, and frees that: what [torch.Tensor.Scoped] returns lives
// as long as x, which many blocks of voxels share.
func elementsOf[T any](x *torch.Tensor, read func(*torch.Tensor) []T,
	fn func(x *torch.Tensor) *torch.Tensor) (out []T) {
	x.Scoped(func(x *torch.Tensor) *torch.Tensor {
		out = read(fn(x))
		return x.Scope().Zeros()
	})
	return out
}
