package ckpt

import (
	"encoding/binary"
	"fmt"
	"math"
)

// number is what elements are turned into.
type number interface{ float32 | float64 | int64 }

// convert turns little-endian elements of type dt into numbers. Floats are widened exactly or rounded to
// nearest, and refused if rounding would make a finite one infinite; integers become floats as Go
// converts them. An int64 comes from integers only.
func convert[T number](data []byte, dt DType) ([]T, error) {
	if _, whole := any(T(0)).(int64); whole && isFloat(dt) {
		return nil, fmt.Errorf("holds %v, not integers", dt)
	}
	le := binary.LittleEndian
	switch dt {
	case F32:
		return each(data, 4, func(b []byte) T { return T(math.Float32frombits(le.Uint32(b))) }), nil
	case F64:
		out := each(data, 8, func(b []byte) T { return T(math.Float64frombits(le.Uint64(b))) })
		return out, checkRange(out, data)
	case F16:
		return each(data, 2, func(b []byte) T { return T(float16(le.Uint16(b))) }), nil
	case BF16:
		return each(data, 2, func(b []byte) T { return T(math.Float32frombits(uint32(le.Uint16(b)) << 16)) }), nil
	case I8:
		return each(data, 1, func(b []byte) T { return T(int8(b[0])) }), nil
	case U8:
		return each(data, 1, func(b []byte) T { return T(b[0]) }), nil
	case I16:
		return each(data, 2, func(b []byte) T { return T(int16(le.Uint16(b))) }), nil
	case U16:
		return each(data, 2, func(b []byte) T { return T(le.Uint16(b)) }), nil
	case I32:
		return each(data, 4, func(b []byte) T { return T(int32(le.Uint32(b))) }), nil
	case U32:
		return each(data, 4, func(b []byte) T { return T(le.Uint32(b)) }), nil
	case I64:
		return each(data, 8, func(b []byte) T { return T(int64(le.Uint64(b))) }), nil
	case U64:
		out := each(data, 8, func(b []byte) T { return T(le.Uint64(b)) })
		for i, v := range out {
			if v < 0 {
				return nil, fmt.Errorf("element %d is too large for a 64-bit integer", i)
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("holds %v, which cannot be read as numbers", dt)
}

func isFloat(dt DType) bool { return dt == F32 || dt == F64 || dt == F16 || dt == BF16 }

// each reads one T from every size bytes of data.
func each[T any](data []byte, size int, read func([]byte) T) []T {
	out := make([]T, len(data)/size)
	for i := range out {
		out[i] = read(data[i*size:])
	}
	return out
}

// checkRange wants a float64 of data that became infinite to have been infinite before.
func checkRange[T number](out []T, data []byte) error {
	for i, v := range out {
		if math.IsInf(float64(v), 0) {
			if was := math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:])); !math.IsInf(was, 0) {
				return fmt.Errorf("element %d, %g, is too large for a 32-bit float", i, was)
			}
		}
	}
	return nil
}

// float16 widens an IEEE 754 half: a sign, 5 bits of exponent, 10 of fraction. NaNs keep their fraction.
func float16(h uint16) float32 {
	sign, exponent, fraction := uint32(h)>>15<<31, uint32(h)>>10&0x1f, uint32(h)&0x3ff
	switch exponent {
	case 0: // zero or subnormal
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*0x1p-24))
	case 0x1f: // infinity or NaN
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// bools reads BOOL elements, each of which must be 0 or 1.
func bools(data []byte, dt DType) ([]bool, error) {
	if dt != BOOL {
		return nil, fmt.Errorf("holds %v, not BOOL", dt)
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
