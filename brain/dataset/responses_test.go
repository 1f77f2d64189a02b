package dataset

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/npy"
)

func TestOpeningAFileChecksItsHeader(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	open := func(name string) (*Responses, error) {
		return Response{Source: fromFile(folder{dir: dir}, name, folder.source)}.open(t.Context(), "subject s, story a")
	}
	require.NoError(t, npy.Write(path("i.npy"), []int{2, 2}, []int32{1, 2, 3, 4}))
	r, err := open("i.npy")
	require.NoError(t, err)
	assert.Equal(t, "int32", r.Stored)
	m, err := r.all(t.Context())
	require.NoError(t, err)
	assert.Equal(t, &Matrix{Repeats: 1, Rows: 2, Voxels: 2, Data: []float32{1, 2, 3, 4}, Stored: "int32"}, m)

	require.NoError(t, npy.Write(path("one.npy"), []int{4}, []float32{1, 2, 3, 4}))
	require.NoError(t, npy.Write(path("bool.npy"), []int{1, 2}, []bool{true, false}))
	require.NoError(t, npy.Write(path("empty.npy"), []int{0, 2}, []float32{}))
	require.NoError(t, npy.Write(path("wide.npy"), []int{1, 2}, []float64{1, 1e300}))
	b, err := os.ReadFile(path("i.npy"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path("short.npy"), b[:len(b)-1], 0o644))
	for name, want := range map[string]string{
		"one.npy": "shape [4]", "bool.npy": "booleans",
		"empty.npy": "the matrix is empty: 1 repeats of 0 TRs × 2 voxels",
		"short.npy": "needs 16 bytes, the file has 15",
	} {
		_, err := open(name)
		faulttest.Require(t, fault.BadData, err, want)
	}
	_, err = open("none.npy")
	faulttest.Require(t, fault.Missing, err, "none.npy")

	r, err = open("wide.npy")
	require.NoError(t, err, "values are not looked at")
	_, err = r.all(t.Context())
	faulttest.Require(t, fault.BadData, err, "element 1, 1e+300, is too large for a 32-bit float")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = r.all(ctx)
	require.ErrorIs(t, err, context.Canceled)
}
