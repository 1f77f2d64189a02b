//go:build slow

package bids

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/filetest"
)

// Every map is loaded by nilearn and has the numbers of the run, and every name is taken apart.
func TestNilearnReadsTheMaps(t *testing.T) {
	python := os.Getenv("BWLM_PEER_PYTHON")
	if python == "" {
		t.Skip("BWLM_PEER_PYTHON names no Python with nilearn")
	}
	for _, at := range []place{onSurface, inMask} {
		run := made(t, at, "ann", "S_2")
		filetest.Put(t, run, "eval/test/S_2/delta_p.npy", make([]float32, voxels))
		data := filepath.Join(filepath.Dir(run), "data")
		args := []string{"--mask", filepath.Join(data, "mask.nii.gz")}
		if at == onSurface {
			args = []string{"--left", filepath.Join(data, "l.surf.gii"), "--right", filepath.Join(data, "r.surf.gii"),
				"--vertices", filepath.Join(data, "v.txt")}
		}
		dir, _, _ := exported(t, run, Options{Space: "made"})
		said, err := exec.CommandContext(t.Context(), python,
			append([]string{"../../tools/export/check.py", run, dir}, args...)...).CombinedOutput()
		require.NoError(t, err, "%s", said)
		assert.Contains(t, string(said), "nilearn reads 19 maps of 2 subjects")
	}
}
