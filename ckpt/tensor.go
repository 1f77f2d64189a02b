package ckpt

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Tensor is one tensor to be written. Data may be nil if the shape has no elements.
type Tensor struct {
	Name  string
	DType DType
	Shape []int
	Data  Data
}

// Data is what stands in the file for a tensor: its elements, little-endian, row by row.
type Data interface {
	Len() int64 // bytes
	io.WriterTo
}

// Bytes is Data that has the form of the file already.
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

// NewTensor makes a tensor of the dtype that fits T from its elements row by row. It keeps values, which
// must not change until it is written.
func NewTensor[T Element](name string, shape []int, values []T) Tensor {
	return Tensor{Name: name, DType: dtypeOf[T](), Shape: shape, Data: elements[T](values)}
}

func dtypeOf[T Element]() DType {
	switch any(*new(T)).(type) {
	case float32:
		return F32
	case float64:
		return F64
	case int32:
		return I32
	case int64:
		return I64
	case uint8:
		return U8
	default:
		return BOOL
	}
}

// elements is Data made from values while it is written, a chunk at a time.
type elements[T Element] []T

const chunk = 1 << 14

// Len is the number of bytes.
func (e elements[T]) Len() int64 { return int64(len(e)) * int64(dtypeOf[T]().Size()) }

// WriteTo writes the values.
func (e elements[T]) WriteTo(w io.Writer) (int64, error) {
	var written int64
	var buffer []byte
	for len(e) > 0 {
		n := min(len(e), chunk)
		var err error
		if buffer, err = binary.Append(buffer[:0], binary.LittleEndian, []T(e[:n])); err != nil {
			return written, err
		}
		m, err := w.Write(buffer)
		written += int64(m)
		if err != nil {
			return written, err
		}
		e = e[n:]
	}
	return written, nil
}

// section is Data that is copied from another file.
type section struct{ TensorInfo }

// Len is the number of bytes.
func (s section) Len() int64 { return s.Size() }

// WriteTo copies the bytes.
func (s section) WriteTo(w io.Writer) (int64, error) {
	data, err := s.read()
	if err != nil {
		return 0, err
	}
	return Bytes(data).WriteTo(w)
}

// check wants a tensor that a reader will accept.
func (t Tensor) check() error {
	if err := checkName(t.Name); err != nil {
		return err
	}
	if t.DType.Bits() == 0 {
		return fmt.Errorf("%v is no dtype", t.DType)
	}
	size, err := byteSize(t.DType, t.Shape)
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
