package bids

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/internal/filetest"
	"github.com/brainwavlm/bwlm/internal/labtest"
	"github.com/brainwavlm/bwlm/internal/nifti"
)

// placed is a run of two subjects of whom each has a mask of its own. The r of the untuned model is planted.
func placed(t *testing.T, spaces string, base map[string][]float32) string {
	t.Helper()
	run := made(t, nowhere, "ann", "bob")
	filetest.Put(t, filepath.Join(filepath.Dir(run), "data"), "dataset.yaml", "tr_seconds: 2\nstories:\n  a: {}\n"+
		"subjects:\n  ann: {a: a.npy}\n  bob: {a: a.npy}\n"+spaces+"\n")
	var layout []any
	for name, x := range base {
		require.NoError(t, os.RemoveAll(filepath.Join(run, "eval/test", name)))
		filetest.Put(t, run, "eval/test/"+name+"/base_r.npy", x)
		layout = append(layout, map[string]any{"name": name, "voxels": len(x),
			"rows": []any{map[string]any{"Story": "a", "From": 0, "To": 48}}})
	}
	filetest.Put(t, run, "eval/test/layout.json", map[string]any{"schema": results.RunSchema, "subjects": layout})
	return run
}

// base reads the map of the untuned model of a subject.
func base(t *testing.T, dir, subject string) *nifti.Image {
	t.Helper()
	im, err := nifti.Read(filepath.Join(dir, fmt.Sprintf("sub-%s/func/sub-%s_task-a_stat-r_desc-base_statmap.nii.gz",
		subject, subject)))
	require.NoError(t, err)
	return im
}

// Columns in the order of pycortex and in that of nibabel go to the voxels that those two have in these places, each
// subject by its own.
func TestMapsOfEachSubjectsOwnOrder(t *testing.T) {
	const in = "ds003020/derivative/pycortex-db/UTS00/transforms/UTS00_auto/mask_thick.nii.gz"
	mask := filepath.Join(labtest.Dir(t), in)
	if !filepath.IsAbs(mask) {
		var err error
		mask, err = filepath.Abs(mask)
		require.NoError(t, err)
	}
	values := make([]float32, 13)
	for k := range values {
		values[k] = float32(k+1) / 100
	}
	// Of bob, one voxel of the mask was left out of the columns.
	run := placed(t, fmt.Sprintf("mask: {ann: {file: %s, order: x}, bob: {file: %s, order: z, "+
		"voxels: [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12]}}", mask, mask),
		map[string][]float32{"ann": values, "bob": append(values[:4:4], values[5:]...)})
	dir, notes, res := exported(t, run, Options{Formats: []string{"nifti"}})
	assert.Empty(t, notes)
	for _, f := range res.Files {
		assert.NotContains(t, f, "group", "nobody says that these are the same places")
	}
	// In a space that subjects share, each voxel has the mean of those who have it.
	dir2, _, _ := exported(t, run, Options{Formats: []string{"nifti"}, Space: "MNI152NLin2009cAsym"})
	mean, err := nifti.Read(filepath.Join(dir2,
		"group/task-a_space-MNI152NLin2009cAsym_stat-r_desc-base_statmap.nii.gz"))
	require.NoError(t, err)
	one, other := base(t, dir, "ann").Float32(), base(t, dir, "bob").Float32()
	for at, x := range mean.Float32() {
		switch a, b := one[at], other[at]; {
		case a != a && b != b:
			assert.True(t, x != x, at)
		case b != b:
			assert.Equal(t, a, x, at)
		default:
			assert.InDelta(t, (a+b)/2, x, 1e-7, at)
		}
	}
	own, _, _ := exported(t, run, Options{Formats: []string{"nifti"}, Space: "T1w"})
	assert.NoDirExists(t, filepath.Join(own, "group"))
	for subject, truth := range map[string]string{"ann": "pycortex_columns_ijk", "bob": "nibabel_columns_ijk"} {
		im := base(t, dir, subject)
		assert.Equal(t, []int{5, 4, 3}, im.Dim)
		all := im.Float32()
		_, ijk := labtest.Truth(t, truth)
		for k, want := range values {
			if subject == "bob" && k == 4 {
				continue
			}
			at := int(ijk[3*k]) + 5*(int(ijk[3*k+1])+4*int(ijk[3*k+2]))
			assert.Equal(t, want, all[at], "%s, column %d", truth, k)
			all[at] = float32(math.NaN())
		}
		for at, x := range all {
			assert.True(t, x != x, "voxel %d of %s is in no column", at, subject)
		}
	}
}

// octants is a mask of a grid around the origin, turned and mirrored, and a column of each octant in an order.
func octants(t *testing.T, dir string, xFastest bool) (columns map[int][3]float64, voxels int) {
	dim := [3]int{7, 9, 8}
	affine := [3][4]float64{{-2.9, .4, 0, 9}, {.4, 2.9, .2, -13}, {0, -.2, 3, -10}}
	values := make([]float32, dim[0]*dim[1]*dim[2])
	columns = map[int][3]float64{}
	seen := map[[3]bool]bool{}
	add := func(x, y, z int) {
		if (x+2*y+3*z)%5 == 0 { // not in the mask
			return
		}
		values[x+dim[0]*(y+dim[1]*z)] = 1
		var at [3]float64
		far := true
		for i, row := range affine {
			at[i] = row[0]*float64(x) + row[1]*float64(y) + row[2]*float64(z) + row[3]
			far = far && math.Abs(at[i]) > 4
		}
		if octant := [3]bool{at[0] > 0, at[1] > 0, at[2] > 0}; far && !seen[octant] {
			seen[octant], columns[voxels] = true, at
		}
		voxels++
	}
	if xFastest {
		for z := range dim[2] {
			for y := range dim[1] {
				for x := range dim[0] {
					add(x, y, z)
				}
			}
		}
	} else {
		for x := range dim[0] {
			for y := range dim[1] {
				for z := range dim[2] {
					add(x, y, z)
				}
			}
		}
	}
	f, err := os.Create(filepath.Join(dir, "octants.nii.gz"))
	require.NoError(t, err)
	require.NoError(t, nifti.NewFloat(dim[:], affine, values).WriteGzip(f))
	require.NoError(t, f.Close())
	return columns, voxels
}

// One lit voxel of each octant of the brain is in this octant of the map, in millimetres, in both orders.
func TestAVoxelOfEachOctant(t *testing.T) {
	for _, order := range []string{"x", "z"} {
		folder := t.TempDir()
		columns, n := octants(t, folder, order == "x")
		require.Len(t, columns, 8)
		values := make([]float32, n)
		code := func(at [3]float64) (c float32) {
			for i, bit := range []float32{.1, .2, .4} {
				if at[i] > 0 {
					c += bit
				}
			}
			return c + .05
		}
		for c, at := range columns {
			values[c] = code(at)
		}
		run := placed(t, fmt.Sprintf("mask: {file: %s, order: %s}", filepath.Join(folder, "octants.nii.gz"), order),
			map[string][]float32{"ann": values, "bob": values})
		dir, _, _ := exported(t, run, Options{Formats: []string{"nifti"}})
		im := base(t, dir, "bob")
		lit := 0
		for voxel, x := range im.Float32() {
			if !(x > 0) {
				continue
			}
			lit++
			var at [3]float64
			i := [3]float64{float64(voxel % 7), float64(voxel / 7 % 9), float64(voxel / 63)}
			for k, row := range im.Affine {
				at[k] = row[0]*i[0] + row[1]*i[1] + row[2]*i[2] + row[3]
			}
			assert.InDelta(t, code(at), x, 1e-6, "order %s, voxel %v at %v", order, i, at)
		}
		assert.Equal(t, 8, lit)
	}
}

// A voxel that is empty in one subject has the value of the others in the map of the mean.
func TestTheMeanOfSubjectsWithOtherEmptyVoxels(t *testing.T) {
	folder := t.TempDir()
	_, n := octants(t, folder, false)
	ann, bob := make([]float32, n), make([]float32, n)
	for c := range n {
		ann[c], bob[c] = .25, .75
	}
	ann[3], bob[9], ann[11], bob[11] = nan, nan, nan, nan
	run := placed(t, fmt.Sprintf("mask: %s\nempty: {ann: [3, 11], bob: [9, 11]}",
		filepath.Join(folder, "octants.nii.gz")), map[string][]float32{"ann": ann, "bob": bob})
	dir, _, _ := exported(t, run, Options{Formats: []string{"nifti"}})
	im, err := nifti.Read(filepath.Join(dir, "group/task-a_stat-r_desc-base_statmap.nii.gz"))
	require.NoError(t, err)
	count := map[float32]int{}
	for _, x := range im.Float32() {
		if x == x {
			count[x]++
		}
	}
	assert.Equal(t, map[float32]int{.5: n - 3, .75: 1, .25: 1}, count)
}
