// Package elements converts between Go's numbers and the bytes of a file that holds them
// little-endian, one after another.
package elements

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
)

// Kind is the type of elements, by its name in NumPy.
type Kind string

// The kinds that can be read as numbers or truth values.
const (
	Bool     Kind = "bool"
	Int8     Kind = "int8"
	Int16    Kind = "int16"
	Int32    Kind = "int32"
	Int64    Kind = "int64"
	Uint8    Kind = "uint8"
	Uint16   Kind = "uint16"
	Uint32   Kind = "uint32"
	Uint64   Kind = "uint64"
	Float16  Kind = "float16"
	BFloat16 Kind = "bfloat16"
	Float32  Kind = "float32"
	Float64  Kind = "float64"
)

// Size is the number of bytes of an element, 0 for what is no kind.
func (k Kind) Size() int {
	switch k {
	case Bool, Int8, Uint8:
		return 1
	case Int16, Uint16, Float16, BFloat16:
		return 2
	case Int32, Uint32, Float32:
		return 4
	case Int64, Uint64, Float64:
		return 8
	}
	return 0
}

// Element is a Go type that can be written.
type Element interface {
	float32 | float64 | int32 | int64 | uint8 | bool
}

// KindOf is the kind in which elements of type T are written.
func KindOf[T Element]() Kind {
	switch any(*new(T)).(type) {
	case float32:
		return Float32
	case float64:
		return Float64
	case int32:
		return Int32
	case int64:
		return Int64
	case uint8:
		return Uint8
	default:
		return Bool
	}
}

// Write writes values and returns the number of bytes. It converts a piece at a time, so it needs
// no second copy.
func Write[T Element](w io.Writer, values []T) (int64, error) {
	const piece = 1 << 14
	var written int64
	var buffer []byte
	for len(values) > 0 {
		n := min(len(values), piece)
		var err error
		if buffer, err = binary.Append(buffer[:0], binary.LittleEndian, values[:n]); err != nil {
			return written, err
		}
		m, err := w.Write(buffer)
		written += int64(m)
		if err != nil {
			return written, err
		}
		values = values[n:]
	}
	return written, nil
}

// Number is a type that elements are read as.
type Number interface{ float32 | float64 | int64 }

// Numbers reads the elements of data. Floats are widened exactly or rounded to nearest, and refused
// if rounding would make a finite one infinite; integers become floats as Go converts them. An
// int64 comes from integers only.
func Numbers[T Number](data []byte, k Kind) ([]T, error) {
	out := make([]T, len(data)/max(1, k.Size()))
	if err := Fill(out, data, k); err != nil {
		return nil, err
	}
	return out, nil
}

// Fill reads len(out) elements from the start of data into out, as [Numbers] does.
func Fill[T Number](out []T, data []byte, k Kind) error {
	if _, whole := any(T(0)).(int64); whole && (k == Float16 || k == BFloat16 || k == Float32 || k == Float64) {
		return fmt.Errorf("holds %s, not integers", k)
	}
	le := binary.LittleEndian
	switch k {
	case Float32:
		each(out, data, 4, func(b []byte) T { return T(math.Float32frombits(le.Uint32(b))) })
	case Float64:
		each(out, data, 8, func(b []byte) T { return T(math.Float64frombits(le.Uint64(b))) })
		return checkRange(out, data)
	case Float16:
		each(out, data, 2, func(b []byte) T { return T(widen(le.Uint16(b))) })
	case BFloat16:
		each(out, data, 2, func(b []byte) T { return T(math.Float32frombits(uint32(le.Uint16(b)) << 16)) })
	case Int8:
		each(out, data, 1, func(b []byte) T { return T(int8(b[0])) })
	case Uint8:
		each(out, data, 1, func(b []byte) T { return T(b[0]) })
	case Int16:
		each(out, data, 2, func(b []byte) T { return T(int16(le.Uint16(b))) })
	case Uint16:
		each(out, data, 2, func(b []byte) T { return T(le.Uint16(b)) })
	case Int32:
		each(out, data, 4, func(b []byte) T { return T(int32(le.Uint32(b))) })
	case Uint32:
		each(out, data, 4, func(b []byte) T { return T(le.Uint32(b)) })
	case Int64:
		each(out, data, 8, func(b []byte) T { return T(int64(le.Uint64(b))) })
	case Uint64:
		each(out, data, 8, func(b []byte) T { return T(le.Uint64(b)) })
		for i, v := range out {
			if v < 0 {
				return fmt.Errorf("element %d is too large for a 64-bit integer", i)
			}
		}
	default:
		return fmt.Errorf("holds %s, which cannot be read as numbers", k)
	}
	return nil
}

// each reads one T from every size bytes of data.
func each[T any](out []T, data []byte, size int, read func([]byte) T) {
	for i := range out {
		out[i] = read(data[i*size:])
	}
}

// RangeError is a finite float64 that no float32 can hold.
type RangeError struct {
	Index int // of the element
	Value float64
}

func (e *RangeError) Error() string {
	return fmt.Sprintf("element %d, %g, is too large for a 32-bit float", e.Index, e.Value)
}

// checkRange refuses a float64 of data that became infinite and was not.
func checkRange[T Number](out []T, data []byte) error {
	for i, v := range out {
		if math.IsInf(float64(v), 0) {
			if was := math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:])); !math.IsInf(was, 0) {
				return &RangeError{i, was}
			}
		}
	}
	return nil
}

// widen converts an IEEE 754 half: a sign, 5 bits of exponent, 10 of fraction. NaNs keep their
// fraction.
func widen(h uint16) float32 {
	sign, exponent, fraction := uint32(h)>>15<<31, uint32(h)>>10&0x1f, uint32(h)&0x3ff
	switch exponent {
	case 0: // zero or subnormal
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*0x1p-24))
	case 0x1f: // infinity or NaN
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// Bools reads the elements of data, each of which must be 0 or 1.
func Bools(data []byte, k Kind) ([]bool, error) {
	if k != Bool {
		return nil, fmt.Errorf("holds %s, not bool", k)
	}
	out := make([]bool, len(data))
	for i, b := range data {
		if b > 1 {
			return nil, fmt.Errorf("element %d is %d, neither false nor true", i, b)
		}
		out[i] = b == 1
	}
	return out, nil
}

// ByRows reorders elements of size bytes from the first index running fastest to the last.
func ByRows(data []byte, shape []int, size int) []byte {
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

// MaxRank is the most dimensions that a tensor may have, as in NumPy 2 and PyTorch.
const MaxRank = 64

// ByteSize is the number of bytes of a tensor with elements of width bits. The running product must
// not overflow, even where a later dimension is 0, and the last element must end on a byte
// (reference: TensorInfo checks in safetensors/src/tensor.rs).
func ByteSize(shape []int, width int) (int64, error) {
	if len(shape) > MaxRank {
		return 0, fmt.Errorf("%d dimensions, at most %d are possible", len(shape), MaxRank)
	}
	size := uint64(1)
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("shape %v has a negative dimension", shape)
		}
		var err error
		if size, err = Times(size, uint64(d)); err != nil {
			return 0, fmt.Errorf("shape %v %w", shape, err)
		}
	}
	size, err := Times(size, uint64(width))
	if err != nil {
		return 0, fmt.Errorf("shape %v of %d-bit elements %w", shape, width, err)
	}
	if size%8 != 0 {
		return 0, fmt.Errorf("shape %v of %d-bit elements does not fill whole bytes", shape, width)
	}
	return int64(size / 8), nil
}

// ErrOverflow is the error of a size that no file can have.
var ErrOverflow = errors.New("overflows: no file can hold it")

// Times is a*b, or [ErrOverflow].
func Times(a, b uint64) (uint64, error) {
	high, low := bits.Mul64(a, b)
	if high != 0 || low > math.MaxInt64 {
		return 0, ErrOverflow
	}
	return low, nil
}
