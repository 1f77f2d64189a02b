package npy

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/npyheader"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/sniff"
)

const reading = "read npy"

// Array is the content of a .npy file.
type Array struct {
	Shape []int
	DType DType

	data []byte // the elements row by row, little-endian, whatever the order in the file was
	path string
}

// Read reads the .npy file at path (format versions 1 to 3), of either byte order, stored by rows
// or by columns.
func Read(path string) (*Array, error) {
	file, size, err := inputfile.Open(reading, path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return read(file, size, path)
}

// read reads a file of size bytes, which errors call path.
func read(r io.ReaderAt, size int64, path string) (*Array, error) {
	h, err := npyheader.Read(r, size)
	if err != nil {
		return nil, wrongKind(r, size, path, err)
	}
	data := make([]byte, size-h.Start)
	if err := inputfile.Fill(r, data, h.Start); err != nil {
		return nil, inputfile.Error(reading, path, err)
	}
	h.ToLittleEndian(data)
	if h.ByColumns {
		data = elements.ByRows(data, h.Shape, h.DType.Size())
	}
	return &Array{Shape: h.Shape, DType: DType(h.DType), data: data, path: path}, nil
}

// wrongKind is the error of a header that cannot be read: that the file is of another kind, if it is,
// or else err.
func wrongKind(r io.ReaderAt, size int64, path string, err error) error {
	if other := sniff.Other(reading, path, sniff.Of(r, size), "a .npy file of numbers", sniff.NPY); other != nil {
		return other
	}
	if d := (*npyheader.DTypeError)(nil); errors.As(err, &d) {
		return fault.New(fault.BadData, reading, quote.OneLine(path), "%v", d).WithHint("%s", d.Hint)
	}
	if sniff.IsText(r, size) {
		return fault.New(fault.BadData, reading, quote.OneLine(path), "is text, want a .npy file of numbers").
			WithHint("save it with numpy.save(name, numpy.loadtxt(file, delimiter=',')); numbers with spaces between " +
				"them may stay text, in a file named .txt")
	}
	return inputfile.Error(reading, path, err)
}

// Float32 returns the elements row by row: float16 and float32 exactly, float64 and integers
// rounded to nearest. A finite float64 that would become infinite is refused.
func (a *Array) Float32() ([]float32, error) { return values(a, elements.Numbers[float32]) }

// Float64 returns the elements row by row: floats and integers up to 32 bits exactly, wider ones
// rounded to nearest.
func (a *Array) Float64() ([]float64, error) { return values(a, elements.Numbers[float64]) }

// Bool returns the elements of an array of booleans row by row.
func (a *Array) Bool() ([]bool, error) { return values(a, elements.Bools) }

func values[T any](a *Array, convert func([]byte, elements.Kind) ([]T, error)) ([]T, error) {
	out, err := convert(a.data, elements.Kind(a.DType))
	if err != nil {
		return nil, unreadable(a.path, err)
	}
	return out, nil
}

// unreadable is the error of elements that cannot be converted.
func unreadable(path string, err error) error {
	return fault.New(fault.BadData, reading, quote.OneLine(path), "%v", err).
		WithHint("save it as another dtype, with numpy's astype")
}

// Element is a Go type that can be written.
type Element interface {
	float32 | float64 | int32 | int64 | uint8 | bool
}

// Write writes values, row by row, as the .npy file at path, which is replaced as a whole or not at
// all.
func Write[T Element](path string, shape []int, values []T) error {
	dtype := DType(elements.KindOf[T]())
	size, err := elements.ByteSize(shape, 8*dtype.size())
	if err == nil && size != int64(len(values))*int64(dtype.size()) {
		err = fmt.Errorf("there are %d values, shape %v needs another number", len(values), shape)
	}
	if err != nil {
		return fault.New(fault.BadData, "write npy", quote.OneLine(path), "%v", err).
			WithHint("correct the shape before it is written")
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		if _, err := w.Write(npyheader.Make(elements.Kind(dtype), shape)); err != nil {
			return err
		}
		_, err := elements.Write(w, values)
		return err
	})
}

// Matrix is a matrix of numbers, row by row. The rows may be windows or TRs and the columns
// channels or voxels.
type Matrix struct {
	Rows, Cols int
	Data       []float32 // Rows * Cols
}

// Row returns row i, which shares memory with the matrix.
func (m Matrix) Row(i int) []float32 {
	return slices.Clip(m.Data[i*m.Cols : (i+1)*m.Cols])
}
