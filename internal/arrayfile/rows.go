package arrayfile

import (
	"fmt"
	"io"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/hdf5"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/stored"
)

// Rows reads rows of an array as matrices of one size, one for each repeat.
type Rows interface {
	// ReadRows fills out with rows from ≤ k < to of a repeat, row by row.
	ReadRows(repeat, from, to int, out []float64) error
	// Step is a number of rows that are best read together, or a multiple of it.
	Step() int
	// Spread reports whether each row is spread over all of the file.
	Spread() bool
}

// Read returns a reader of an array of f. Elements that lie in the file as they are come from in, which is the file at
// path; errors name it. A transposed one is read by columns: what are columns in the file are its rows.
func Read(f File, a stored.Array, in io.ReaderAt, path string, transposed bool) (Rows, error) {
	if a.Offset >= 0 {
		r, err := stored.New(a, in, a.Offset, func(err error) error { return inputfile.Error(op, path, err) })
		return rowsOf(r, transposed), err
	}
	switch f := f.(type) {
	case interface {
		Reader(name string) (*stored.Reader, error)
	}:
		r, err := f.Reader(a.Name)
		return rowsOf(r, transposed), err
	case *hdf5File:
		d, err := f.Dataset("/" + a.Name)
		if err != nil {
			return nil, err
		}
		repeats, rows, columns, err := a.Extent()
		if err != nil || a.ByColumns && repeats > 1 {
			return nil, fault.New(fault.BadData, op, quote.OneLine(path),
				"%s is in chunks, want one or two dimensions", a)
		}
		if transposed {
			rows, columns = columns, rows
		}
		return &hdf5Rows{d, rows, columns, a.ByColumns != transposed}, nil
	}
	return nil, fmt.Errorf("%T has no reader", f)
}

// rowsOf are the rows of an array, or its columns.
func rowsOf(r *stored.Reader, transposed bool) Rows {
	if transposed {
		return storedColumns{r}
	}
	return storedRows{r}
}

// storedColumns are the columns of an array in a file or stream, as rows.
type storedColumns struct{ *stored.Reader }

// ReadRows fills out with columns.
func (r storedColumns) ReadRows(repeat, from, to int, out []float64) error {
	return stored.ReadColumns(r.Reader, repeat, from, to, out)
}

// Step is one column.
func (r storedColumns) Step() int { return 1 }

// Spread reports whether the array is stored by rows.
func (r storedColumns) Spread() bool { return !r.ByColumns }

// storedRows are those of an array in a file or stream.
type storedRows struct{ *stored.Reader }

// ReadRows fills out with rows.
func (r storedRows) ReadRows(repeat, from, to int, out []float64) error {
	return stored.ReadRows(r.Reader, repeat, from, to, out)
}

// Step is one row.
func (r storedRows) Step() int { return 1 }

// Spread reports whether the array is stored by columns.
func (r storedRows) Spread() bool { return r.ByColumns }

// hdf5Rows are those of an array in chunks. Those of MATLAB, and transposed ones, are columns in the file.
type hdf5Rows struct {
	*hdf5.Dataset
	rows, columns int
	reversed      bool
}

// ReadRows fills out with rows.
func (r *hdf5Rows) ReadRows(repeat, from, to int, out []float64) error {
	if !r.reversed {
		return r.ReadRows64(repeat*r.rows+from, repeat*r.rows+to, out)
	}
	n := to - from
	across := make([]float64, len(out))
	all := hdf5.Span{From: repeat * r.columns, To: (repeat + 1) * r.columns} // which are rows in the file
	if err := r.ReadBlock64(all, hdf5.Span{From: from, To: to}, across); err != nil {
		return err
	}
	for c := range r.columns {
		for k := range n {
			out[k*r.columns+c] = across[c*n+k]
		}
	}
	return nil
}

// Step is the rows of a chunk.
func (r *hdf5Rows) Step() int {
	if r.reversed {
		return 1
	}
	return r.ChunkRows()
}

// Spread reports whether the axes are reversed.
func (r *hdf5Rows) Spread() bool { return r.reversed }
