package ckpt

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
)

// Columns is an open .npy file of a matrix that is read some columns at a time, since all of it may not fit in
// memory. An array of one dimension is a matrix of one column.
type Columns struct {
	Rows, Cols int

	header *npyDescription
	start  int64 // of the data in file
	file   io.ReaderAt
	name   string // as errors name it
}

// OpenColumns opens the .npy file at path, of what ReadNPY reads, and checks its header. The caller closes it.
func OpenColumns(path string) (*Columns, error) {
	file, size, err := inputfile.Open(readNPY, path)
	if err != nil {
		return nil, err
	}
	c, err := newColumns(file, size, path)
	if err != nil {
		file.Close() // the first error says what matters
		return nil, err
	}
	return c, nil
}

func newColumns(r io.ReaderAt, size int64, name string) (*Columns, error) {
	h, start, err := readNPYHeader(r, size)
	if err != nil {
		return nil, readError(readNPY, name, err)
	}
	if len(h.shape) != 1 && len(h.shape) != 2 {
		return nil, fault.New(fault.BadData, readNPY, place(name, ""), "shape %v is not that of a matrix", h.shape).
			WithHint("reshape it to (rows, columns)")
	}
	want, err := byteSize(h.dtype, h.shape)
	if err == nil && want != size-start {
		err = fmt.Errorf("shape %v of %v needs %d bytes, the file has %d", h.shape, h.dtype, want, size-start)
	}
	if err != nil {
		return nil, readError(readNPY, name, err)
	}
	shape := append(slices.Clone(h.shape), 1)
	return &Columns{Rows: shape[0], Cols: shape[1], header: h, start: start, file: r, name: name}, nil
}

// Close closes the file. A second Close does nothing.
func (c *Columns) Close() error {
	if err := c.file.(io.Closer).Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return readError(readNPY, c.name, err)
	}
	return nil
}

// pieceBytes is how much Columns reads at once.
const pieceBytes = 1 << 20

// Read fills out with columns from to to, one after another, as Array.Float32 gives them.
func (c *Columns) Read(from, to int, out []float32) error {
	size := int64(c.header.dtype.Size())
	piece := func(at int64, n int) ([]float32, error) { // n neighbours in the file, from element at
		data := make([]byte, int64(n)*size)
		if err := inputfile.Fill(c.file, data, c.start+at*size); err != nil {
			return nil, readError(readNPY, c.name, err)
		}
		if c.header.bigEndian {
			for item := range slices.Chunk(data, int(size)) {
				slices.Reverse(item)
			}
		}
		return values(&Array{DType: c.header.dtype, Data: data, name: c.name}, convert[float32])
	}
	n := to - from
	if n == 0 || c.Rows == 0 {
		return nil
	}
	if c.header.byColumns || c.Cols == 1 {
		step := max(1, pieceBytes/int(size))
		for at := 0; at < n*c.Rows; at += step {
			found, err := piece(int64(from*c.Rows+at), min(step, n*c.Rows-at))
			if err != nil {
				return err
			}
			copy(out[at:], found)
		}
		return nil
	}
	if n == c.Cols {
		step := max(1, pieceBytes/(n*int(size)))
		for row := 0; row < c.Rows; row += step {
			found, err := piece(int64(row)*int64(n), min(step, c.Rows-row)*n)
			if err != nil {
				return err
			}
			c.scatter(found, row, n, out)
		}
		return nil
	}
	for row := range c.Rows {
		found, err := piece(int64(row)*int64(c.Cols)+int64(from), n)
		if err != nil {
			return err
		}
		c.scatter(found, row, n, out)
	}
	return nil
}

// Matrix gives all of it row by row, (Rows, Cols), as Array.Float32 gives it, without a second copy of the file in memory.
func (c *Columns) Matrix() ([]float32, error) {
	out := make([]float32, c.Rows*c.Cols)
	step := max(1, pieceBytes/(4*max(1, c.Rows)))
	for from := 0; from < c.Cols; from += step {
		n := min(step, c.Cols-from)
		block := make([]float32, n*c.Rows)
		if err := c.Read(from, from+n, block); err != nil {
			return nil, err
		}
		for i, x := range block {
			out[i%c.Rows*c.Cols+from+i/c.Rows] = x
		}
	}
	return out, nil
}

// scatter puts rows of n elements, from row on, into columns.
func (c *Columns) scatter(found []float32, row, n int, out []float32) {
	for values := range slices.Chunk(found, n) {
		for i, x := range values {
			out[i*c.Rows+row] = x
		}
		row++
	}
}
