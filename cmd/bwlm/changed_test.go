package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A run meets the data that it was trained on: responses, recordings and dataset.yaml that changed since are refused by
// every command that reads them, before the run's scores are touched.
func TestARunIsRefusedByDataThatChanged(t *testing.T) {
	if testing.Short() {
		t.Skip("a training; make test runs it")
	}
	dir := t.TempDir()
	require.NoError(t, tinyStudy(dir))
	run := filepath.Join(dir, "run")
	answers(t, "train", filepath.Join(dir, "tiny.yaml"), "--set", "train.epochs=1")
	scores := func() string {
		text, err := os.ReadFile(filepath.Join(run, "eval", "summary.json"))
		require.NoError(t, err)
		return string(text)
	}
	before := scores()
	for name, change := range map[string]func(text []byte) []byte{
		"ada3.txt":     func(text []byte) []byte { return bytes.Replace(text, []byte("1"), []byte("2"), 1) },
		"val.wav":      func(text []byte) []byte { text[2000] ^= 1; return text },
		"dataset.yaml": func(text []byte) []byte { return append(text, "# row_time: 0.5\n"...) },
	} {
		path := filepath.Join(dir, "data", name)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, change(bytes.Clone(text)), 0o644))
		commands := [][]string{{"eval", run}}
		if name == "ada3.txt" {
			commands = append(commands, []string{"eval", run, "--scale", "1"}, []string{"probe", run, "--layers", "0"},
				[]string{"variance-partition", run}, []string{"controls", run, "--only", "envelope"},
				[]string{"resume", run})
		}
		for _, args := range commands {
			code, stdout, stderr := call(t, args...)
			assert.Equal(t, 65, code, "%s, %v: %s", name, args, stderr)
			assert.Contains(t, stderr, path, "%v", args)
			assert.Empty(t, stdout)
		}
		assert.Equal(t, before, scores(), "the scores stay")
		code, _, stderr := call(t, "eval", run)
		assert.Equal(t, 65, code)
		assert.Contains(t, stderr, "if you know what changed, accept it with --allow-changed data")
		require.NoError(t, os.WriteFile(path, text, 0o644))
	}
	code, _, stderr := call(t, "eval", run)
	require.Zero(t, code, stderr)
	assert.Equal(t, before, scores(), "as it was")

	file, err := os.OpenFile(filepath.Join(dir, "data", "dataset.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = file.WriteString("# a remark\n")
	require.NoError(t, err)
	require.NoError(t, file.Close())
	allowed := answers(t, "eval", run, "--allow-changed", "data")
	assert.Contains(t, fmt.Sprint(allowed["notes"]), "CHANGED DATA, allowed: open run: "+
		filepath.Join(dir, "data", "dataset.yaml"))
	code, _, stderr = call(t, "eval", run, "--allow-changed", "base")
	assert.Equal(t, 65, code, stderr)
}
