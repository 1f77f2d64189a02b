package torch

import (
	"fmt"

	"golang.org/x/sys/cpu"

	"github.com/brainwavlm/bwlm/fault"
)

// DType is the type of a tensor's elements.
type DType int

// The element types of this package, in the order of kernel.h.
const (
	Float32 DType = iota
	Float64
	BFloat16
	Int64
	Bool
)

// Size returns the number of bytes of one element.
func (d DType) Size() int { return [...]int{4, 8, 2, 8, 1}[d] }

func (d DType) String() string {
	if d < 0 || d > Bool {
		return fmt.Sprintf("DType(%d)", int(d))
	}
	return [...]string{"f32", "f64", "bf16", "i64", "bool"}[d]
}

// FastBFloat16 reports whether the device has instructions for products in BFloat16, which make it
// faster than Float32.
func FastBFloat16(d Device) bool {
	return d != CPU || cpu.X86.HasAVX512BF16 || cpu.X86.HasAMXBF16
}

// ComputeType returns the type of a name for [Mode].Compute: "f32", "bf16", or "auto", which is
// BFloat16 on a device where [FastBFloat16] holds and Float32 otherwise. Another name is a fault of
// kind Usage.
func ComputeType(name string, d Device) (DType, error) {
	switch {
	case name == "bf16", name == "auto" && FastBFloat16(d):
		return BFloat16, nil
	case name == "f32", name == "auto":
		return Float32, nil
	}
	return Float32, fault.New(fault.Usage, "choose compute type", "", "%q is not one of auto, f32, bf16", name)
}
