package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/filetest"
)

func TestUnfinishedFilesOfARunAreNamed(t *testing.T) {
	dir := t.TempDir()
	assert.Empty(t, unfinishedIn(dir))
	for _, name := range []string{"config.yaml", "metrics.jsonl", ".lock", "eval/.summary.json.00af.tmp",
		"ckpt/step-000003/state.json", "a.tmpl"} {
		filetest.Put(t, dir, name, "x")
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "ckpt", "step-000004.tmp.77"), 0o755))
	assert.Equal(t, []string{"ckpt/step-000004.tmp.77", "eval/.summary.json.00af.tmp"}, unfinishedIn(dir))
}

func TestSeveralRunsAreContinuedByTheSameCommand(t *testing.T) {
	var a app
	a.leavesRuns("out")
	assert.Equal(t, "finished runs below out are kept, and the other one up to its newest checkpoint; "+
		"continue with the same command", a.left.text())
}
