package ckpt

import (
	"fmt"
	"io"

	"github.com/brainwavlm/bwlm/internal/elements"
)

// Tensor is one tensor to be written. Data may be nil if the shape has no elements.
type Tensor struct {
	Name  string
	DType DType
	Shape []int
	Data  Data
}

// Data is the content of a tensor in the file: its elements, little-endian, row by row.
type Data interface {
	Len() int64 // bytes
	io.WriterTo
}

// Bytes is Data in the form of the file.
type Bytes []byte

// Len is the number of bytes.
func (b Bytes) Len() int64 { return int64(len(b)) }

// WriteTo writes the bytes.
func (b Bytes) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(b)
	return int64(n), err
}

// Element is a Go type that can be written.
type Element interface {
	float32 | float64 | int32 | int64 | uint8 | bool
}

// NewTensor makes a tensor of the dtype of T from its elements row by row. It refers to data, which
// must not change until the tensor is written.
func NewTensor[T Element](name string, shape []int, data []T) Tensor {
	return Tensor{Name: name, DType: dtypeOf[T](), Shape: shape, Data: values[T](data)}
}

// values is Data that is converted while it is written.
type values[T Element] []T

// Len is the number of bytes.
func (v values[T]) Len() int64 { return int64(len(v)) * int64(dtypeOf[T]().size()) }

// WriteTo writes the values.
func (v values[T]) WriteTo(w io.Writer) (int64, error) { return elements.Write(w, v) }

// section is Data that is copied from another file.
type section struct{ TensorInfo }

// Len is the number of bytes.
func (s section) Len() int64 { return s.size() }

// WriteTo copies the bytes.
func (s section) WriteTo(w io.Writer) (int64, error) {
	data, err := s.read()
	if err != nil {
		return 0, err
	}
	return Bytes(data).WriteTo(w)
}

// check refuses a tensor that a reader would refuse.
func (t Tensor) check() error {
	if err := checkName(t.Name); err != nil {
		return err
	}
	if t.DType.bits() == 0 {
		return fmt.Errorf("%v is no dtype", t.DType)
	}
	size, err := elements.ByteSize(t.Shape, t.DType.bits())
	if err != nil {
		return err
	}
	if size != t.size() {
		return fmt.Errorf("there are %d bytes of data, shape %v of %v needs %d", t.size(), t.Shape, t.DType, size)
	}
	return nil
}

func (t Tensor) size() int64 {
	if t.Data == nil {
		return 0
	}
	return t.Data.Len()
}
