package ridge

import (
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/parallel"
)

// ColumnReader is responses that are read some voxels at a time, since a float32 copy of a brain
// may not fit in memory beside the weights. npy.Columns reads them from a file.
type ColumnReader interface {
	// Read fills out with columns from to to, one after another.
	Read(from, to int, out []float32) error
}

// VStack are the columns of matrices (rows, Cols) that stand one below the other.
type VStack struct {
	Cols  int
	Parts [][]float32
}

// Rows is how many rows the parts have together.
func (m VStack) Rows() (rows int) {
	for _, part := range m.Parts {
		rows += len(part) / m.Cols
	}
	return rows
}

func (m VStack) Read(from, to int, out []float32) error {
	rows, above := m.Rows(), 0
	for _, part := range m.Parts {
		n := len(part) / m.Cols
		transpose(part[min(from, len(part)):], n, to-from, m.Cols, out[above:], rows)
		above += n
	}
	return nil
}

// HStack are the columns of several that have the same rows, one after another.
type HStack []VStack

// Cols is how many columns there are.
func (b HStack) Cols() (cols int) {
	for _, m := range b {
		cols += m.Cols
	}
	return cols
}

func (b HStack) Read(from, to int, out []float32) error {
	left := 0 // columns of those before
	for _, m := range b {
		first, last := max(from-left, 0), min(to-left, m.Cols)
		if first < last {
			if err := m.Read(first, last, out[(left+first-from)*m.Rows():]); err != nil {
				return err
			}
		}
		left += m.Cols
	}
	return nil
}

// transpose writes x (rows, cols), whose rows are stride apart, into out (cols, rows), whose rows
// are apart.
func transpose(x []float32, rows, cols, stride int, out []float32, apart int) {
	const tile = 64 // tiles of both fit in the cache
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

// responses are the voxels of a fit, read in blocks.
type responses struct {
	columns      ColumnReader
	rows, voxels int
	constant     []bool    // all values equal
	block        []float32 // what is read, reused
}

// newResponses looks through all responses once, and refuses a value that is not finite, naming it.
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
			y.constant[from+v] = same(column)
		})
		first := -1
		for v, row := range bad {
			if row < rows && (first < 0 || row < bad[first]) {
				first = v
			}
		}
		if first >= 0 {
			row := bad[first]
			return nil, fault.New(fault.BadData, "ridge", "responses", "row %d, voxel %d is %g", row, from+first, block[first*rows+row]).
				WithHint(repair)
		}
	}
	return y, nil
}

// Check refuses features x (rows, features) and responses of which a value is not finite, as Fit
// and Evaluate do.
func Check(x []float32, y ColumnReader, rows, voxels int) error {
	if _, err := newMatrix(x, rows, false); err != nil {
		return err
	}
	_, err := newResponses(y, rows, voxels, max(1, blockValues/rows))
	return err
}

// read gives voxels from to to, (to-from, rows), until the next read.
func (y *responses) read(from, to int) ([]float32, error) {
	block := reuse(&y.block, (to-from)*y.rows)
	return block, y.columns.Read(from, to, block)
}

// blocks yields ranges of at most step voxels.
func (y *responses) blocks(step int) func(yield func(from, to int) bool) {
	return func(yield func(from, to int) bool) {
		for from := 0; from < y.voxels; from += step {
			if !yield(from, min(from+step, y.voxels)) {
				return
			}
		}
	}
}

// reuse gives n values of a buffer, which grows where it must. Blocks are large and many, and
// garbage of their size would wait for the collector as long as the weights weigh.
func reuse[T any](buffer *[]T, n int) []T {
	if cap(*buffer) < n {
		*buffer = make([]T, n)
	}
	return (*buffer)[:n]
}

// notFinite is the place of the first NaN or ±Inf, or the length.
func notFinite(x []float32) int {
	for i, value := range x {
		if value-value != 0 {
			return i
		}
	}
	return len(x)
}

// same says that all values are equal.
func same(x []float32) bool {
	for _, value := range x {
		if value != x[0] {
			return false
		}
	}
	return true
}

// pick gives the values at some places.
func pick(x []float32, places []int) []float32 {
	out := make([]float32, len(places))
	for i, place := range places {
		out[i] = x[place]
	}
	return out
}

// mean is the mean of x in float64.
func mean(x []float32) float64 {
	sum := 0.0
	for _, value := range x {
		sum += float64(value)
	}
	return sum / float64(len(x))
}

// squares is the sum of the squares of x less a constant.
func squares(x []float32, less float64) float64 {
	sum := 0.0
	for _, value := range x {
		d := float64(value) - less
		sum += d * d
	}
	return sum
}
