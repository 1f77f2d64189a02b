package cortex

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/gifti"
	"github.com/brainwavlm/bwlm/internal/nifti"
)

// shared returns the path of a file of real data, or skips the test.
func shared(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("BWLM_SHARED")
	if dir == "" {
		t.Skip("BWLM_SHARED is not set: no real surfaces and atlases")
	}
	return filepath.Join(dir, "data/brain/fsaverage5_enigma", name)
}

func glasser(t testing.TB) *Atlas {
	t.Helper()
	a, err := ReadAtlas(nil, shared(t, "fsa5_lh_glasser_360.annot"), shared(t, "fsa5_rh_glasser_360.annot"))
	require.NoError(t, err)
	return a
}

// writeLabels makes a GIFTI label file.
func writeLabels(t *testing.T, labels []int32, table ...gifti.LabelEntry) string {
	t.Helper()
	im := gifti.Image{Arrays: []gifti.Array{gifti.NewInt(gifti.Label, "", []int{len(labels)}, labels)}, Labels: table}
	var b bytes.Buffer
	_, err := im.WriteTo(&b)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "x.label.gii")
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
	return path
}

func entry(key int32, name string) gifti.LabelEntry { return gifti.LabelEntry{Key: key, Name: name} }

func TestAtlasOfTwoFiles(t *testing.T) {
	left := writeLabels(t, []int32{300, 0, 70000, 300}, entry(0, "???"), entry(300, "L_A1_ROI"),
		entry(70000, "L_A4_ROI"), entry(5, "L_unused"))
	right := writeLabels(t, []int32{1, 2, 0, 1, 1}, entry(1, "R_A1_ROI"), entry(2, "R_V1_ROI"))
	a, err := ReadAtlas(nil, left, right)
	require.NoError(t, err)
	assert.Equal(t, 4, a.Left)
	assert.Equal(t, 5, a.Right)
	assert.Equal(t, []Region{
		{"???", "???", Left, true}, {"A1", "L_A1_ROI", Left, false}, {"A4", "L_A4_ROI", Left, false},
		{"A1", "R_A1_ROI", Right, false}, {"V1", "R_V1_ROI", Right, false},
	}, a.Regions)
	assert.Equal(t, []int32{1, 0, 2, 1, 3, 4, -1, 3, 3}, a.Labels)
	for expression, want := range map[string][]int{
		"A1": {0, 3, 4, 7, 8}, "L:A1": {0, 3}, "R_A1_ROI": {4, 7, 8}, "A1 - L:A1": {4, 7, 8}, "L:": {0, 1, 2, 3},
		"A*": {0, 2, 3, 4, 7, 8},
		"*":  {0, 2, 3, 4, 5, 7, 8}, "!*": {1, 6}, "A1, V1": {0, 3, 4, 5, 7, 8}, "A? & R:*": {4, 7, 8},
		"!(L: | A1)": {5, 6},
		`"A1"|A4`:    {0, 2, 3, 4, 7, 8}, "R:(A1|V1)": {4, 5, 7, 8}, "r>=.5": {1, 3}, "A1&r>=.5": {3},
		"A1 & r >= .5": {3}, "A1 & !r>0.4": {0, 4, 7, 8}, "mine": {2},
		"A4 | V1 & R:": {2, 5}, "A1 - r<0.6 | V1": {0, 4, 5, 7, 8}, "???": {1},
	} {
		s := Selector{Atlas: a, Maps: map[string][]float32{"r": {nan, .5, .1, .5, nan, nan, nan, nan, nan}},
			Masks: map[string]Mask{"mine": {2: true, 8: false}}}
		m, err := s.Select(expression)
		require.NoError(t, err, expression)
		assert.Equal(t, want, m.Columns(), expression)
	}
	for expression, part := range map[string]string{
		"A2": `did you mean A1?`, "a1": "did you mean A1?", "": "missing", "A1 |": "missing", "(A1": "not closed",
		"A1)":   "left over",
		"A1 A4": "left over", "@auditry": "did you mean @auditory?", "@AG": "PFm is not in the atlas",
		"q>1": `no map "q"`, "r>": "no condition",
		"A1 - A1": "selects nothing", "[": "is no pattern", "zzzzzz": "there are ???, A1", "!": "missing",
		"& A1": "missing",
	} {
		s := Selector{Atlas: a, Maps: map[string][]float32{"r": make([]float32, 9)}}
		_, err := s.Select(expression)
		require.ErrorContains(t, err, part, expression)
		assert.Contains(t, []fault.Kind{fault.Usage, fault.BadData}, fault.KindOf(err))
	}
}

func TestAtlasOfOneHemisphere(t *testing.T) {
	right := writeLabels(t, []int32{1, 0}, entry(1, "R_A1_ROI"))
	a, err := ReadAtlas(nil, "", right)
	require.NoError(t, err)
	assert.Equal(t, []int{0, 2}, []int{a.Left, a.Right})
	s := Selector{Atlas: a}
	m, err := s.Select("A1")
	require.NoError(t, err)
	assert.Equal(t, []int{0}, m.Columns())
}

func TestAtlasesThatAreRefused(t *testing.T) {
	left := writeLabels(t, []int32{1, 0}, entry(1, "L_A1_ROI"))
	right := writeLabels(t, []int32{1, 0}, entry(1, "R_A1_ROI"))
	for _, c := range []struct {
		paths []string
		part  string
	}{
		{[]string{right, left}, "give the left file before the right one"},
		{[]string{left, left}, "are of \"L_A1_ROI\""},
		{[]string{writeLabels(t, []int32{0, 0}), writeLabels(t, []int32{0, 0})}, "has a region"},
		{[]string{writeLabels(t, []int32{7, 0}, entry(1, "a")), right}, "label 7, which has no name"},
		{[]string{writeLabels(t, []int32{-3, 0}, entry(1, "a")), right}, "label -3"},
		{[]string{left, right, right}, "3 files"},
		{[]string{left}, "of one hemisphere"},
	} {
		_, err := ReadAtlas(nil, c.paths...)
		require.ErrorContains(t, err, c.part)
	}
}

// Bare names of both hemispheres, and the published vertex counts of this projection.
func TestGlasserOnFsaverage5(t *testing.T) {
	s := Selector{Atlas: glasser(t)}
	for expression, want := range map[string]int{"A1": 53, "L:A1": 27, "R:A1": 26, "L:": 10242} {
		m, err := s.Select(expression)
		require.NoError(t, err)
		assert.Equal(t, want, m.Count(), expression)
	}
	all, err := s.Select("*")
	require.NoError(t, err)
	for _, p := range Presets() {
		m, err := s.Select("@" + p.Name)
		require.NoError(t, err, p.Name)
		assert.Equal(t, m.Count(), m.And(all).Count())
	}
	auditory, err := s.Select("A1|LBelt|MBelt|PBelt|RI|A4")
	require.NoError(t, err)
	preset, err := s.Select("@auditory")
	require.NoError(t, err)
	assert.Equal(t, auditory, preset)
}

func volume(t *testing.T, name string, dim []int, affine [3][4]float64, values ...float32) string {
	t.Helper()
	var b bytes.Buffer
	_, err := nifti.NewFloat(dim, affine, values).WriteTo(&b)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
	return path
}

var grid = [3][4]float64{{2, 0, 0, -1}, {0, 2, 0, 0}, {0, 0, 2, 0}}

func TestVolumesOfLabels(t *testing.T) {
	mask := volume(t, "m.nii", []int{2, 1, 3}, grid, 1, 1, 0, 1, 1, 1)
	atlas := volume(t, "a.nii", []int{2, 1, 3}, grid, 0, 200, 40000, 200, 7, 0)
	for order, want := range map[Order][]int{XFastest: {0, 1, 3, 4, 5}, ZFastest: {0, 4, 1, 3, 5}} {
		m, err := ReadMask(mask, order)
		require.NoError(t, err)
		assert.Equal(t, want, m.Voxels)
		a, err := ReadAtlas(m, atlas)
		require.NoError(t, err)
		s := Selector{Atlas: a}
		got, err := s.Select("200|7")
		require.NoError(t, err)
		for c, in := range got {
			assert.Equal(t, in, m.Voxels[c] == 1 || m.Voxels[c] == 3 || m.Voxels[c] == 4)
		}
		left, err := s.Select("L:")
		require.NoError(t, err)
		for c, in := range left {
			assert.Equal(t, m.Voxels[c]%2 == 0, in, "x is -1 or 1 mm")
		}
	}
	whole, err := ReadAtlas(nil, atlas)
	require.NoError(t, err)
	assert.Equal(t, 6, whole.Columns())

	m, err := ReadMask(mask, XFastest)
	require.NoError(t, err)
	moved := grid
	moved[1][3] = .1
	for part, path := range map[string]string{
		"affine[1][3] is 0.1":   volume(t, "b.nii", []int{2, 1, 3}, moved, 0, 1, 1, 0, 0, 0),
		"shape [3 1 2]":         volume(t, "c.nii", []int{3, 1, 2}, grid, 0, 1, 1, 0, 0, 0),
		"want whole numbers":    volume(t, "d.nii", []int{2, 1, 3}, grid, 0, 1.5, 1, 0, 0, 0),
		"label -2 is negative":  volume(t, "e.nii", []int{2, 1, 3}, grid, 0, -2, 1, 0, 0, 0),
		"has a region":          volume(t, "f.nii", []int{2, 1, 3}, grid, 0, 0, 0, 0, 0, 0),
		"more than one volume":  volume(t, "g.nii", []int{1, 1, 1, 6}, grid, 0, 0, 0, 0, 0, 1),
		"voxels have no volume": volume(t, "h.nii", []int{2, 1, 3}, [3][4]float64{}, 0, 0, 0, 0, 0, 1),
	} {
		_, err := ReadAtlas(m, path)
		require.ErrorContains(t, err, part)
		assert.Equal(t, fault.BadData, fault.KindOf(err))
	}
	_, err = ReadMask(volume(t, "n.nii", []int{1, 1, 2}, grid, 0, nan), XFastest)
	require.ErrorContains(t, err, "the mask is empty")

	im, err := m.Image([]float32{1, 2, 3, 4, 5})
	require.NoError(t, err)
	got := im.Float32()
	got[2] = 0
	assert.Equal(t, []float32{1, 2, 0, 3, 4, 5}, got)
	_, err = m.Image([]float32{1})
	require.ErrorContains(t, err, "1 values for 5 voxels")
}

func TestCIFTIAtlas(t *testing.T) {
	a, err := ReadAtlas(nil, "../cifti/testdata/atlas.dlabel.nii")
	require.NoError(t, err)
	s := Selector{Atlas: a}
	m, err := s.Select("A1")
	require.NoError(t, err)
	assert.Equal(t, []int{0, 2, 7 + 1, 7 + 2}, m.Columns())
}

func TestReadColumns(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	for _, path := range []string{
		file("a.txt", "# Heschl\n3 1.0 # two\n"), file("b.txt", "0 1 0 1"), file("c.txt", "false TRUE false true"),
		file("a.json", "[3, 1]"), file("b.json", "[0,1,0,1]"), file("c.json", "[false,true,false,true]"),
	} {
		m, err := ReadColumns(path, 4)
		require.NoError(t, err, path)
		assert.Equal(t, []int{1, 3}, m.Columns(), path)
	}
	for part, path := range map[string]string{
		"not one of 4 columns": file("d.txt", "4"), "is not a column": file("e.txt", "x"),
		"listed twice":   file("f.txt", "1 1"),
		"number 0 is -1": file("g.txt", "-1"), "number 1 is 1.5": file("h.txt", "0 1.5"), "empty": file("i.txt", ""),
		"NaN":         file("j.txt", "nan"),
		"want a list": file("d.json", "{}"), "for 2 columns, there are 4": file("e.json", "[true,false]"),
		".csv": file("x.csv", "1"),
	} {
		_, err := ReadColumns(path, 4)
		require.ErrorContains(t, err, part)
		assert.Equal(t, fault.BadData, fault.KindOf(err))
	}
}

func FuzzSelect(f *testing.F) {
	for _, text := range []string{"A1|LBelt|MBelt|PBelt", "L:(A* - !@auditory) & r>=0.1", `"9-46d", R:`, "((((",
		"!!!![a-"} {
		f.Add(text)
	}
	a := &Atlas{Left: 2, Right: 2, Regions: []Region{{"A1", "L_A1_ROI", Left, false}, {"A1", "R_A1_ROI", Right, false}},
		Labels: []int32{0, -1, 1, -1}}
	f.Fuzz(func(t *testing.T, text string) {
		s := Selector{Atlas: a, Maps: map[string][]float32{"r": {0, 1, 2, nan}}}
		m, err := s.Select(text)
		if err == nil {
			require.Len(t, m, 4)
			require.Positive(t, m.Count())
		}
	})
}
