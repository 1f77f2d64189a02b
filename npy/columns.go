package npy

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/parallel"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// Columns is an open .npy file of a matrix that is read some columns at a time, since all of it may
// not fit in memory. An array of one dimension is a matrix of one column.
type Columns struct {
	Rows, Cols int

	reader *Reader
}

// OpenColumns opens the .npy file at path, of what [Read] reads, and checks its header. The caller
// closes it.
func OpenColumns(path string) (*Columns, error) {
	f, err := Stat(path)
	if err != nil {
		return nil, err
	}
	if len(f.Shape) != 1 && len(f.Shape) != 2 {
		return nil, fault.New(fault.BadData, reading, quote.OneLine(path), "shape %v is not that of a matrix", f.Shape).
			WithHint("reshape it to (rows, columns)")
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	shape := append(slices.Clone(f.Shape), 1)
	return &Columns{Rows: shape[0], Cols: shape[1], reader: r}, nil
}

// Close closes the file. A second Close does nothing.
func (c *Columns) Close() error { return c.reader.Close() }

// Read fills out with columns from to to, (to-from, Rows), as [Array.Float32] converts them. Of a file that is stored
// by rows it reads all of it, some rows at a time.
func (c *Columns) Read(from, to int, out []float32) error {
	n := to - from
	if n == 0 || c.Rows == 0 {
		return nil
	}
	if c.byColumns() {
		return c.reader.Float32(from*c.Rows, out[:n*c.Rows])
	}
	return c.eachRows(context.Background(), func(row int, x []float32) error {
		for k := 0; k*c.Cols < len(x); k++ {
			for i, value := range x[k*c.Cols+from : k*c.Cols+to] {
				out[i*c.Rows+row+k] = value
			}
		}
		return nil
	})
}

// byColumns reports whether each column is stored together.
func (c *Columns) byColumns() bool { return c.reader.ByColumns || c.Cols == 1 }

// ByRows returns the file as one that is read by rows; nil if it is stored by columns.
func (c *Columns) ByRows() *Rows {
	if c.byColumns() {
		return nil
	}
	return &Rows{c}
}

// Rows is Columns of a file that is stored by rows.
type Rows struct{ *Columns }

// EachRows visits the columns from ≤ c < to of all rows in their order, about 64 MB at a time: x holds those from row
// on, (n, to-from), until visit returns. The file is read once, the next rows while some are visited.
func (c *Rows) EachRows(ctx context.Context, from, to int, visit func(row int, x []float32) error) error {
	if from == 0 && to == c.Cols {
		return c.eachRows(ctx, visit)
	}
	n := to - from
	return c.eachRows(ctx, func(row int, x []float32) error {
		for k := 0; k*c.Cols < len(x); k++ { // to the front, where earlier rows were
			copy(x[k*n:], x[k*c.Cols+from:k*c.Cols+to])
		}
		return visit(row, x[:len(x)/c.Cols*n])
	})
}

// eachRows visits whole rows, which the visit may change.
func (c *Columns) eachRows(ctx context.Context, visit func(row int, x []float32) error) error {
	step := max(1, pieceBytes/(4*max(1, c.Cols)))
	return parallel.Ahead(ctx, (c.Rows+step-1)/step, func(i int, x *[]float32) error {
		n := min(step, c.Rows-i*step) * c.Cols
		*x = slices.Grow((*x)[:0], n)[:n]
		return c.reader.Float32(i*step*c.Cols, *x)
	}, func(i int, x *[]float32) error { return visit(i*step, *x) })
}

// ReadMatrix reads a .npy file that [OpenColumns] opens, without a second copy of it in memory.
func ReadMatrix(path string) (Matrix, error) {
	c, err := OpenColumns(path)
	if err != nil {
		return Matrix{}, err
	}
	defer c.Close()
	m := Matrix{Rows: c.Rows, Cols: c.Cols, Data: make([]float32, c.Rows*c.Cols)}
	if !c.reader.ByColumns {
		return m, c.reader.Float32(0, m.Data)
	}
	step := max(1, pieceBytes/(4*max(1, c.Rows)))
	block := make([]float32, min(step, c.Cols)*c.Rows)
	for from := 0; from < c.Cols; from += step {
		n := min(step, c.Cols-from)
		if err := c.Read(from, from+n, block); err != nil {
			return Matrix{}, err
		}
		for i, x := range block[:n*c.Rows] {
			m.Data[i%c.Rows*c.Cols+from+i/c.Rows] = x
		}
	}
	return m, nil
}
