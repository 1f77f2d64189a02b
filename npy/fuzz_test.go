package npy

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/fuzztest"
)

func FuzzRead(f *testing.F) {
	fuzztest.Seeds(f, "testdata/npy/*.npy")
	f.Fuzz(func(t *testing.T, input []byte) {
		fuzztest.Run(t, 64, input, func() {
			a, err := readBytes(input)
			if err != nil {
				return
			}
			size, err := elements.ByteSize(a.Shape, 8*a.DType.size())
			require.NoError(t, err)
			require.Len(t, a.data, int(size))
			_, _ = a.Float32()
			_, _ = a.Float64()
			_, _ = a.Bool()
		})
	})
}

// The inputs that cost the most memory for their size stay within the guard, and files that claim
// more than they hold cost nothing.
func TestMemoryOfHostileInput(t *testing.T) {
	array := fileBytes("{'descr': '|u1', 'fortran_order': True, 'shape': (1024, 1024)}", make([]byte, 1<<20))
	fuzztest.Run(t, 64, array, func() {
		a, err := readBytes(array)
		require.NoError(t, err)
		_, err = a.Float64()
		require.NoError(t, err)
	})
	for _, claim := range [][]byte{
		append([]byte(magic), 2, 0, 0xff, 0xff, 0xff, 0xff),
		fileBytes("{'descr': '<f8', 'fortran_order': True, 'shape': (16777216, 16)}", nil),
	} {
		fuzztest.Run(t, 64, claim, func() {
			_, err := readBytes(claim)
			require.Error(t, err)
		})
	}
}
