package ckpt

import (
	"fmt"
	"io"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/inputfile"
)

// Array is the content of a .npy file: its elements row by row, little-endian, whatever the order in
// the file was.
type Array struct {
	Shape []int
	DType DType
	Data  []byte

	name string // as errors name it
}

// ReadNPY reads the .npy file at path (NumPy format versions 1 to 3) of booleans, integers or floats of
// either byte order, stored by rows or by columns. Objects, text and records are refused.
func ReadNPY(path string) (*Array, error) {
	file, size, err := inputfile.Open(readNPY, path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readArray(file, size, path)
}

func readArray(r io.ReaderAt, size int64, name string) (*Array, error) {
	h, start, err := readNPYHeader(r, size)
	if err != nil {
		return nil, readError(readNPY, name, err)
	}
	want, err := byteSize(h.dtype, h.shape)
	if err != nil {
		return nil, readError(readNPY, name, err)
	}
	if want != size-start {
		return nil, readError(readNPY, name, fmt.Errorf("shape %v of %v needs %d bytes, the file has %d", h.shape, h.dtype, want, size-start))
	}
	data := make([]byte, want)
	if err := inputfile.Fill(r, data, start); err != nil {
		return nil, readError(readNPY, name, err)
	}
	if h.bigEndian {
		for item := range slices.Chunk(data, h.dtype.Size()) {
			slices.Reverse(item)
		}
	}
	if h.byColumns && len(h.shape) > 1 {
		data = byRows(data, h.shape, h.dtype.Size())
	}
	return &Array{Shape: h.shape, DType: h.dtype, Data: data, name: name}, nil
}

// byRows reorders elements of size bytes from the first index running fastest to the last.
func byRows(data []byte, shape []int, size int) []byte {
	out := make([]byte, len(data))
	strides := make([]int, len(shape))
	stride := size
	for k, d := range shape {
		strides[k] = stride
		stride *= d
	}
	index := make([]int, len(shape))
	from := 0
	for to := 0; to < len(out); to += size {
		copy(out[to:to+size], data[from:])
		for k := len(shape) - 1; k >= 0; k-- {
			index[k]++
			from += strides[k]
			if index[k] < shape[k] {
				break
			}
			from -= index[k] * strides[k]
			index[k] = 0
		}
	}
	return out
}

// Float32 gives the elements: f2 and f4 exactly, f8 and integers rounded to nearest.
func (a *Array) Float32() ([]float32, error) { return values(a, convert[float32]) }

// Float64 gives the elements: floats and integers up to 32 bits exactly, wider ones rounded to nearest.
func (a *Array) Float64() ([]float64, error) { return values(a, convert[float64]) }

// Int64 gives the elements of an array of integers.
func (a *Array) Int64() ([]int64, error) { return values(a, convert[int64]) }

// Bool gives the elements of an array of booleans.
func (a *Array) Bool() ([]bool, error) { return values(a, bools) }

func values[T any](a *Array, convert func([]byte, DType) ([]T, error)) ([]T, error) {
	out, err := convert(a.Data, a.DType)
	if err != nil {
		return nil, fault.New(fault.BadData, readNPY, place(a.name, ""), "%v", err).WithHint("save it as another dtype, with numpy's astype")
	}
	return out, nil
}

// WriteNPY writes values, row by row, as the .npy file at path, which is replaced as a whole or not at
// all.
func WriteNPY[T Element](path string, shape []int, values []T) error {
	dt, data := dtypeOf[T](), elements[T](values)
	size, err := byteSize(dt, shape)
	if err == nil && size != data.Len() {
		err = fmt.Errorf("there are %d values, shape %v needs another number", len(values), shape)
	}
	if err != nil {
		return fault.New(fault.BadData, "write npy", place(path, ""), "%v", err).WithHint("mend the shape before it is written")
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		if _, err := w.Write(npyHeader(dt, shape)); err != nil {
			return err
		}
		_, err := data.WriteTo(w)
		return err
	})
}
