package hdf5

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/fuzztest"
)

// accepted is the largest array that the fuzz target reads, in elements.
const accepted = 1 << 15

// perByte is how many bytes of memory a reader may take for one byte of the file.
const perByte = 64

// FuzzOpen reads any bytes as a file, with checksums verified and without: all errors are faults, and time and
// memory are bounded.
func FuzzOpen(f *testing.F) {
	fuzztest.Seeds(f, "testdata/small/*.h5")
	f.Fuzz(func(t *testing.T, input []byte) {
		for _, anySum := range []bool{false, true} {
			consume(t, input, anySum)
		}
	})
}

// consume opens a file and reads all that can be read.
func consume(t testing.TB, input []byte, anySum bool) {
	var file *File
	var datasets []*Dataset
	fuzztest.Run(t, perByte, input, func() {
		var err error
		s := &source{r: bytes.NewReader(input), name: "x.h5", size: int64(len(input)), anySum: anySum}
		if file, err = open(s); err != nil {
			requireFault(t, err)
			return
		}
		if datasets, _, err = file.List(); err != nil {
			requireFault(t, err)
		}
	})
	for _, d := range datasets[:min(len(datasets), 4)] {
		n := d.elements()
		if d.refused != nil || n > accepted || n < 0 {
			requireFault(t, d.Err())
			continue
		}
		out := make([]float32, d.Rows()*d.Columns())
		fuzztest.RunWith(t, perByte, input, 8*n, func() {
			requireFault(t, d.ReadRows(0, d.Rows(), out))
			_, _, err := d.Attribute("units")
			requireFault(t, err)
		})
	}
}

// requireFault requires no error or one that names a damaged file.
func requireFault(t testing.TB, err error) {
	if err != nil {
		require.Equal(t, fault.BadData, fault.KindOf(err), "%v", err)
	}
}
