//go:build slow

package hdf5

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// peer returns a Python with h5py.
func peer(t *testing.T) string {
	python := os.Getenv("BWLM_PEER_PYTHON")
	if python == "" {
		t.Skip("BWLM_PEER_PYTHON names no Python with h5py")
	}
	if err := exec.CommandContext(t.Context(), python, "-c", "import h5py").Run(); err != nil {
		t.Skip("the Python of BWLM_PEER_PYTHON has no h5py")
	}
	return python
}

// Every layout, type, index and filter that h5py writes, and arrays of random shapes, chunks and bounds.
func TestEveryLayoutThatH5pyWrites(t *testing.T) {
	python, dir := peer(t), t.TempDir()
	seed := time.Now().Format("20060102")
	out, err := exec.CommandContext(t.Context(), python, "testdata/layouts.py", "all", dir, seed).CombinedOutput()
	require.NoError(t, err, "%s", out)
	files := checkLayouts(t, dir)
	t.Logf("seed %s: %d files", seed, files)
	assert.Greater(t, files, 450)
}

// Files of the genuine writers are read as h5py reads them.
func TestFilesOfLaboratoriesAreReadAsH5pyReadsThem(t *testing.T) {
	python, root, dir := peer(t), labfiles(t), t.TempDir()
	args := []string{"testdata/layouts.py", "save", dir}
	for _, pattern := range []string{"hdf5/*.h*5", "pytables/*.h5", "gallant/*", "old/*.h*5", "real/*.h5", "ecog/*.nwb",
		"real/pytables_matlab_file.mat", "real/scipy_testhdf5*.mat", "ds003020/derivative/*/UTS00/*.hf5"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		require.NotEmpty(t, paths, pattern)
		args = append(args, paths...)
	}
	out, err := exec.CommandContext(t.Context(), python, args...).Output()
	require.NoError(t, err)
	seen, notRead := 0, 0
	for line := range strings.Lines(string(out)) {
		path, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		_, want := numpyArray(t, filepath.Join(dir, strconv.Itoa(seen)+".npy"))
		seen++
		d := dataset(t, opened(t, path), name)
		got := make([]float64, len(want))
		if err := d.ReadRows64(0, d.Rows(), got); err != nil {
			t.Log(err)
			notRead++
			continue
		}
		equal(t, want, got, path+":"+name)
	}
	t.Logf("%d arrays of laboratories, %d of them refused", seen, notRead)
	assert.Greater(t, seen, 280)
	assert.Less(t, notRead, 20, "filters, types and what was never written")
}
