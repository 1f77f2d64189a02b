package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/exampletest"
	"github.com/brainwavlm/bwlm/npy"
)

func TestMain(m *testing.M) { exampletest.Main(m) }

func TestPredict(t *testing.T) {
	story, _ := exampletest.Recording(t, 20, 9)
	out := filepath.Join(t.TempDir(), "p.npy")
	dir := exampletest.Run(t)
	var printed strings.Builder
	require.NoError(t, run(t.Context(), []string{"-out", out, dir, story}, &printed))
	assert.Contains(t, printed.String(), "50 volumes from 0.20 s on, one every 0.4 s, 60 voxels of ada")
	y, err := npy.ReadMatrix(out)
	require.NoError(t, err)
	assert.Equal(t, []int{50, exampletest.Voxels}, []int{y.Rows, y.Cols})
	assert.NotEqual(t, y.Row(20), y.Row(30))

	err = run(t.Context(), []string{"-subject", "bob", dir, story}, &printed)
	assert.Equal(t, fault.Usage, fault.KindOf(err), "bob is not in the run")
}
