package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/npy"
)

// A region of the real Glasser atlas, in each form of file, is the region of a data set whose voxels are fsaverage5's
// vertices: column v + 10242 is vertex v of the right.
func TestRegionsOfAnAtlasServeADataSet(t *testing.T) {
	shared := os.Getenv("BWLM_SHARED")
	if shared == "" {
		t.Skip("BWLM_SHARED is not set: no real atlas")
	}
	brain := filepath.Join(shared, "data/brain/fsaverage5_enigma")
	dir := t.TempDir()
	for _, form := range []string{"json", "txt", "npy"} {
		code, stdout, stderr := call(t, "roi", "--atlas", filepath.Join(brain, "fsa5_lh_glasser_360.annot"),
			filepath.Join(brain, "fsa5_rh_glasser_360.annot"), "--select", "A1|LBelt|MBelt|PBelt", "--out",
			filepath.Join(dir, "roi."+form))
		require.Zero(t, code, stderr)
		assert.Contains(t, stdout, "of 20484 columns")
	}
	require.NoError(t, npy.Write(filepath.Join(dir, "r.npy"), []int{2, 20484}, make([]float32, 2*20484)))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "dataset.yaml"), []byte(`
name: fsaverage
tr_seconds: 2
stories: {s: {audio: s.wav}}
subjects: {one: {s: r.npy}}
rois: {json: roi.json, txt: roi.txt, npy: roi.npy}
`), 0o600))
	data, err := dataset.Open(dir)
	require.NoError(t, err)
	var first []int
	for _, form := range []string{"json", "txt", "npy"} {
		columns, err := data.ROI(t.Context(), form, "one", 20484)
		require.NoError(t, err)
		if first == nil {
			first = columns
		}
		assert.Equal(t, first, columns)
	}
	left := 0
	for _, c := range first {
		if c < 10242 {
			left++
		}
	}
	assert.Len(t, first, 243, "as nibabel counts")
	assert.Equal(t, 131, left)
}
