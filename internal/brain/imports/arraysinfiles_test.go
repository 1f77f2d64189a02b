package imports

import (
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/labtest"
	"github.com/brainwavlm/bwlm/npy"
)

// Matrices in files of arrays are imported as those in .npy.
func TestArraysInFiles(t *testing.T) {
	shape, want := labtest.Truth(t, "X")
	for to, c := range map[string]struct {
		from, name string
		inPlace    bool
	}{
		"s1/souls.hdf5":     {"hdf5/contiguous_latest.h5", "", true},
		"s1/souls.h5":       {"hdf5/onechunk_v110.h5", "", false},
		"s1_task-souls.mat": {"mat/v5_struct.mat", "s.resp", true},
		"s1/souls_v4.mat":   {"mat/v4.mat", "", true},
		"s1/big.mat":        {"mat/v5_compressed.mat", "data", false},
		"s1.npz":            {"numpy/stories.npz", "", true},
		"s1.jbl.z":          {"joblib/UTS00_responses.jbl.z", "", false},
		"s1/big.pkl":        {"joblib/noslice_sub-UTS03_story_data.pkl", "souls", true},
	} {
		seconds := map[string]int{"souls.wav": 24, "avatar.wav": 16, "wheretheressmoke.wav": 24}
		dir := study(t, seconds, nil)
		path := filepath.Join(dir, to)
		if c.name == "souls" || c.name == "data" {
			path = filepath.Join(dir, "s1", "souls", filepath.Base(to))
		}
		content, err := os.ReadFile(filepath.Join(labtest.Dir(t), c.from))
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, content, 0o600))
		for _, link := range []bool{true, false} {
			f, err := Arrays(t.Context(), dir, 2, ArrayOptions{Array: c.name})
			require.NoError(t, err, to)
			out := filepath.Join(t.TempDir(), "out")
			_, err = f.Import(t.Context(), Options{Dir: out, Link: link})
			if link && !c.inPlace {
				faulttest.Require(t, fault.BadData, err, "cannot be read where they lie")
				continue
			}
			require.NoError(t, err, to)
			d, err := dataset.Open(out)
			require.NoError(t, err)
			m, err := d.ReadResponses(t.Context(), d.SubjectNames()[0], "souls")
			require.NoError(t, err, to)
			require.Equal(t, shape, []int{m.Rows, m.Voxels}, to)
			for i, x := range want {
				require.Equal(t, float32(x), m.Data[i], to)
			}
		}
	}
	dir := study(t, map[string]int{"souls.wav": 24}, nil)
	content, err := os.ReadFile(filepath.Join(labtest.Dir(t), "mat/v5.mat"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "souls.mat"), content, 0o600))
	_, err = Arrays(t.Context(), dir, 2, ArrayOptions{Array: "nothing"})
	faulttest.Require(t, fault.BadData, err, "there is no such array; choose one of them by name: data (12, 7) float64")
	f, err := Arrays(t.Context(), dir, 2, ArrayOptions{Array: "data"})
	require.NoError(t, err)
	assert.Equal(t, "data", f.Subjects[0].Responses[0].Array)
}

// longTR are the seconds from row to row in which a difference of five rows is no usual one.
const longTR = 20

// fileStudy is a folder of a recording of twelve TRs and a laboratory's file of responses to it.
func fileStudy(t *testing.T, from, to string) string {
	t.Helper()
	dir := study(t, map[string]int{"souls.wav": 12 * longTR}, nil)
	content, err := os.ReadFile(filepath.Join(labtest.Dir(t), from))
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "s1"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "s1", to), content, 0o600))
	return dir
}

// importedNumbers are the numbers of what is imported, copied as float64.
func importedNumbers(t *testing.T, f *Found) ([]int, []float64) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	_, err := f.Import(t.Context(), Options{Dir: out, DType: elements.Float64})
	require.NoError(t, err)
	a, err := npy.Read(filepath.Join(out, "s1", "souls.npy"))
	require.NoError(t, err)
	got, err := a.Float64()
	require.NoError(t, err)
	return a.Shape, got
}

// Voxels × TRs are refused, and read with rows and voxels exchanged if they are said to be so.
func TestTransposedArrays(t *testing.T) {
	shape, want := labtest.Truth(t, "X")
	dir := fileStudy(t, "hdf5/transposed.h5", "souls.h5")
	f, err := Arrays(t.Context(), dir, longTR, ArrayOptions{})
	require.NoError(t, err)
	faulttest.Require(t, fault.BadData, f.Check(t.Context()), "7 × 12 looks transposed",
		"save it as TRs × voxels, or import it transposed")
	f, err = Arrays(t.Context(), dir, longTR, ArrayOptions{Transpose: true})
	require.NoError(t, err)
	require.NoError(t, f.Check(t.Context()))
	assert.Equal(t, "transposed", f.Subjects[0].Responses[0].Treated)
	_, err = f.Import(t.Context(), Options{Dir: filepath.Join(t.TempDir(), "out"), Link: true})
	faulttest.Require(t, fault.BadData, err, "cannot be read where they lie")
	got, values := importedNumbers(t, f)
	assert.Equal(t, shape, got)
	assert.Equal(t, want, values)
	// The other way round: what is right in the file comes out with voxels as rows, by every reader.
	for from, c := range map[string]struct{ to, truth string }{"hdf5/contiguous_latest.h5": {"souls.h5", "X"},
		"hdf5/onechunk_v110.h5": {"souls.h5", "X"}, "hdf5/gzip_shuffle_v110.h5": {"souls.h5", "big"},
		"numpy/fortran.npy": {"souls.npy", "X"}, "mat/v4.mat": {"souls.mat", "X"}} {
		shape, want := labtest.Truth(t, c.truth)
		f, err := Arrays(t.Context(), fileStudy(t, from, c.to), longTR, ArrayOptions{Transpose: true})
		require.NoError(t, err)
		r := f.Subjects[0].Responses[0]
		rows, err := r.Open(t.Context())
		require.NoError(t, err)
		require.Equal(t, []int{shape[1], shape[0]}, r.Shape, from)
		row := make([]float64, shape[0])
		for v := range shape[1] {
			require.NoError(t, rows.Next(row))
			for k, x := range row {
				require.Equal(t, want[k*shape[1]+v], x, "%s: row %d, voxel %d", from, k, v)
			}
		}
		require.ErrorIs(t, rows.Next(row), io.EOF)
		require.NoError(t, rows.Close())
	}
}

// Each repeat is transposed by itself.
func TestTransposedRepeats(t *testing.T) {
	shape, want := labtest.Truth(t, "R")
	turned := make([]float64, len(want))
	repeats, n, m := shape[0], shape[1], shape[2]
	for i := range turned {
		turned[i] = want[i/(n*m)*n*m+i%n*m+i/n%m]
	}
	dir := study(t, map[string]int{"souls.wav": 2 * n}, nil)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "s1"), 0o755))
	require.NoError(t, npy.Write(filepath.Join(dir, "s1", "souls.npy"), []int{repeats, m, n}, turned))
	f, err := Arrays(t.Context(), dir, 2, ArrayOptions{Transpose: true})
	require.NoError(t, err)
	got, values := importedNumbers(t, f)
	assert.Equal(t, shape, got)
	assert.Equal(t, want, values)

	// In chunks, too.
	const chunks = "../../hdf5/testdata/small/rank3_v108_gzip"
	a, err := npy.Read(chunks + ".npy")
	require.NoError(t, err)
	whole, err := a.Float64()
	require.NoError(t, err)
	rows, err := openAs(chunks+".h5", "data", form{transposed: true})(t.Context())
	require.NoError(t, err)
	defer rows.Close()
	row := make([]float64, 12)
	for i := range 3 * 7 {
		require.NoError(t, rows.Next(row))
		for k, x := range row {
			require.Equal(t, whole[i/7*84+k*7+i%7], x, "repeat %d, row %d, voxel %d", i/7, k, i%7)
		}
	}
	require.ErrorIs(t, rows.Next(row), io.EOF)
}

// Integers that an attribute says to multiply are refused unless they are wanted so.
func TestScaledIntegers(t *testing.T) {
	_, want := labtest.Truth(t, "X")
	for _, name := range []string{"", "data"} {
		dir := fileStudy(t, "hdf5/int16_scaled.h5", "souls.h5")
		_, err := Arrays(t.Context(), dir, longTR, ArrayOptions{Array: name})
		faulttest.Require(t, fault.BadData, err,
			"an array of integers with an attribute scale, which may mean other numbers", "have the integers scaled")
		_, err = OpenArray(filepath.Join(dir, "s1", "souls.h5"), "data")(t.Context())
		faulttest.Require(t, fault.BadData, err, "attribute scale")
		f, err := Arrays(t.Context(), dir, longTR, ArrayOptions{Array: name, Scale: true})
		require.NoError(t, err)
		assert.Equal(t, "multiplied by 0.001", f.Subjects[0].Responses[0].Treated)
		_, values := importedNumbers(t, f)
		for i, x := range want {
			require.InDelta(t, x, values[i], 1e-3)
			require.InDelta(t, math.Trunc(x*1000)*1e-3, values[i], 1e-15)
		}
	}
}
