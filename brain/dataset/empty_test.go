package dataset

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/npy"
)

// Columns that the description calls empty are 0 whatever the file has there: a .npy by rows or by columns, or text.
func TestEmptyColumns(t *testing.T) {
	nan := math.NaN()
	dir := write(t, map[string]string{
		"dataset.yaml": good + "empty: {s1: [2, 0], s2: empty.json}\n", "empty.json": "[false, true, false]",
		"s2/a.txt": "1 nan 3\n4 nan 6\n", "s1/a.txt": "nan 2 inf\nnan 5 6\n"})
	require.NoError(t, npy.Write(filepath.Join(dir, "s1/b.npy"), []int{2, 2, 3},
		[]float64{nan, 1, nan, nan, 2, nan, nan, 3, 7, nan, 4, nan}))
	d, err := Open(dir)
	require.NoError(t, err)
	for _, c := range []struct {
		subject, story string
		empty          []int
		want           []float32
	}{
		{"s1", "a", []int{0, 2}, []float32{0, 2, 0, 0, 5, 0}},
		{"s1", "b", []int{0, 2}, []float32{0, 1, 0, 0, 2, 0, 0, 3, 0, 0, 4, 0}},
		{"s2", "a", []int{1}, []float32{1, 0, 3, 4, 0, 6}},
	} {
		r, err := d.OpenResponses(t.Context(), c.subject, c.story)
		require.NoError(t, err)
		assert.Equal(t, c.empty, r.Empty)
		m, err := d.ReadResponses(t.Context(), c.subject, c.story)
		require.NoError(t, err)
		assert.Equal(t, c.want, m.Data, "%s %s", c.subject, c.story)
	}
	assert.Contains(t, d.paths([]string{"s2"}, nil), filepath.Join(dir, "empty.json"))
	assert.NotContains(t, d.paths([]string{"s1"}, nil), filepath.Join(dir, "empty.json"))
}

// A matrix in memory stays as it is.
func TestEmptyColumnsOfAMatrixInMemory(t *testing.T) {
	data := []float32{1, 2, 3, 4}
	d, err := New(Spec{TR: 1, Stories: []Story{{Name: "a"}}, Subjects: []Subject{{Name: "s", Empty: Value(
		Region{Columns: []int{1}}), Responses: []Response{{Story: "a", Matrix: Value(NewMatrix(2, 2, data))}}}}})
	require.NoError(t, err)
	m, err := d.ReadResponses(t.Context(), "s", "a")
	require.NoError(t, err)
	assert.Equal(t, []float32{1, 0, 3, 0}, m.Data)
	assert.Equal(t, []float32{1, 2, 3, 4}, data)
}

// A list that does not fit the responses is refused, and so is NaN in a column that is not in it.
func TestWrongEmptyColumns(t *testing.T) {
	for list, says := range map[string]string{
		"{nobody: [0]}":  `there is no subject "nobody"`,
		"{s1: [2]}":      "column 2 is not among the responses' 2 voxels",
		"{s1: [0, 0]}":   "column 0 is listed twice",
		"{s1: [0, 1]}":   "it has all 2 voxels",
		"{s1: []}":       "is empty",
		"{s1: none.npy}": "none.npy",
		"[0]":            "want a mapping",
		"{s1: [1]}":      "TR 1, voxel 0 is NaN (1 of 4 values are not finite)",
	} {
		dir := write(t, map[string]string{"dataset.yaml": good + "empty: " + list, "s1/a.txt": "1 2\nnan nan\n"})
		d, err := Open(dir)
		if err == nil {
			_, err = d.ReadResponses(t.Context(), "s1", "a")
		}
		require.ErrorContains(t, err, says, list)
		if kind := fault.KindOf(err); !strings.Contains(list, "none") {
			assert.Equal(t, fault.BadData, kind, list)
		}
	}
	d, err := Open(write(t, map[string]string{"dataset.yaml": good, "s1/a.txt": "1 2\nnan 3\n"}))
	require.NoError(t, err)
	_, err = d.ReadResponses(t.Context(), "s1", "a")
	faulttest.Require(t, fault.BadData, err, "TR 1, voxel 0", "listed under empty")
}
