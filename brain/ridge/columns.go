package ridge

import (
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/parallel"
)

// ColumnReader reads responses in blocks of voxels, for responses that do not fit in memory next to
// the weights. Columns of package npy reads them from a file; [VStack] and [HStack] from memory.
type ColumnReader interface {
	// Read fills out with the columns from ≤ v < to, (to-from, rows).
	Read(from, to int, out []float32) error
}

// VStack reads the columns of matrices, (rows, Cols) each, that are stacked in sequence vertically.
type VStack struct {
	Cols  int
	Parts [][]float32 // row-major
}

// height returns the number of rows of all parts.
func (m VStack) height() (rows int) {
	for _, part := range m.Parts {
		rows += len(part) / m.Cols
	}
	return rows
}

// Read implements [ColumnReader].
func (m VStack) Read(from, to int, out []float32) error {
	rows, above := m.height(), 0
	for _, part := range m.Parts {
		n := len(part) / m.Cols
		transpose(part[min(from, len(part)):], n, to-from, m.Cols, out[above:], rows)
		above += n
	}
	return nil
}

// HStack reads the columns of several stacks with the same number of rows, in sequence
// horizontally.
type HStack []VStack

// Cols returns the number of columns.
func (b HStack) Cols() (cols int) {
	for _, m := range b {
		cols += m.Cols
	}
	return cols
}

// Read implements [ColumnReader].
func (b HStack) Read(from, to int, out []float32) error {
	left := 0 // columns of the stacks before
	for _, m := range b {
		first, last := max(from-left, 0), min(to-left, m.Cols)
		if first < last {
			if err := m.Read(first, last, out[(left+first-from)*m.height():]); err != nil {
				return err
			}
		}
		left += m.Cols
	}
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

// responses are the responses of a fit, read in blocks of voxels.
type responses struct {
	columns      ColumnReader
	rows, voxels int
	constant     []bool    // all values equal
	block        []float32 // the last block read, reused
	bytes        int64     // that were read
}

// newResponses reads all responses once. A value that is not finite is an error that names it.
func newResponses(columns ColumnReader, rows, voxels, step int) (*responses, error) {
	y := &responses{columns: columns, rows: rows, voxels: voxels, constant: make([]bool, voxels)}
	for from, to := range y.blocks(step) {
		block, err := y.read(from, to)
		if err != nil {
			return nil, err
		}
		bad := make([]int, to-from) // the row of the first value of each voxel that is not finite
		parallel.Each(to-from, func(v int) {
			column := block[v*rows : (v+1)*rows]
			bad[v] = notFinite(column)
			y.constant[from+v] = allEqual(column)
		})
		first := -1
		for v, row := range bad {
			if row < rows && (first < 0 || row < bad[first]) {
				first = v
			}
		}
		if first >= 0 {
			row := bad[first]
			value := block[first*rows+row]
			return nil, fault.New(fault.BadData, "ridge", "responses", "row %d, voxel %d is %g",
				row, from+first, value).WithHint(repairHint)
		}
	}
	return y, nil
}

// Check returns an error if a value of the features x, (rows, features), or of the responses is not
// finite, as [Fit] and [Model.Evaluate] do.
func Check(x []float32, y ColumnReader, rows, voxels int) error {
	if _, err := newMatrix(x, rows, false); err != nil {
		return err
	}
	_, err := newResponses(y, rows, voxels, max(1, blockValues/rows))
	return err
}

// read returns voxels from ≤ v < to, (to-from, rows), which stay valid until the next read.
func (y *responses) read(from, to int) ([]float32, error) {
	block := reuse(&y.block, (to-from)*y.rows)
	y.bytes += 4 * int64(len(block))
	return block, y.columns.Read(from, to, block)
}

// blocks yields ranges of at most step voxels that together are all voxels.
func (y *responses) blocks(step int) func(yield func(from, to int) bool) {
	return func(yield func(from, to int) bool) {
		for from := 0; from < y.voxels; from += step {
			if !yield(from, min(from+step, y.voxels)) {
				return
			}
		}
	}
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
