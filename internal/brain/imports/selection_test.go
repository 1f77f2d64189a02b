package imports

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/npy"
)

// columnsFile writes a .npy of columns.
func columnsFile(t *testing.T, columns ...int32) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "columns.npy")
	require.NoError(t, npy.Write(path, []int{len(columns)}, columns))
	return path
}

// Selected columns are kept with their regions; of the others no value is looked at.
func TestSelectedColumns(t *testing.T) {
	nan := math.NaN()
	f, data := made(t, "a", "b")
	s := &f.Subjects[0]
	s.ROIs = []ROI{{Name: "A", Columns: []int{1, 3}}, {Name: "B", Columns: []int{2}}, {Name: "C", Columns: []int{0}}}
	data["a"].rows[4][2] = nan   // refused if it were selected
	data["a"].rows[5][2] = 1e300 // too large for float32
	for _, row := range data["b"].rows {
		row[1] = nan // so that a is written again without it
	}
	path := columnsFile(t, 3, 0, 1)
	require.NoError(t, f.KeepFile(path))
	dir := filepath.Join(t.TempDir(), "out")
	need := f.Need("float32")
	record, err := f.Import(t.Context(), Options{Dir: dir})
	require.NoError(t, err)
	assert.Equal(t, int64(3*(128+4*10*3)), need)

	for story, m := range data {
		a, err := npy.Read(filepath.Join(dir, "s1", story+".npy"))
		require.NoError(t, err)
		require.Equal(t, []int{10, 2}, a.Shape, story)
		got, err := a.Float64()
		require.NoError(t, err)
		for k, row := range m.rows {
			require.Equal(t, float64(float32(row[0])), got[2*k], "%s, row %d", story, k)
			require.Equal(t, float64(float32(row[3])), got[2*k+1], "%s, row %d", story, k)
		}
	}
	assert.Equal(t, []int{10, 2}, record.Files[0].Shape)
	assert.InDelta(t, 4.5, record.Files[0].Values.Mean[1], 1e-9, "of voxels that are imported")
	assert.Equal(t, 1, record.Files[0].Values.Constant, "column 1 of a, and not column 2")
	var v SubjectVoxels
	text, err := os.ReadFile(filepath.Join(dir, "s1", voxelsName))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &v))
	assert.Equal(t, []int{4, 2, 3}, []int{v.Source, v.Columns, v.Selection.Columns})
	assert.Equal(t, path, v.Selection.From)
	assert.Len(t, v.Selection.SHA256, 64)
	assert.Equal(t, []EmptyVoxel{{Column: 1, Stories: []string{"b"}}}, v.Empty)
	for name, want := range map[string][]int32{keptName: {0, 3}, "rois/A.npy": {1}, "rois/C.npy": {0}} {
		a, err := npy.Read(filepath.Join(dir, "s1", name))
		require.NoError(t, err)
		got, err := a.Float64()
		require.NoError(t, err)
		require.Len(t, got, len(want), name)
		for i := range want {
			assert.InDelta(t, want[i], got[i], 0, name)
		}
	}
	assert.NoFileExists(t, filepath.Join(dir, "s1", "rois", "B.npy"))
	assert.Contains(t, f.Notes, "0 of 1 voxels of region B of s1 are kept")
	assert.Contains(t, f.Notes, "1 of 2 voxels of region A of s1 are kept")
	yaml, err := os.ReadFile(filepath.Join(dir, FileName))
	require.NoError(t, err)
	assert.NotContains(t, string(yaml), "rois/B.npy")
}

// An import that was interrupted does not go on with what was made of other columns.
func TestAnotherSelectionStartsAnew(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	f, data := made(t, "a", "b")
	data["b"].rows = data["b"].rows[:9] // ends early
	require.NoError(t, f.KeepFile(columnsFile(t, 0, 1)))
	_, err := f.Import(t.Context(), Options{Dir: dir})
	faulttest.Require(t, fault.BadData, err, "ends after 9 rows")
	source := f.Source
	data["b"].rows = append(data["b"].rows, []float64{1, 2, 3, 4})
	f.Subjects[0].Selection = nil
	require.NoError(t, f.KeepFile(columnsFile(t, 1, 3)))
	_, err = f.Import(t.Context(), Options{Dir: dir})
	require.NoError(t, err)
	assert.Equal(t, 2, data["a"].opened)
	assert.Equal(t, source, f.Source)
	a, err := npy.Read(filepath.Join(dir, "s1", "a.npy"))
	require.NoError(t, err)
	got, err := a.Float64()
	require.NoError(t, err)
	assert.InDelta(t, math.Sin(1), got[3], 1e-6, "row 1, voxel 3")
}

func TestSelectionsThatAreWrong(t *testing.T) {
	for want, columns := range map[string][]int32{
		"columns.npy: element 1 is 4, not one of 4 columns": {0, 4},
		"column 2 is listed twice; list each column once":   {2, 0, 2},
		"selects no voxel of subject s1":                    {0, 0, 0, 0},
	} {
		f, _ := made(t, "a")
		faulttest.Require(t, fault.BadData, f.KeepFile(columnsFile(t, columns...)), want)
	}
	f, _ := made(t, "a")
	require.NoError(t, f.KeepFile(columnsFile(t, 0, 1, 1, 0)))
	assert.Equal(t, []int{0, 3}, f.Subjects[0].dropped(), "a mask")
	_, err := f.Import(t.Context(), Options{Dir: filepath.Join(t.TempDir(), "out"), Link: true})
	faulttest.Require(t, fault.Usage, err, "no columns can be left out")
	f.Subjects = append(f.Subjects, f.Subjects[0])
	faulttest.Require(t, fault.Usage, f.KeepFile(columnsFile(t, 0)), "one subject, 2 are imported")
}

// Subjects whose columns are the same places keep the same ones of them; those without numbers keep their places.
func TestSelectedColumnsOfASharedSpace(t *testing.T) {
	f, data := made(t, "a", "b")
	for _, row := range data["b"].rows {
		row[1], row[2] = math.NaN(), math.NaN()
	}
	two := f.Subjects[0]
	two.Name = "s2"
	f.Subjects = append(f.Subjects, two)
	path := columnsFile(t, 3, 2, 0)
	for i := range f.Subjects {
		faulttest.Require(t, fault.Usage, f.KeepFile(path), "one subject, 2 are imported")
		f.Subjects[i].KeepNaN = true
	}
	f.Subjects[1].Mask = &Mask{}
	faulttest.Require(t, fault.Usage, f.KeepFile(path), "one subject, 2 are imported")
	f.Subjects[1].Mask = nil
	f.Subjects[1].Responses = slices.Clone(f.Subjects[1].Responses)
	f.Subjects[1].Responses[0].Shape = []int{10, 5}
	faulttest.Require(t, fault.Usage, f.KeepFile(path), "one subject, 2 are imported")
	f.Subjects[1].Responses[0].Shape = []int{10, 4}
	require.NoError(t, f.KeepFile(path))
	dir := filepath.Join(t.TempDir(), "out")
	_, err := f.Import(t.Context(), Options{Dir: dir})
	require.NoError(t, err)
	for _, subject := range []string{"s1", "s2"} {
		for name, want := range map[string][]float64{"empty.npy": {1}, "columns.npy": {0, 2, 3}} {
			a, err := npy.Read(filepath.Join(dir, subject, name))
			require.NoError(t, err)
			got, err := a.Float64()
			require.NoError(t, err)
			assert.Equal(t, want, got, "%s of %s", name, subject)
		}
		a, err := npy.Read(filepath.Join(dir, subject, "b.npy"))
		require.NoError(t, err)
		assert.Equal(t, []int{10, 3}, a.Shape)
	}
}
