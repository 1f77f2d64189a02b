//go:build slow

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/nifti"
)

// A training of subjects in a mask is exported, and nilearn finds in every map what the evaluation
// left. Bob's voxels are elsewhere.
func TestNilearnReadsATraining(t *testing.T) {
	python := os.Getenv("BWLM_PEER_PYTHON")
	if python == "" {
		t.Skip("BWLM_PEER_PYTHON names no Python with nilearn")
	}
	dir := t.TempDir()
	require.NoError(t, tinyStudy(dir))
	inside := make([]float32, 5*6*4)
	for v := range 50 {
		inside[2*v+v%2] = 1
	}
	mask := filepath.Join(dir, "data", "mask.nii.gz")
	affine := [3][4]float64{{-3, 0, 0, 9}, {0, 3, .5, -20}, {0, -.5, 3, 4}}
	require.NoError(t, atomicfile.Write(mask, nifti.NewFloat([]int{5, 6, 4}, affine, inside).WriteGzip))
	set, err := os.OpenFile(filepath.Join(dir, "data", "dataset.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = set.WriteString("mask: mask.nii.gz\n")
	require.NoError(t, err)
	require.NoError(t, set.Close())
	run, out := filepath.Join(dir, "run"), filepath.Join(dir, "out")
	answers(t, "train", filepath.Join(dir, "tiny.yaml"), "--set", "out="+run)
	code, _, stderr := call(t, "export", run, "--out", out)
	require.Zero(t, code, stderr)
	assert.Contains(t, stderr, "note: run: no maps of bob: it has 53 voxels")
	said, err := exec.CommandContext(t.Context(), python, "../../tools/export/check.py", run, out, "--mask",
		mask).CombinedOutput()
	require.NoError(t, err, "%s", said)
	assert.Contains(t, string(said), "nilearn reads 6 maps of 2 subjects",
		"base, base at its best layer, tuned, gain with its p and q")
}
