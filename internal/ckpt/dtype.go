package ckpt

import (
	"fmt"
	"slices"

	"github.com/brainwavlm/bwlm/internal/elements"
)

// DType is the type of a tensor's elements. Types are ordered as in the reference implementation,
// by alignment first, because the order of tensors in a written file follows it.
type DType uint8

// The types that safetensors defines. Those below one byte and the 8-bit and complex floats can be
// copied, but not read as numbers.
const (
	BOOL DType = iota + 1
	F4
	F6E2M3
	F6E3M2
	U8
	I8
	F8E5M2
	F8E4M3
	F8E8M0
	F8E4M3FNUZ
	F8E5M2FNUZ
	I16
	U16
	F16
	BF16
	I32
	U32
	F32
	C64
	F64
	I64
	U64
)

// dtypeInfo describes a type.
type dtypeInfo struct {
	name string
	bits int
	kind elements.Kind // "" if it cannot be read as numbers
}

var dtypes = [...]dtypeInfo{
	BOOL: {"BOOL", 8, elements.Bool}, U8: {"U8", 8, elements.Uint8}, I8: {"I8", 8, elements.Int8},
	I16: {"I16", 16, elements.Int16}, U16: {"U16", 16, elements.Uint16},
	F16: {"F16", 16, elements.Float16}, BF16: {"BF16", 16, elements.BFloat16},
	I32: {"I32", 32, elements.Int32}, U32: {"U32", 32, elements.Uint32}, F32: {"F32", 32, elements.Float32},
	F64: {"F64", 64, elements.Float64}, I64: {"I64", 64, elements.Int64}, U64: {"U64", 64, elements.Uint64},
	F4: {"F4", 4, ""}, F6E2M3: {"F6_E2M3", 6, ""}, F6E3M2: {"F6_E3M2", 6, ""}, C64: {"C64", 64, ""},
	F8E5M2: {"F8_E5M2", 8, ""}, F8E4M3: {"F8_E4M3", 8, ""}, F8E8M0: {"F8_E8M0", 8, ""},
	F8E4M3FNUZ: {"F8_E4M3FNUZ", 8, ""}, F8E5M2FNUZ: {"F8_E5M2FNUZ", 8, ""},
}

// String gives the name that safetensors uses, "F32".
func (d DType) String() string {
	if d.bits() == 0 {
		return fmt.Sprintf("DType(%d)", uint8(d))
	}
	return dtypes[d].name
}

// bits is the size of one element in bits, 0 if d is no type.
func (d DType) bits() int {
	if int(d) >= len(dtypes) {
		return 0
	}
	return dtypes[d].bits
}

// size is the size of one element in bytes, 0 if it does not fill whole bytes.
func (d DType) size() int {
	if d.bits()%8 != 0 {
		return 0
	}
	return d.bits() / 8
}

// parseDType finds the type that safetensors calls name.
func parseDType(name string) (DType, bool) {
	for d, t := range dtypes {
		if t.name == name && name != "" {
			return DType(d), true
		}
	}
	return 0, false
}

// dtypeOf is the type in which elements of type T are written.
func dtypeOf[T Element]() DType {
	kind := elements.KindOf[T]()
	return DType(slices.IndexFunc(dtypes[:], func(t dtypeInfo) bool { return t.kind == kind }))
}
