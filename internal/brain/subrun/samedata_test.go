package subrun

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/rundir"
)

func TestRunsOfOneTableHaveOneStateOfTheData(t *testing.T) {
	dir := t.TempDir()
	run := func(name string, inputs ...results.ManifestInput) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.Mkdir(path, 0o755))
		require.NoError(t, jsonfile.Write(filepath.Join(path, rundir.ManifestOfRun), &results.Manifest{Inputs: inputs}))
		return path
	}
	in := func(path, sum string) results.ManifestInput { return results.ManifestInput{Path: path, SHA256: sum} }
	a := run("a", in("/data/x.npy", "11"), in("/data/y.npy", "22"))
	b := run("b", in("/data/y.npy", "22"), in("/data/z.npy", "33"))
	c := run("c", in("/data/z.npy", "34"))
	require.NoError(t, SameData("sweep", []string{a, b, filepath.Join(dir, "nothing")}))
	require.NoError(t, SameData("sweep", []string{a, c}))
	faulttest.Require(t, fault.BadData, SameData("sweep", []string{a, b, c}),
		"sweep: /data/z.npy: changed between the runs "+b+" (SHA-256 33…) and "+c+" (34…)")
}
