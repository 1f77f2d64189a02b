package raw

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Type is a type of number by its code in NIfTI and GIFTI (nifti1.h, DT_UINT8 and so on).
type Type int

// The types that are read.
const (
	Uint8   Type = 2
	Int16   Type = 4
	Int32   Type = 8
	Float32 Type = 16
	Float64 Type = 64
	Int8    Type = 256
	Uint16  Type = 512
	Uint32  Type = 768
	Int64   Type = 1024
	Uint64  Type = 1280
)

var names = map[Type]string{
	Uint8: "UINT8", Int16: "INT16", Int32: "INT32", Float32: "FLOAT32", Float64: "FLOAT64", Int8: "INT8",
	Uint16: "UINT16",
	Uint32: "UINT32", Int64: "INT64", Uint64: "UINT64",
	1: "BINARY", 32: "COMPLEX64", 128: "RGB24", 1536: "FLOAT128", 1792: "COMPLEX128", 2048: "COMPLEX256",
	2304: "RGBA32",
}

// Name is the type's name in GIFTI, without NIFTI_TYPE_.
func (t Type) Name() string {
	if name := names[t]; name != "" {
		return name
	}
	return fmt.Sprintf("type %d", int(t))
}

// TypeByName finds the type of a name, 0 if there is none.
func TypeByName(name string) Type {
	for t, n := range names {
		if n == name {
			return t
		}
	}
	return 0
}

// Size is the number of bytes of one number, 0 for types that are not read.
func (t Type) Size() int {
	switch t {
	case Uint8, Int8:
		return 1
	case Int16, Uint16:
		return 2
	case Int32, Uint32, Float32:
		return 4
	case Float64, Int64, Uint64:
		return 8
	}
	return 0
}

// Bytes is the number of bytes of an array, or an error if that is more than MaxBytes or a
// dimension is negative.
func Bytes(t Type, shape []int) (int, error) {
	if t.Size() == 0 {
		return 0, fmt.Errorf("numbers of %s are not read: want whole or real numbers of 8 to 64 bits", t.Name())
	}
	n := t.Size()
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("dimension %d is negative", d)
		}
		if d > 0 && n > MaxBytes/d {
			return 0, fmt.Errorf("shape %v of %s is more than the allowed %d bytes", shape, t.Name(), MaxBytes)
		}
		n *= d
	}
	return n, nil
}

// Float reads number i of data.
func Float(data []byte, t Type, order binary.ByteOrder, i int) float64 {
	b := data[i*t.Size():]
	switch t {
	case Uint8:
		return float64(b[0])
	case Int8:
		return float64(int8(b[0]))
	case Int16:
		return float64(int16(order.Uint16(b)))
	case Uint16:
		return float64(order.Uint16(b))
	case Int32:
		return float64(int32(order.Uint32(b)))
	case Uint32:
		return float64(order.Uint32(b))
	case Int64:
		return float64(int64(order.Uint64(b)))
	case Uint64:
		return float64(order.Uint64(b))
	case Float32:
		return float64(math.Float32frombits(order.Uint32(b)))
	}
	return math.Float64frombits(order.Uint64(b))
}

// Whole returns v as a whole number. The error names number i.
func Whole(v float64, i int) (int32, error) {
	if v != math.Trunc(v) || math.Abs(v) > math.MaxInt32 {
		return 0, fmt.Errorf("number %d is %v, want whole numbers of up to 31 bits", i, v)
	}
	return int32(v), nil
}
