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

// size is the number of bytes of an element.
func (d DType) size() int { return elements.Kind(d).Size() }
