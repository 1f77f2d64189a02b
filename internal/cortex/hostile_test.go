package cortex

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/fuzztest"
	"github.com/brainwavlm/bwlm/internal/gifti"
	"github.com/brainwavlm/bwlm/internal/nifti"
)

// What masks, label volumes and region files get wrong most often (nilearn has taken several of
// these for good): each is refused, or read for what it says, within a budget of memory and time.
func TestMasksAndRegionsGetTheirVerdict(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return path
	}
	image := func(name string, im *nifti.Image) string {
		var b bytes.Buffer
		_, err := im.WriteTo(&b)
		require.NoError(t, err)
		return put(name, b.Bytes())
	}
	shape := []int{2, 1, 3}
	at := func(dy float64) [3][4]float64 { g := grid; g[1][3] += dy; return g }
	ints := func(name string, values ...int32) string { return image(name, nifti.NewInt(shape, grid, values)) }
	mask, err := ReadMask(ints("mask.nii", 1, 1, 0, 1, 1, 1), ZFastest) // voxels 0 4 1 3 5
	require.NoError(t, err)

	columns := func(path string) ([]int, error) { m, err := ReadColumns(path, 4); return m.Columns(), err }
	inMask := func(path string) ([]int, error) {
		m, err := ReadMask(path, XFastest)
		if err != nil {
			return nil, err
		}
		return m.Voxels, nil
	}
	values := func(path string) ([]int, error) {
		x, err := mask.Values(path)
		var out []int
		for _, v := range x {
			out = append(out, int(v))
		}
		return out, err
	}
	region := func(expression string, atlas ...string) func(string) ([]int, error) {
		return func(path string) ([]int, error) {
			a, err := ReadAtlas(mask, append(atlas, path)...)
			if err != nil {
				return nil, err
			}
			m, err := (&Selector{Atlas: a}).Select(expression)
			return m.Columns(), err
		}
	}
	labels := func(name string, keys []int32, table ...gifti.LabelEntry) string {
		var b bytes.Buffer
		_, err := (&gifti.Image{Arrays: []gifti.Array{gifti.NewInt(gifti.Label, "", []int{len(keys)}, keys)},
			Labels: table}).WriteTo(&b)
		require.NoError(t, err)
		return put(name, b.Bytes())
	}
	left := labels("left.gii", []int32{1, 0}, entry(0, "???"), entry(1, "L_A1_ROI"))
	flat := grid
	flat[2] = [4]float64{}

	for why, c := range map[string]struct {
		read func(string) ([]int, error)
		path string
		want []int // nil: refused
		part string
	}{
		"other shape": {values, image("1.nii", nifti.NewInt([]int{3, 1, 2}, grid, make([]int32, 6))), nil,
			"shape [3 1 2], the mask's is [2 1 3]"},
		"four dimensions": {values, image("2.nii", nifti.NewInt([]int{2, 1, 3, 2}, grid, make([]int32, 12))), nil,
			"more than one volume"},
		"affine within 1e-3": {values, image("3.nii", nifti.NewInt(shape, at(9e-4), []int32{10, 11, 12, 13, 14, 15})),
			[]int{10, 14, 11, 13, 15}, ""},
		"affine beyond": {values, image("4.nii", nifti.NewInt(shape, at(1.1e-3), make([]int32, 6))), nil,
			"its voxels are elsewhere"},
		"affine of an atlas": {region("1"), image("5.nii", nifti.NewInt(shape, at(2), []int32{1, 1, 1, 1, 1, 1})), nil,
			"its voxels are elsewhere"},
		"flat affine": {inMask, image("6.nii", nifti.NewInt(shape, flat, []int32{1, 1, 1, 1, 1, 1})), nil,
			"voxels have no volume"},
		"empty mask": {inMask, ints("7.nii", 0, 0, 0, 0, 0, 0), nil, "the mask is empty"},
		"mask of NaN": {inMask, image("8.nii", nifti.NewFloat(shape, grid,
			[]float32{nan, nan, nan, nan, nan, nan})), nil, "the mask is empty"},
		"mask of all": {inMask, ints("9.nii", 1, 1, 1, 1, 1, 1), []int{0, 1, 2, 3, 4, 5}, ""},
		"mask of other marks": {inMask, image("10.nii", nifti.NewFloat(shape, grid, []float32{0, .5, -1, nan, 300, 0})),
			[]int{1, 2, 4}, ""},
		"label 128":   {region("128"), ints("11.nii", 128, 0, 0, 0, -0, 0), []int{0}, ""},
		"label 256":   {region("256"), ints("12.nii", 0, 256, 0, 255, 0, 1), []int{2}, ""},
		"label 32768": {region("32768"), ints("13.nii", 0, 0, 0, 0, 32768, 32767), []int{1}, ""},
		"label 65537": {region("65537"), ints("14.nii", 1, 0, 0, 65537, 0, 0), []int{3}, ""},
		"sparse labels": {region("7 | 2000000000"), ints("15.nii", 7, 0, 0, math.MaxInt32, 0, 2000000000),
			[]int{0, 4}, ""},
		"labels as floats": {region("300"), image("16.nii",
			nifti.NewFloat(shape, grid, []float32{300, 0, 0, 300, 0, 0})), []int{0, 3}, ""},
		"smoothed labels": {region("1"), image("17.nii", nifti.NewFloat(shape, grid, []float32{1, .5, 0, 0, 0, 0})),
			nil, "was not smoothed"},
		"background of NaN": {region("1"), image("18.nii", nifti.NewFloat(shape, grid, []float32{1, nan, 0, 0, 0, 0})),
			[]int{0}, ""},
		"labels of 1e30": {region("1"), image("19.nii",
			nifti.NewFloat(shape, grid, []float32{1, 1e30, 0, 0, 0, 0})), nil, "want whole numbers"},
		"negative label": {region("1"), ints("20.nii", 1, -1, 0, 0, 0, 0), nil, "label -1 is negative"},
		"no label": {region("1"), ints("21.nii", 0, 0, 1, 0, 0, 0), nil,
			"none of its 5 vertices or voxels has a region"},
		"one name, two keys": {region("R:A1", left), labels("22.gii", []int32{1, 2, 3}, entry(1, "R_A1_ROI"),
			entry(2, "R_A1_ROI"), entry(3, "R_V1_ROI")), []int{2, 3}, ""},
		"one key, two names": {region("A1", left), labels("23.gii", []int32{1, 1}, entry(1, "R_A1_ROI"),
			entry(1, "R_V1_ROI")), nil, "occurs twice"},
		"key without a name": {region("A1", left), labels("24.gii", []int32{1, 9}, entry(1, "R_A1_ROI")), nil,
			"vertex 1 has the label 9, which has no name"},
		"of the other side": {region("A1", left), labels("25.gii", []int32{1, 1}, entry(1, "L_A1_ROI")), nil,
			"give the left file before the right one"},
		"another's columns": {columns, put("26.txt", []byte("0 5")), nil, "not one of 4 columns"},
		"another's mask": {columns, put("27.json", []byte("[true, false, true, false, true]")), nil,
			"for 5 columns, there are 4"},
		"column twice":       {columns, put("28.json", []byte("[2, 2]")), nil, "listed twice"},
		"no column":          {columns, put("29.json", []byte("[]")), nil, "the region is empty"},
		"mask of no column":  {columns, put("30.txt", []byte("0 0 0 0")), nil, "the region is empty"},
		"column 1e300":       {columns, put("31.txt", []byte("1e300")), nil, "not one of 4 columns"},
		"columns of objects": {columns, put("32.json", []byte(`[{"a": 1}]`)), nil, "want a list"},
	} {
		data, err := os.ReadFile(c.path)
		require.NoError(t, err)
		fuzztest.Run(t, 64, data, func() {
			got, err := c.read(c.path)
			if c.want != nil {
				require.NoError(t, err, why)
				assert.Equal(t, c.want, got, why)
				return
			}
			require.ErrorContains(t, err, c.part, why)
			assert.Equal(t, fault.BadData, fault.KindOf(err), why)
		})
	}
}
