package rerun

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/npy"
)

func TestManifestsDifferByWhatChangesResults(t *testing.T) {
	was := &results.Manifest{Versions: map[string]string{"bwlm": "v1", "go": "1.26"}, Threads: 2, Base: "aa",
		Inputs:     []results.ManifestInput{{Path: "/a/x.npy", SHA256: "11"}, {Path: "/a/y.npy", SHA256: "22"}},
		Provenance: &results.Provenance{CPU: "one"}}
	is := *was
	assert.Empty(t, Differences(was, &is))
	is.Inputs = []results.ManifestInput{{Path: "/b/x.npy", SHA256: "11"}, {Path: "/b/y.npy", SHA256: "22"}}
	assert.Empty(t, Differences(was, &is), "the same files in another place")
	is.Versions, is.Threads = map[string]string{"bwlm": "v1", "libtorch": "2.15.0"}, 4
	is.Provenance = &results.Provenance{CPU: "two", Dirty: true}
	is.Inputs = []results.ManifestInput{{Path: "/b/x.npy", SHA256: "11"}, {Path: "/b/y.npy", SHA256: "33"},
		{Path: "/b/z.npy", SHA256: "44"}}
	assert.Equal(t, []Difference{
		{"version of go", "1.26", "", false},
		{"version of libtorch", "", "2.15.0", false},
		{"threads", "2", "4", false},
		{"processor", "one", "two", false},
		{"changes in the tree of the program", "false", "true", false},
		{"/a/y.npy", "22", "33", true},
		{"/b/z.npy", "", "44", true},
	}, Differences(was, &is))
	is.Provenance = nil
	is.Base = "bb"
	assert.Contains(t, Differences(was, &is), Difference{"base model", "aa", "bb", true})
}

func TestOutcomesCompareFilesAndScores(t *testing.T) {
	run := func(r []float32) string {
		dir := t.TempDir()
		test := filepath.Join(dir, "eval", "test", "ada")
		for _, d := range []string{test, filepath.Join(dir, "readout")} {
			require.NoError(t, os.MkdirAll(d, 0o755))
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, "metrics.jsonl"), []byte("{}\n"), 0o644))
		require.NoError(t, npy.Write(filepath.Join(test, "base_r.npy"), []int{len(r)}, r))
		return dir
	}
	a := run([]float32{.5, .25, 0})
	o, err := Compare(a, run([]float32{.5, .25, 0}))
	require.NoError(t, err)
	assert.Equal(t, &Outcome{Identical: true, Files: 2}, o)
	o, err = Compare(a, run([]float32{.5, .125, 0}))
	require.NoError(t, err)
	assert.Equal(t, &Outcome{Files: 2, Differ: []string{"eval/test/ada/base_r.npy"}, LargestR: .125}, o)
	_, err = Compare(t.TempDir(), a)
	assert.Error(t, err)
}
