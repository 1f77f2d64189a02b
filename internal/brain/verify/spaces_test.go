package verify_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/brain/verify"
	"github.com/brainwavlm/bwlm/internal/nifti"
)

func TestMasksAreComparedWithVoxels(t *testing.T) {
	dir := t.TempDir()
	var mask bytes.Buffer
	_, err := nifti.NewFloat([]int{2, 2, 1}, [3][4]float64{{2}, {0, 2}, {0, 0, 2}}, []float32{1, 0, 1, 1}).
		WriteTo(&mask)
	require.NoError(t, err)
	for name, text := range map[string]string{
		"dataset.yaml": "tr_seconds: 2\nstories:\n  a: {audio: a.wav}\nsubjects:\n  s: {a: s.txt}\n  t: {a: t.txt}\n" +
			"mask:\n  s: {file: mask.nii, order: x}\n  t: {file: mask.nii, order: x}\n",
		"s.txt":    strings.Repeat("100 200 50\n102 201 51\n", 2),
		"t.txt":    strings.Repeat("1 2\n3 1\n", 2),
		"mask.nii": mask.String(),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	r := path(t, dir)
	assert.Contains(t, find(r, verify.OK), "space s: mask mask.nii, x fastest, 3 places")
	assert.Contains(t, find(r, verify.Wrong),
		"space t: mask mask.nii, x fastest gives places to 3 voxels, the responses have 2")
	require.Len(t, r.Subjects, 2)
	assert.Equal(t, []any{4, 8.0, 3, "mask mask.nii, x fastest"}, []any{r.Subjects[0].Rows, r.Subjects[0].Seconds,
		r.Subjects[0].Voxels, r.Subjects[0].Space})
	assert.InDelta(t, 101, r.Subjects[0].TSNR, 1e-3, "of 101, 401 and 101")

	require.NoError(t, os.Remove(filepath.Join(dir, "mask.nii")))
	assert.Contains(t, strings.Join(find(path(t, dir), verify.Wrong), "\n"), "space s: mask.nii: no such file")
}
