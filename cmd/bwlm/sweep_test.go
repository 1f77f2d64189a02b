package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A sweep that is killed in the middle of a run, and called again, ends with the same table, to the
// byte, as one that was not. A run that diverges is a line of it.
func TestKilledSweepEndsWithTheSameTable(t *testing.T) {
	if testing.Short() {
		t.Skip("several trainings")
	}
	dir := t.TempDir()
	require.NoError(t, tinyStudy(dir))
	args := func(out string) []string {
		return []string{"sweep", filepath.Join(dir, "tiny.yaml"), "--set", "data.subjects=ada", "--vary",
			"train.lr=1e-2,1e30", "--vary", "train.seed=1,2",
			"--out", filepath.Join(dir, out)}
	}
	whole := answers(t, args("whole")...)
	assert.EqualValues(t, 1, whole["schema"])
	settings := whole["settings"].([]any)
	require.Len(t, settings, 2)
	assert.EqualValues(t, 2, settings[0].(map[string]any)["seeds"])
	assert.NotNil(t, settings[0].(map[string]any)["delta"].(map[string]any)["front"].(map[string]any)["sd"])
	assert.EqualValues(t, 2, settings[1].(map[string]any)["diverged"])

	second := filepath.Join(dir, "killed", "train.lr=1e-2__train.seed=2")
	stopAfter(t, 4, syscall.SIGKILL, second, args("killed")...)
	require.NoFileExists(t, filepath.Join(second, "eval", "summary.json"), "it was killed too late")
	first := filepath.Join(dir, "killed", "train.lr=1e-2__train.seed=1", "eval", "summary.json")
	before, err := os.Stat(first)
	require.NoError(t, err)

	answers(t, args("killed")...)
	for _, file := range []string{"sweep.csv", "sweep.json"} {
		want, err := os.ReadFile(filepath.Join(dir, "whole", file))
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(dir, "killed", file))
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got))
	}
	after, err := os.Stat(first)
	require.NoError(t, err)
	assert.Equal(t, before.ModTime(), after.ModTime(), "a finished run is not done again")

	// Other settings are not taken for the same run.
	changed := answers(t, append(args("killed"), "--set", "train.epochs=3")...)
	assert.Contains(t, changed["runs"].([]any)[0].(map[string]any)["error"], "was begun with train.epochs: 2, not 3")
}
