package npy

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// Every file that NumPy wrote for these tests gives, element by element, what Read gives.
func TestReaderEqualsRead(t *testing.T) {
	paths, err := filepath.Glob("testdata/npy/*.npy")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		want, err := Read(path)
		require.NoError(t, err)
		f, err := Stat(path)
		require.NoError(t, err, path)
		require.Equal(t, want.Shape, f.Shape, path)
		require.Equal(t, want.DType, f.DType, path)
		r, err := f.Open()
		require.NoError(t, err)
		x, failed := want.Float32()
		n := len(want.data) / want.DType.size()
		got := make([]float32, n)
		if failed != nil {
			require.Error(t, r.Float32(0, got), path)
			continue
		}
		for from := 0; from <= n; from++ { // from any element on
			require.NoError(t, r.Float32(from, got[from:]))
			for i := from; i < n; i++ {
				require.Equal(t, x[r.byRow(i)], got[i], "%s, element %d", path, i)
			}
		}
		require.NoError(t, r.Close())
		require.NoError(t, r.Close())
		faulttest.Require(t, fault.IO, r.Float32(0, make([]float32, 1)), "closed")
	}
}

func TestReaderOfManyPieces(t *testing.T) {
	smallPieces(t)
	x := make([]float64, 3*pieceBytes/8+5)
	for i := range x {
		x[i] = float64(i)
	}
	x[len(x)-2] = 1e300
	path := filepath.Join(t.TempDir(), "x.npy")
	require.NoError(t, Write(path, []int{len(x)}, x))
	f, err := Stat(path)
	require.NoError(t, err)
	r, err := f.Open()
	require.NoError(t, err)
	defer r.Close()
	got := make([]float32, len(x)-2)
	require.NoError(t, r.Float32(0, got))
	for i, v := range got {
		require.Equal(t, float32(i), v)
	}
	_, want := Read(path)
	require.NoError(t, want)
	a, err := Read(path)
	require.NoError(t, err)
	_, want = a.Float32()
	assert.Equal(t, want, r.Float32(10, make([]float32, len(x)-10)), "the error that a whole read gives")
}

func TestStatRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npy")
	b := fileBytes("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)}", make([]byte, 32))
	for n := range b {
		require.NoError(t, os.WriteFile(path, b[:n], 0o644))
		_, err := Stat(path)
		_, want := Read(path)
		faulttest.Require(t, fault.BadData, err, "read npy: "+path)
		require.Equal(t, want, err)
	}
	_, err := Stat(filepath.Join(t.TempDir(), "none.npy"))
	faulttest.Require(t, fault.Missing, err, "none.npy")
}

func TestReaderNoticesAChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npy")
	require.NoError(t, Write(path, []int{2}, []float32{1, 2}))
	f, err := Stat(path)
	require.NoError(t, err)
	require.NoError(t, Write(path, []int{3}, []float32{1, 2, 3}))
	_, err = f.Open()
	faulttest.Require(t, fault.IO, err, "has changed")
	require.NoError(t, Write(path, []int{2}, []float32{3, 4}))
	require.NoError(t, os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)))
	_, err = f.Open()
	faulttest.Require(t, fault.IO, err, "has changed")
	require.NoError(t, os.Remove(path))
	_, err = f.Open()
	faulttest.Require(t, fault.Missing, err)
}

func TestByRow(t *testing.T) {
	r := &Reader{File: &File{Shape: []int{2, 3, 4}, ByColumns: true}}
	seen := map[int]bool{}
	for i := range 24 {
		a, b, c := i%2, i/2%3, i/6
		assert.Equal(t, (a*3+b)*4+c, r.byRow(i))
		seen[r.byRow(i)] = true
	}
	assert.Len(t, seen, 24)
}

// smallPieces makes a Reader read little at once.
func smallPieces(t *testing.T) {
	was := pieceBytes
	pieceBytes = 1 << 16
	t.Cleanup(func() { pieceBytes = was })
}
