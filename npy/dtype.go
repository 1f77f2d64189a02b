package npy

import (
	"github.com/brainwavlm/bwlm/internal/elements"
)

// DType is the type of an array's elements, by its name in NumPy.
type DType string

// The types that can be read.
const (
	Bool       DType = DType(elements.Bool)
	typeInt8   DType = DType(elements.Int8)
	typeInt16  DType = DType(elements.Int16)
	typeInt32  DType = DType(elements.Int32)
	typeInt64  DType = DType(elements.Int64)
	typeUint8  DType = DType(elements.Uint8)
	typeUint16 DType = DType(elements.Uint16)
	typeUint32 DType = DType(elements.Uint32)
	typeUint64 DType = DType(elements.Uint64)
	Float16    DType = DType(elements.Float16)
	Float32    DType = DType(elements.Float32)
	Float64    DType = DType(elements.Float64)
)

// codes pairs the types with their codes in a header, which are a letter and the number of bytes.
var codes = map[string]DType{
	"b1": Bool, "i1": typeInt8, "i2": typeInt16, "i4": typeInt32, "i8": typeInt64,
	"u1": typeUint8, "u2": typeUint16, "u4": typeUint32,
	"u8": typeUint64,
	"f2": Float16, "f4": Float32, "f8": Float64,
}

// code is the code of a type.
func (d DType) code() string {
	for code, known := range codes {
		if known == d {
			return code
		}
	}
	return ""
}

// size is the number of bytes of an element.
func (d DType) size() int {
	code := d.code()
	return int(code[1] - '0')
}
