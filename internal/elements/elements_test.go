package elements

import (
	"bytes"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// All 65536 halves against their definition.
func TestWiden(t *testing.T) {
	for h := range 1 << 16 {
		sign := math.Copysign(1, -float64(h>>15)+0.5)
		exponent, fraction := h>>10&31, float64(h&1023)
		var want float64
		switch exponent {
		case 0:
			want = math.Ldexp(fraction, -24)
		case 31:
			want = math.Inf(1)
			if fraction > 0 {
				want = math.NaN()
			}
		default:
			want = math.Ldexp(1024+fraction, exponent-25)
		}
		got := float64(widen(uint16(h)))
		if math.IsNaN(want) {
			require.True(t, math.IsNaN(got), "%#x", h)
			require.Equal(t, uint32(h>>15<<31|0xff<<23|h&1023<<13), math.Float32bits(widen(uint16(h))), "%#x", h)
			continue
		}
		require.Equal(t, math.Float64bits(sign*want), math.Float64bits(got), "%#x", h)
	}
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	check(t, []float32{1.5, float32(math.Inf(-1)), -0.25}, Numbers[float32])
	check(t, []float64{1.0 / 3, 1e300}, Numbers[float64])
	check(t, []int64{math.MinInt64, 7}, Numbers[int64])
	check(t, []bool{true, false}, Bools)
	check(t, make([]float32, 3<<14+1), Numbers[float32])
	check(t, []float32(nil), Numbers[float32])
	for _, k := range []Kind{KindOf[int32](), KindOf[uint8]()} {
		got, err := Numbers[int64](make([]byte, 8), k)
		require.NoError(t, err)
		assert.Len(t, got, map[Kind]int{Int32: 2, Uint8: 8}[k])
	}
}

func check[T Element](t *testing.T, want []T, read func([]byte, Kind) ([]T, error)) {
	t.Helper()
	var b bytes.Buffer
	n, err := Write(&b, want)
	require.NoError(t, err)
	require.EqualValues(t, b.Len(), n)
	got, err := read(b.Bytes(), KindOf[T]())
	require.NoError(t, err)
	require.Len(t, got, len(want))
	for i := range want {
		require.Equal(t, want[i], got[i])
	}
}

func TestElementsRefused(t *testing.T) {
	var large *RangeError
	_, err := Numbers[float32]([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0x9c, 0x75, 0, 0x88, 0x3c, 0xe4, 0x37, 0x7e}, Float64)
	require.ErrorAs(t, err, &large)
	assert.Equal(t, RangeError{1, 1e300}, *large)
	_, err = Numbers[int64]([]byte{0, 0}, Float16)
	assert.EqualError(t, err, "holds float16, not integers")
	_, err = Numbers[int64](bytes.Repeat([]byte{0xff}, 8), Uint64)
	assert.EqualError(t, err, "element 0 is too large for a 64-bit integer")
	_, err = Numbers[float32]([]byte{1}, Bool)
	assert.EqualError(t, err, "holds bool, which cannot be read as numbers")
	_, err = Bools([]byte{1}, Uint8)
	assert.EqualError(t, err, "holds uint8, not bool")
	_, err = Bools([]byte{0, 2}, Bool)
	assert.EqualError(t, err, "element 1 is 2, neither false nor true")
}

func TestByteSize(t *testing.T) {
	for _, c := range []struct {
		shape []int
		width int
		want  int64
	}{{nil, 32, 4}, {[]int{2, 3}, 32, 24}, {[]int{0, 1 << 40}, 64, 0}, {[]int{4}, 6, 3}} {
		got, err := ByteSize(c.shape, c.width)
		require.NoError(t, err)
		assert.Equal(t, c.want, got)
	}
	for why, c := range map[string]struct {
		shape []int
		width int
	}{
		"negative":        {[]int{-1}, 8},
		"overflows":       {[]int{1 << 40, 1 << 40, 0}, 8},
		"64-bit elements": {[]int{1 << 60}, 64},
		"whole bytes":     {[]int{3}, 4},
		"at most 64":      {make([]int, MaxRank+1), 8},
		"does not fill":   {[]int{1}, 6},
	} {
		_, err := ByteSize(c.shape, c.width)
		assert.ErrorContains(t, err, why)
	}
}

func TestSizesOfKinds(t *testing.T) {
	for size, kinds := range map[int][]Kind{1: {Bool, Int8, Uint8}, 2: {Int16, Uint16, Float16, BFloat16},
		4: {Int32, Uint32, Float32}, 8: {Int64, Uint64, Float64}, 0: {"", "complex64"}} {
		for _, k := range kinds {
			require.Equal(t, size, k.Size(), k)
		}
	}
}
