package hdf5

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// truth holds the arrays that the files were made of.
type truth struct {
	x, r, big []float64 // (12, 7), (3, 12, 7), (600, 40)
}

const rowsX, columnsX = 12, 7

// verdict is one line of the table of verdicts.
type verdict struct{ file, text string }

// verdicts are the lines about HDF5 files.
func verdicts(t *testing.T, dir string) []verdict {
	table, err := os.ReadFile(filepath.Join(dir, "verdicts.tsv"))
	require.NoError(t, err)
	var out []verdict
	for line := range strings.Lines(string(table)) {
		file, text, ok := strings.Cut(strings.TrimSpace(line), "\t")
		require.True(t, ok, line)
		switch filepath.Ext(file) {
		case ".h5", ".hf5", ".hdf":
			out = append(out, verdict{file, text})
		}
	}
	return out
}

func TestEveryFileOfALaboratoryGetsItsVerdict(t *testing.T) {
	dir := labfiles(t)
	var want truth
	_, want.x = numpyArray(t, filepath.Join(dir, "truth/X.npy"))
	_, want.r = numpyArray(t, filepath.Join(dir, "truth/R.npy"))
	_, want.big = numpyArray(t, filepath.Join(dir, "truth/big.npy"))
	lines := verdicts(t, dir)
	for _, v := range lines {
		t.Run(v.file, func(t *testing.T) {
			path := filepath.Join(dir, v.file)
			if strings.HasPrefix(v.text, "66: ") {
				_, err := Open(path)
				faulttest.Require(t, fault.Missing, err, "git-annex link without content; run `datalad get ")
				return
			}
			want.check(t, opened(t, path), v)
		})
	}
	assert.Len(t, lines, 73, "the table has other lines about HDF5 than this test knows")
}

// check compares a file with its verdict.
func (w truth) check(t *testing.T, f *File, v verdict) {
	name := filepath.Base(v.file)
	switch v.text {
	case "read":
		w.read(t, f, name)
	case "read, voxel 3 left out":
		for i, x := range all(t, only(t, f)) {
			if i%columnsX == 3 {
				require.True(t, math.IsNaN(x), "number %d", i)
			} else {
				require.Equal(t, w.x[i], x, "number %d", i)
			}
		}
	case "read individual_repeats (3,12,7)":
		d := dataset(t, f, "individual_repeats")
		require.Equal(t, []int{3, rowsX, columnsX}, d.Shape)
		require.Equal(t, w.r, all(t, d))
		mean := all(t, dataset(t, f, "data"))
		for i, m := range mean {
			require.InDelta(t, (w.r[i]+w.r[i+len(mean)]+w.r[i+2*len(mean)])/3, m, 1e-15)
		}
	case "read as 101 stories":
		datasets, _, err := f.List()
		require.NoError(t, err)
		require.Len(t, datasets, 101)
		for i, d := range datasets {
			require.Equal(t, fmt.Sprintf("story%03d", i), d.Name)
			for k, x := range all(t, d) {
				require.Equal(t, float64(float32(w.x[k]+float64(i))), x)
			}
		}
	case "read, note: chunks missing (fill -1.5)":
		d := only(t, f)
		missing, of, err := d.MissingChunks()
		require.NoError(t, err)
		require.Equal(t, []int{8, 9}, []int{missing, of})
		for i, x := range all(t, d) {
			expected := -1.5
			if i/columnsX < 5 && i%columnsX < 3 {
				expected = w.x[i]
			}
			require.Equal(t, expected, x, "number %d", i)
		}
	case "refuse: never written":
		refused(t, only(t, f), "the array was never written")
	case "refuse: filter scaleoffset":
		refused(t, only(t, f), "the filter scaleoffset is not read")
	case "refuse: virtual data set":
		refused(t, only(t, f), "the array is a virtual data set")
	case "refuse by name (blosc: read if built)":
		filter := "blosc"
		for _, known := range []string{"blosc2", "bzip2"} {
			if strings.Contains(name, known) {
				filter = known
			}
		}
		refused(t, only(t, f), "the filter "+filter+" is not read", "h5repack")
	case "refuse unless --scale":
		require.Empty(t, candidates(t, f))
		d := dataset(t, f, "data")
		for i, x := range all(t, d) {
			require.Equal(t, math.Trunc(w.x[i]*1000), x)
		}
		scale, ok, err := d.Attribute("scale")
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, []float64{1e-3}, scale.Numbers)
	case "refuse unless --transpose": // whoever knows the number of voxels refuses it by its shape
		d := only(t, f)
		require.Equal(t, []int{columnsX, rowsX}, d.Shape)
		for i, x := range all(t, d) {
			require.Equal(t, w.x[i%rowsX*columnsX+i/rowsX], x)
		}
	case "ask for --var: several arrays":
		require.Len(t, candidates(t, f), 7) // with the empty one
		w.types(t, f)
	case "ask for --var; soft link followed, external refused":
		w.links(t, f)
	default:
		require.Fail(t, "a verdict that this test does not know", v.text)
	}
}

// candidates are the arrays of floats with two or three axes, one of which a user means who names none.
func candidates(t *testing.T, f *File) []*Dataset {
	datasets, _, err := f.List()
	require.NoError(t, err)
	return slices.DeleteFunc(datasets, func(d *Dataset) bool {
		return !strings.HasPrefix(string(d.Type.Kind), "float") || len(d.Shape) < 2 || len(d.Shape) > 3
	})
}

// only returns the one array that can be meant.
func only(t *testing.T, f *File) *Dataset {
	found := candidates(t, f)
	require.Len(t, found, 1)
	return found[0]
}

// refused requires that an array is listed and cannot be read.
func refused(t *testing.T, d *Dataset, contains ...string) {
	err := d.ReadRows(0, d.Rows(), make([]float32, d.Rows()*d.Columns()))
	faulttest.Require(t, fault.BadData, err, append(contains, ":"+d.Name+": ")...)
}

// read compares the arrays of a file, each of which is one of the truth.
func (w truth) read(t *testing.T, f *File, name string) {
	datasets, links, err := f.List()
	require.NoError(t, err)
	require.Empty(t, links)
	seen := 0
	for _, d := range datasets {
		if d.Type.String() == "text" && name == "array.h5" { // the vocabulary
			refused(t, d, "the array holds text")
			continue
		}
		seen++
		want, ok := w.of(d)
		if !ok {
			continue
		}
		require.Equal(t, want, all(t, d), d.Name)
		single := make([]float32, len(want))
		require.NoError(t, d.ReadRows(0, d.Rows(), single))
		for i, x := range single {
			require.Equal(t, float32(want[i]), x, d.Name)
		}
	}
	require.Positive(t, seen)
	switch name {
	case "S01_responses.hdf":
		w.gallantResponses(t, f)
	case "S01_mappers.hdf":
		gallantMappers(t, f)
	case "subject01_listening_fmri_data_trn.hdf":
		require.Equal(t, 3, seen)
	case "subject01_listening_fmri_data_val.hdf":
		w.gallantRepeats(t, f)
	default:
		_, known := w.of(only(t, f))
		require.True(t, known, "an array of another shape than those of the truth")
	}
}

// of returns what an array must hold, by its shape.
func (w truth) of(d *Dataset) ([]float64, bool) {
	var want []float64
	switch fmt.Sprint(d.Shape) {
	case "[12 7]":
		want = w.x
	case "[280 7]": // forty times
		for range 40 {
			want = append(want, w.x...)
		}
		want = want[:280*columnsX]
	case "[600 40]":
		want = w.big
	default:
		return nil, false
	}
	if d.Type.Size == 4 {
		want = rounded(want)
	}
	return want, true
}

func (w truth) gallantResponses(t *testing.T, f *File) {
	require.Equal(t, []float64{0, 300}, all(t, dataset(t, f, "run_onsets")))
	test := dataset(t, f, "Y_test")
	require.Equal(t, []int{10, 27, 40}, test.Shape)
	// a generator of numbers with seed 3, as that of the other file of repeats
	path := filepath.Join(labfiles(t), "gallant/subject01_listening_fmri_data_val.hdf")
	repeats := rounded(all(t, dataset(t, opened(t, path), "story_11")))
	require.Equal(t, repeats, all(t, test)[:len(repeats)])
}

func (w truth) gallantRepeats(t *testing.T, f *File) {
	d := only(t, f)
	require.Equal(t, []int{2, rowsX, columnsX}, d.Shape)
	require.Equal(t, 2*rowsX, d.Rows())
	x := all(t, d)
	require.InDelta(t, 2.0409191, x[0], 1e-7) // numpy.random.default_rng(3).standard_normal()
}

func gallantMappers(t *testing.T, f *File) {
	for _, name := range []string{"voxel_to_flatmap", "voxel_to_fsaverage"} {
		require.Equal(t, []float64{50, 40}, all(t, dataset(t, f, name+"_shape")))
		starts := all(t, dataset(t, f, name+"_indptr"))
		require.Len(t, starts, 51)
		require.Len(t, all(t, dataset(t, f, name+"_data")), int(starts[50]))
		for _, column := range all(t, dataset(t, f, name+"_indices")) {
			require.Less(t, column, 40.)
		}
	}
	for i, x := range all(t, dataset(t, f, "flatmap_mask")) {
		require.Equal(t, i/5 == i%5, x == 1)
	}
}

// types compares the same numbers in many types.
func (w truth) types(t *testing.T, f *File) {
	scaled := make([]float64, len(w.x))
	for i, x := range w.x {
		scaled[i] = x * 100
	}
	for name, cast := range map[string]func(float64) float64{
		"le_f4": func(x float64) float64 { return float64(float32(x)) },
		"be_f4": func(x float64) float64 { return float64(float32(x)) },
		"le_f8": func(x float64) float64 { return x }, "be_f8": func(x float64) float64 { return x },
		"le_i2": math.Trunc, "be_i2": math.Trunc, "le_i4": math.Trunc, "le_i8": math.Trunc,
		"le_u1": func(x float64) float64 { return float64(uint8(int64(x))) },
	} {
		for i, x := range all(t, dataset(t, f, name)) {
			require.Equal(t, cast(scaled[i]), x, name)
		}
	}
	for i, x := range all(t, dataset(t, f, "le_f2")) {
		require.InDelta(t, scaled[i], x, math.Abs(scaled[i])/2048+1e-6)
	}
	for i, x := range all(t, dataset(t, f, "bool")) {
		require.Equal(t, w.x[i] > 0, x == 1)
	}
	require.Equal(t, []float64{2}, all(t, dataset(t, f, "scalar")))
	empty := dataset(t, f, "empty")
	require.Equal(t, []int{0, columnsX}, empty.Shape)
	require.Empty(t, all(t, empty))
	require.Equal(t, w.x, all(t, dataset(t, f, "data")))
	refused(t, dataset(t, f, "complex"), "complex numbers")
	refused(t, dataset(t, f, "names"), "text of variable length")
	refused(t, dataset(t, f, "fixed"), "text")
	tr, _, err := dataset(t, f, "data").Attribute("tr")
	require.NoError(t, err)
	require.Equal(t, []float64{2}, tr.Numbers)
	units, _, err := dataset(t, f, "data").Attribute("units")
	require.NoError(t, err)
	require.Equal(t, "z", units.Text())
	_, ok, err := dataset(t, f, "data").Attribute("none")
	require.NoError(t, err)
	require.False(t, ok)
}

func (w truth) links(t *testing.T, f *File) {
	require.Len(t, candidates(t, f), 2)
	_, links, err := f.List()
	require.NoError(t, err)
	require.Equal(t, []string{"out: an external link to lebel_story.hf5:/data",
		"soft: a soft link to /sub-01/ses-001/task-s01e02a"},
		[]string{links[0].String(), links[1].String()})
	for _, name := range []string{"soft", "hard", "/sub-01/./ses-001//task-s01e02a"} {
		require.Equal(t, rounded(w.x), all(t, dataset(t, f, name)), name)
	}
	_, err = f.Dataset("out")
	faulttest.Require(t, fault.BadData, err, "out is an external link to lebel_story.hf5:/data",
		"name the array in that file")
	_, err = f.Dataset("sub-01")
	faulttest.Require(t, fault.BadData, err, "is a group, not an array")
	_, err = f.Dataset("sub-01/ses-002")
	faulttest.Require(t, fault.BadData, err, "there is no ses-002 in /sub-01/; it has ses-001")
}
