package npy

import (
	"slices"

	"github.com/brainwavlm/bwlm/fault"
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

// Read fills out with columns from to to, (to-from, Rows), as [Array.Float32] converts them.
func (c *Columns) Read(from, to int, out []float32) error {
	n := to - from
	if n == 0 || c.Rows == 0 {
		return nil
	}
	if c.reader.ByColumns || c.Cols == 1 { // one column after another
		return c.reader.Float32(from*c.Rows, out[:n*c.Rows])
	}
	step := 1 // rows that are read at once
	if n == c.Cols {
		step = max(1, pieceBytes/(4*n))
	}
	piece := make([]float32, step*n)
	for row := 0; row < c.Rows; row += step {
		found := piece[:min(step, c.Rows-row)*n]
		if err := c.reader.Float32(row*c.Cols+from, found); err != nil {
			return err
		}
		for k, x := range found {
			out[k%n*c.Rows+row+k/n] = x
		}
	}
	return nil
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
