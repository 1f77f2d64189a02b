package nifti

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// allOf reads all volumes of a series.
func allOf(t *testing.T, path string) (*Series, []float32) {
	t.Helper()
	s, err := OpenSeries(path, nil)
	require.NoError(t, err, path)
	defer s.Close()
	var all []float32
	require.NoError(t, s.Each(func(_ int, values []float32) error {
		all = append(all, values...)
		return nil
	}), path)
	require.Len(t, all, s.Volumes*s.Columns())
	return s, all
}

// The volumes of laboratories: all are to be read, those of 16 bits by their slope.
func TestLaboratoryVolumesAreRead(t *testing.T) {
	root := os.Getenv("BWLM_SHARED")
	if root == "" {
		t.Skip("BWLM_SHARED does not name the folder of shared test data")
	}
	lab := filepath.Join(root, "labfiles")
	files := filepath.Join(lab, "bids/derivatives/fmriprep/sub-001/func/sub-001_task-")
	whole, want := allOf(t, files+"tunnel_space-MNI152NLin2009cAsym_res-native_desc-preproc_bold.nii.gz")
	assert.Equal(t, [3]int{5, 4, 3}, whole.Grid)
	assert.Equal(t, 20, whole.Volumes)
	for name, c := range map[string]struct {
		tr  float64
		has bool
	}{
		"int16_space-MNI152NLin2009cAsym_desc-preproc": {1.5, true},
		"msec_desc-preproc":                            {1.5, true},
		"zerotr_desc-preproc":                          {0, false},
	} {
		s, got := allOf(t, files+name+"_bold.nii.gz")
		tr, ok := s.Clock.TR()
		assert.InDelta(t, c.tr, tr, 1e-6, name)
		assert.Equal(t, c.has, ok, name)
		half := .51 * s.Slope // of a step of whole numbers
		if s.Slope == 1 {
			half = 0
		}
		require.InDeltaSlice(t, want, got, half, name)
	}
	for name, shape := range map[string][]int{"nibabel_functional.nii": {17, 21, 3, 20},
		"nibabel_example_nifti2.nii.gz": {32, 20, 12, 2}} {
		s, got := allOf(t, filepath.Join(lab, "real", name))
		assert.Equal(t, shape, s.Dim, name)
		im, err := Read(filepath.Join(lab, "real", name))
		require.NoError(t, err)
		assert.Equal(t, im.Float32(), got, name)
	}
}
