package rundir_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/rundir"
)

// An evaluation that is refused leaves no directory behind, and one that is done keeps its own.
func TestAReservedDirectoryWithoutScoresGoesAgain(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "run")
	r, err := rundir.Reserve(dir)
	require.NoError(t, err)
	require.DirExists(t, dir)
	require.NoError(t, r.Close())
	require.NoDirExists(t, dir)

	r, err = rundir.Reserve(dir)
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(r.File("eval"), 0o755))
	require.NoError(t, r.Close())
	require.DirExists(t, filepath.Join(dir, "eval"))

	empty := filepath.Join(parent, "mine")
	require.NoError(t, os.Mkdir(empty, 0o755))
	r, err = rundir.Reserve(empty)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	require.DirExists(t, empty, "it was there before")
}
