package rowsource

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/labtest"
)

// read reads all of a source, by rows or, where it has them, by columns.
func read(t *testing.T, s Source) ([]int, []float32) {
	t.Helper()
	repeats, rows, columns := s.Shape()
	out := make([]float32, repeats*rows*columns)
	if c, ok := s.(Columns); ok {
		require.NoError(t, c.ReadTile(t.Context(), 0, columns, out))
		return []int{repeats, rows, columns}, out
	}
	for k := range repeats {
		require.NoError(t, s.ReadRows(t.Context(), k, 0, rows, out[k*rows*columns:][:rows*columns]))
	}
	return []int{repeats, rows, columns}, out
}

// What laboratories' programs wrote is read where it lies.
func TestArraysAreReadInPlace(t *testing.T) {
	dir := labtest.Dir(t)
	for name, c := range map[string]struct{ file, array, truth string }{
		"joblib":                       {"joblib/UTS00_responses.jbl", "souls", "X"},
		"joblib, by columns":           {"joblib/fortran.jbl", "", "X"},
		"joblib without padding":       {"old/joblib101.jbl", "souls", "X"},
		"the only array of an archive": {"numpy/plain.npz", "", "X"},
		"MATLAB 4":                     {"mat/v4.mat", "", "X"},
		"HDF5 by h5py":                 {"hdf5/contiguous_earliest.h5", "", "X"},
		"HDF5 behind a user block":     {"hdf5/userblock.h5", "", "X"},
		"repeats":                      {"hdf5/lebel_test.hf5", "individual_repeats", "R"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := OpenArray(filepath.Join(dir, c.file), c.array)
			require.NoError(t, err)
			shape, got := read(t, s)
			wantShape, want := labtest.Truth(t, c.truth)
			if len(wantShape) == 2 {
				wantShape = append([]int{1}, wantShape...)
			}
			require.Equal(t, wantShape, shape)
			for i, x := range want {
				require.Equal(t, float32(x), got[i], i)
			}
			row := make([]float32, shape[2])
			require.NoError(t, s.ReadRows(t.Context(), 0, 3, 4, row))
			assert.Equal(t, got[3*shape[2]:4*shape[2]], row)
		})
	}
}

func TestFilesWithoutTheArray(t *testing.T) {
	dir := labtest.Dir(t)
	for file, want := range map[string]string{
		"mat/v5.mat":             "",
		"text/gentle.csv":        "no file of arrays",
		"numpy/pickled_dict.npy": "want a file of arrays",
	} {
		_, err := new(Kept).Open(t.Context(), file, func() (Source, error) {
			return OpenArray(filepath.Join(dir, file), "")
		})
		faulttest.Require(t, fault.BadData, err, filepath.Base(file), want)
	}
	_, err := OpenArray(filepath.Join(dir, "joblib/UTS00_responses.jbl"), "nobody")
	faulttest.Require(t, fault.BadData, err, "nobody", "souls")
	_, err = OpenArray(filepath.Join(t.TempDir(), "none.npz"), "")
	faulttest.Require(t, fault.Missing, err, "none.npz")

	for _, name := range []string{"UTS00_responses.jbl", "UTS00_responses.jbl.gz"} { // in place, and compressed
		copied := filepath.Join(t.TempDir(), name)
		text, err := os.ReadFile(filepath.Join(dir, "joblib", name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(copied, text, 0o600))
		s, err := OpenArray(copied, "souls")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(copied, append(text, 0), 0o600))
		err = s.ReadRows(context.Background(), 0, 0, 1, make([]float32, 7))
		faulttest.Require(t, fault.IO, err, "has changed since it was opened")
	}
}
