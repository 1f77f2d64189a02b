package hdf5

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/npy"
)

// labfiles is the folder of files that the genuine writers made.
func labfiles(t testing.TB) string {
	root := os.Getenv("BWLM_SHARED")
	if root == "" {
		t.Skip("BWLM_SHARED does not name the folder of shared test data")
	}
	if !filepath.IsAbs(root) {
		root = filepath.Join("../..", root)
	}
	dir := filepath.Join(root, "labfiles")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the shared test data have no files of laboratories")
	}
	return dir
}

// opened opens a file for the time of the test.
func opened(t testing.TB, path string) *File {
	t.Helper()
	f, err := Open(path)
	require.NoError(t, err, path)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	return f
}

// inMemory opens a file of bytes.
func inMemory(data []byte) (*File, error) {
	return New(bytes.NewReader(data), int64(len(data)), "x.h5")
}

// dataset returns a data set of a file.
func dataset(t testing.TB, f *File, name string) *Dataset {
	t.Helper()
	d, err := f.Dataset(name)
	require.NoError(t, err)
	return d
}

// all reads a whole data set.
func all(t testing.TB, d *Dataset) []float64 {
	t.Helper()
	out := make([]float64, d.Rows()*d.Columns())
	require.NoError(t, d.ReadRows64(0, d.Rows(), out))
	return out
}

// numpyArray reads an array that NumPy wrote.
func numpyArray(t testing.TB, path string) ([]int, []float64) {
	t.Helper()
	a, err := npy.Read(path)
	require.NoError(t, err)
	if a.DType == npy.Bool {
		b, err := a.Bool()
		require.NoError(t, err)
		out := make([]float64, len(b))
		for i, v := range b {
			if v {
				out[i] = 1
			}
		}
		return a.Shape, out
	}
	out, err := a.Float64()
	require.NoError(t, err)
	return a.Shape, out
}

// rounded rounds numbers to 32 bits.
func rounded(v []float64) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(float32(x))
	}
	return out
}
