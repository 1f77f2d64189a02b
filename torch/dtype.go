package torch

import (
	"fmt"

	"golang.org/x/sys/cpu"
)

// DType is the type of a tensor's elements.
type DType int

// The types this package handles. The order is that of the C++ side.
const (
	Float32 DType = iota
	Float64
	BFloat16
	Int64
	Bool
)

// Size is the number of bytes of one element.
func (d DType) Size() int { return [...]int{4, 8, 2, 8, 1}[d] }

func (d DType) String() string {
	if d < 0 || d > Bool {
		return fmt.Sprintf("DType(%d)", int(d))
	}
	return [...]string{"f32", "f64", "bf16", "i64", "bool"}[d]
}

// FastBFloat16 says whether a device multiplies in BFloat16 by itself, so that it is faster there than Float32.
func FastBFloat16(d Device) bool {
	return d != CPU || cpu.X86.HasAVX512BF16 || cpu.X86.HasAMXBF16
}
