package rowsource

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/labtest"
	"github.com/brainwavlm/bwlm/npy"
)

// Arrays that are compressed, or in chunks, have the values that their makers gave them, with and without copies.
func TestPackedArraysAreReadAndCopied(t *testing.T) {
	dir := labtest.Dir(t)
	for name, c := range map[string]struct{ file, array, truth, why string }{
		"joblib gzip":     {"joblib/UTS00_responses.jbl.gz", "souls", "", Compressed},
		"HDF5 in chunks":  {"hdf5/gzip_shuffle_earliest.h5", "", "big", Compressed},
		"MATLAB 5":        {"mat/v5.mat", "data", "X", ByColumn},
		"NumPy archive":   {"numpy/features.npz", "features", "", Compressed},
		"stored as it is": {"numpy/plain.npz", "", "X", ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, c.file)
			open := func() (Source, error) { return OpenArray(path, c.array) }
			plain, err := new(Kept).Open(t.Context(), path, open)
			require.NoError(t, err)
			shape, want := read(t, plain)

			kept := &Kept{Dir: filepath.Join(t.TempDir(), "copies")}
			s, err := kept.Open(t.Context(), path, open)
			require.NoError(t, err)
			_, isCopy := s.(Copy)
			require.Equal(t, c.why != "", isCopy)
			if isCopy {
				assert.Equal(t, c.why, s.(Copy).Why)
				assert.Equal(t, plain.(interface{ Array() string }).Array(), s.(Copy).Array())
			}
			copied, got := read(t, s)
			assert.Equal(t, shape, copied)
			assert.Equal(t, want, got)
			if c.truth != "" {
				wantShape, truth := labtest.Truth(t, c.truth)
				require.Equal(t, wantShape, shape[1:])
				for i, x := range truth {
					require.Equal(t, float32(x), got[i], i)
				}
			}
		})
	}
}

// A copy is made once, by rows, and anew where the file has changed.
func TestACopyIsMadeOnce(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "responses.txt")
	kept := &Kept{Dir: filepath.Join(dir, "copies")}
	parsed := 0
	of := func(values ...float32) func() (Source, error) {
		return func() (Source, error) {
			parsed++
			return held{Source: counted{1, len(values) / 2, 2}, values: values}, nil
		}
	}
	write := func(text string, at time.Time) {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		require.NoError(t, os.Chtimes(path, at, at))
	}
	now := time.Now()
	write("1 2\n3 4\n", now)
	for range 3 {
		s, err := kept.OpenText(t.Context(), path, of(1, 2, 3, 4))
		require.NoError(t, err)
		assert.Equal(t, Text, s.(Copy).Why)
		_, got := read(t, s)
		assert.Equal(t, []float32{1, 2, 3, 4}, got)
	}
	assert.Equal(t, 1, parsed)

	write("5 6\n7 8\n", now.Add(time.Second))
	s, err := kept.OpenText(t.Context(), path, of(5, 6, 7, 8))
	require.NoError(t, err)
	_, got := read(t, s)
	assert.Equal(t, []float32{5, 6, 7, 8}, got)
	assert.Equal(t, 2, parsed)

	entries, err := os.ReadDir(kept.Dir)
	require.NoError(t, err)
	require.Len(t, entries, 2)
	for _, e := range entries { // a copy that is cut is made anew
		require.NoError(t, os.Truncate(filepath.Join(kept.Dir, e.Name()), 9))
	}
	s, err = kept.OpenText(t.Context(), path, of(5, 6, 7, 8))
	require.NoError(t, err)
	_, got = read(t, s)
	assert.Equal(t, []float32{5, 6, 7, 8}, got)
	assert.Equal(t, 3, parsed)

	bad := errors.New("no numbers")
	write("a b\n", now.Add(2*time.Second))
	_, err = kept.OpenText(t.Context(), path, func() (Source, error) { return held{}, bad })
	require.ErrorIs(t, err, bad)

	write("9 9\n", now.Add(time.Minute))
	only := &Kept{Dir: kept.Dir, Only: true}
	s, err = only.OpenText(t.Context(), path, of(9, 9))
	require.NoError(t, err)
	assert.IsType(t, held{}, s, "none is made")
	entries, err = os.ReadDir(kept.Dir)
	require.NoError(t, err)
	assert.Len(t, entries, 2)
}

// Columns that are stored together are copied some rows at a time.
func TestColumnsAreCopiedByRows(t *testing.T) {
	was := copyBytes
	copyBytes = 4 * 7 * 3 // three rows
	defer func() { copyBytes = was }()
	dir := t.TempDir()
	path := filepath.Join(dir, "x.npy")
	x := make([]float32, 2*10*7)
	for i := range x {
		x[i] = float32(i)
	}
	require.NoError(t, npy.Write(path, []int{2, 10, 7}, x))
	tiles := func() (Source, error) { return tiled{counted{2, 10, 7}}, nil }
	s, err := (&Kept{Dir: filepath.Join(dir, "copies")}).Open(t.Context(), path, tiles)
	require.NoError(t, err)
	assert.Equal(t, ByColumn, s.(Copy).Why)
	shape, got := read(t, s)
	assert.Equal(t, []int{2, 10, 7}, shape)
	_, want := read(t, counted{2, 10, 7})
	assert.Equal(t, want, got)
}

// Without room for a copy responses are read as they are.
func TestNoRoomForACopy(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.npy")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "copies"), nil, 0o600), "a file is in the place of the folder")
	s, err := (&Kept{Dir: filepath.Join(dir, "copies")}).Open(t.Context(), path,
		func() (Source, error) { return tiled{counted{1, 3, 4}}, nil })
	require.NoError(t, err)
	assert.IsType(t, tiled{}, s)
}

// held is a source of one repeat in memory.
type held struct {
	Source
	values []float32
}

func (h held) ReadRows(_ context.Context, _, from, to int, out []float32) error {
	_, _, columns := h.Shape()
	copy(out, h.values[from*columns:to*columns])
	return nil
}
