package main

import (
	"bytes"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/nifti"
	"github.com/brainwavlm/bwlm/npy"
)

// A glass brain of a mask and a value for each of its voxels.
func TestPlotOfAVolume(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	var b bytes.Buffer
	mask := nifti.NewInt([]int{2, 2, 2}, [3][4]float64{{20, 0, 0, -10}, {0, 20, 0, 0}, {0, 0, 20, 0}},
		[]int32{0, 1, 1, 1, 1, 1, 1, 1})
	_, err := mask.WriteTo(&b)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(at("mask.nii"), b.Bytes(), 0o600))
	require.NoError(t, npy.Write(at("v.npy"), []int{7}, []float32{1, -2, 3, float32(math.NaN()), 5, 6, -7}))
	code, stdout, stderr := call(t, "plot", "--mask", at("mask.nii"), "--values", at("v.npy"), "--size", "320x240",
		"--out", at("g.png"))
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "7 values, 1 of them NaN, colours balance from -7 to 7")
	file, err := os.Open(at("g.png"))
	require.NoError(t, err)
	defer file.Close()
	picture, err := png.Decode(file)
	require.NoError(t, err)
	assert.Equal(t, 320, picture.Bounds().Dx())

	require.NoError(t, npy.Write(at("w.npy"), []int{8}, make([]float32, 8)))
	code, _, stderr = call(t, "plot", "--mask", at("mask.nii"), "--values", at("w.npy"), "--out", at("x.png"))
	assert.Equal(t, 65, code)
	assert.Contains(t, stderr, "shape [8], want 7 values")
	code, _, _ = call(t, "plot", "--mask", at("mask.nii"), "--left", at("x.gii"), "--out", at("x.png"))
	assert.Equal(t, 2, code)
	assert.NoFileExists(t, at("x.png"))
}

func TestPlotReadsFreeSurfer(t *testing.T) {
	const files = "../../internal/freesurfer/testdata/"
	out := filepath.Join(t.TempDir(), "p.png")
	code, stdout, stderr := call(t, "plot", "--left", files+"lh.tail", "--sulc", files+"lh.sulc", "--values",
		files+"lh.sulc", "--views", "lateral", "--size", "320x240", "--out", out)
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "9 values, 0 of them NaN")
	code, _, stderr = call(t, "plot", "--left", files+"lh.sulc", "--out", out)
	assert.Equal(t, 65, code)
	assert.Contains(t, stderr, "mris_convert")
}
