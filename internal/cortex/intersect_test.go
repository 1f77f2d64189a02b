package cortex

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/nifti"
	"github.com/brainwavlm/bwlm/npy"
)

func maskOf(t *testing.T, dim []int, shift float64, values ...float32) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mask.nii")
	f, err := os.Create(path)
	require.NoError(t, err)
	affine := [3][4]float64{{2, 0, 0, shift}, {0, 2, 0, 0}, {0, 0, 2, 0}}
	_, err = nifti.NewFloat(dim, affine, values).WriteTo(f)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	return path
}

func TestMasksOfRunsAreIntersected(t *testing.T) {
	dim := []int{2, 1, 3}
	a := maskOf(t, dim, 0, 1, 1, 1, 0, 1, 1)
	b := maskOf(t, dim, 5e-4, 1, 1, 0, 1, 1, 0)
	c := maskOf(t, dim, 0, 0, 1, 1, 0, 1, 1)
	for order, want := range map[Order][]int{XFastest: {1, 4}, ZFastest: {4, 1}} {
		got, err := Intersect([]string{a, b, c}, order)
		require.NoError(t, err)
		assert.Equal(t, want, got.Voxels)
		assert.Equal(t, []int{5, 4, 4}, got.Counts)
		assert.Equal(t, 4, got.Lost)
	}
	one, err := Intersect([]string{c}, XFastest)
	require.NoError(t, err)
	assert.Equal(t, 0, one.Lost)
	_, err = Intersect([]string{a, maskOf(t, dim, 2e-3, 1, 1, 1, 1, 1, 1)}, XFastest)
	faulttest.Require(t, fault.BadData, err, "affine[0][3]")
	_, err = Intersect([]string{a, maskOf(t, []int{3, 1, 2}, 0, 1, 1, 1, 1, 1, 1)}, XFastest)
	faulttest.Require(t, fault.BadData, err, "shape [3 1 2]")
	_, err = Intersect([]string{a, maskOf(t, dim, 0, 0, 0, 0, 1, 0, 0)}, XFastest)
	faulttest.Require(t, fault.BadData, err, "no voxel is in all 2 masks")
	_, err = Intersect(nil, XFastest)
	faulttest.Require(t, fault.BadData, err, "no masks")
}

// One mask's columns in both orders, as nilearn and pycortex have them, and a series read by them.
func TestColumnsOfALaboratory(t *testing.T) {
	root := os.Getenv("BWLM_SHARED")
	if root == "" {
		t.Skip("BWLM_SHARED does not name the folder of shared test data")
	}
	lab := filepath.Join(root, "labfiles")
	series := filepath.Join(lab, "bids/derivatives/fmriprep/sub-001/func/"+
		"sub-001_task-tunnel_space-MNI152NLin2009cAsym_res-native_desc-preproc_bold.nii.gz")
	whole, err := nifti.OpenSeries(series, nil)
	require.NoError(t, err)
	all := make([]float32, whole.Columns())
	require.NoError(t, whole.Next(all))
	require.NoError(t, whole.Close())
	for name, order := range map[string]Order{"pycortex": XFastest, "nibabel": ZFastest} {
		for _, path := range []string{"ds003020/derivative/pycortex-db/UTS00/transforms/UTS00_auto/mask_thick.nii.gz",
			"bids/derivatives/fmriprep/sub-001/func/" +
				"sub-001_task-tunnel_space-MNI152NLin2009cAsym_res-native_desc-brain_mask.nii.gz"} {
			mask, err := ReadMask(filepath.Join(lab, path), order)
			require.NoError(t, err)
			truth, err := npy.Read(filepath.Join(lab, "truth", name+"_columns_ijk.npy"))
			require.NoError(t, err)
			ijk, err := truth.Float64()
			require.NoError(t, err)
			require.Len(t, mask.Voxels, len(ijk)/3)
			s, err := nifti.OpenSeries(series, mask.Voxels)
			require.NoError(t, err)
			row := make([]float32, s.Columns())
			require.NoError(t, s.Next(row))
			for c, voxel := range mask.Voxels {
				place := int(ijk[3*c]) + mask.Dim[0]*(int(ijk[3*c+1])+mask.Dim[1]*int(ijk[3*c+2]))
				require.Equal(t, place, voxel, "%s, column %d", name, c)
				require.InDelta(t, all[place], row[c], 0)
			}
			require.NoError(t, s.Close())
		}
	}
}
