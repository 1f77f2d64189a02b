package ckpt

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
)

// maxRank is the most dimensions a tensor may have, as in NumPy 2 and PyTorch.
const maxRank = 64

// byteSize is the number of bytes that shape takes in dt. The running product must not overflow, even
// where a later dimension is 0, and the last element must end on a byte (reference: TensorInfo checks
// in safetensors/src/tensor.rs).
func byteSize(dt DType, shape []int) (int64, error) {
	if len(shape) > maxRank {
		return 0, fmt.Errorf("%d dimensions, at most %d are possible", len(shape), maxRank)
	}
	size := uint64(1)
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("shape %v has a negative dimension", shape)
		}
		var err error
		if size, err = times(size, uint64(d)); err != nil {
			return 0, fmt.Errorf("shape %v %w", shape, err)
		}
	}
	size, err := times(size, uint64(dt.Bits()))
	if err != nil {
		return 0, fmt.Errorf("shape %v of %v %w", shape, dt, err)
	}
	if size%8 != 0 {
		return 0, fmt.Errorf("shape %v of %v does not fill whole bytes", shape, dt)
	}
	return int64(size / 8), nil
}

var errOverflow = errors.New("overflows: no file can hold it")

func times(a, b uint64) (uint64, error) {
	high, low := bits.Mul64(a, b)
	if high != 0 || low > math.MaxInt64 {
		return 0, errOverflow
	}
	return low, nil
}
