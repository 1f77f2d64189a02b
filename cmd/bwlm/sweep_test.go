package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sweepOf is a sweep of the tiny study in a folder, over two rates, of which one diverges, and two seeds.
func sweepOf(dir, out string, more ...string) []string {
	return append([]string{"sweep", filepath.Join(dir, "tiny.yaml"), "--set", "data.subjects=ada", "--vary",
		"train.lr=1e-2,1e30", "--vary", "train.seed=1,2", "--out", filepath.Join(dir, out)}, more...)
}

// Two processes share the runs of a sweep. One is killed in the middle of a run, which the other takes over: it writes
// the same table, to the byte, as a single process that was not killed. A run that diverges is a line of it.
func TestTwoSweepsOnOneFolder(t *testing.T) {
	if testing.Short() {
		t.Skip("several trainings")
	}
	dir := t.TempDir()
	require.NoError(t, tinyStudy(dir))
	whole := answers(t, sweepOf(dir, "whole")...)
	assert.EqualValues(t, 2, whole["schema"])
	assert.EqualValues(t, 2, whole["configurations"])
	settings := whole["settings"].([]any)
	require.Len(t, settings, 2)
	best := settings[0].(map[string]any)
	assert.EqualValues(t, 1, best["rank"])
	assert.EqualValues(t, 2, best["seeds"])
	assert.NotNil(t, best["delta"].(map[string]any)["front"].(map[string]any)["sd"])
	assert.EqualValues(t, 2, settings[1].(map[string]any)["diverged"])

	runs := []string{"train.lr=1e-2__train.seed=1", "train.lr=1e-2__train.seed=2", "train.lr=1e30__train.seed=1",
		"train.lr=1e30__train.seed=2"}
	first := filepath.Join(dir, "shared", runs[0])
	held, _ := bwlm(t, sweepOf(dir, "shared")...)
	require.NoError(t, held.Start())
	until(t, func() bool { return linesOf(first) >= 4 })
	require.NoError(t, held.Process.Signal(syscall.SIGSTOP)) // it keeps the lock
	require.NoFileExists(t, filepath.Join(first, "tuning.json"), "it was stopped too late")
	other, _ := bwlm(t, append(sweepOf(dir, "shared"), "--json")...)
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	defer log.Close()
	said := func() string {
		text, err := os.ReadFile(log.Name())
		require.NoError(t, err)
		return string(text)
	}
	var answer bytes.Buffer
	other.Stdout, other.Stderr = &answer, log
	require.NoError(t, other.Start())
	const waits = "waiting: 1 of 4 at work in other processes, nothing else is left\n"
	until(t, func() bool { return strings.Contains(said(), waits) })
	require.FileExists(t, filepath.Join(dir, "shared", runs[1], "tuning.json"))
	require.FileExists(t, filepath.Join(dir, "shared", runs[3], "failed.json"))
	require.NoFileExists(t, filepath.Join(dir, "shared", "sweep.json"))
	require.NoError(t, held.Process.Kill())
	_ = held.Wait()
	require.NoError(t, other.Wait(), said())
	for _, line := range []string{"run 2 of 4: " + runs[1] + " (1 more at work in other processes)\n", waits,
		"run 1 of 4: " + runs[0] + "\n", "test rows of run 1 of 2: " + runs[0] + "\n"} {
		assert.Contains(t, said(), line)
	}
	assert.Contains(t, answer.String(), `{"schema":2,`)
	sameFiles(t, filepath.Join(dir, "whole"), filepath.Join(dir, "shared"), "sweep.csv", "sweep.json")

	// What is finished is not done again; the test rows of all are read on demand, and each read has its line.
	before, err := os.Stat(filepath.Join(first, "eval", "summary.json"))
	require.NoError(t, err)
	reads := filepath.Join(dir, "shared", "test_reads.jsonl")
	assert.Equal(t, 2, lines(t, reads))
	more := answers(t, sweepOf(dir, "shared", "--reveal")...)
	after, err := os.Stat(filepath.Join(first, "eval", "summary.json"))
	require.NoError(t, err)
	assert.Equal(t, before.ModTime(), after.ModTime())
	assert.Equal(t, true, more["revealed"])
	assert.Equal(t, 2, lines(t, reads), "the other setting has no model")

	// Other settings are not taken for the same sweep.
	code, _, stderr := call(t, sweepOf(dir, "shared", "--set", "train.epochs=3")...)
	assert.Equal(t, 73, code)
	assert.Contains(t, stderr, "the sweep was begun with train.epochs: 2, not 3")
}

// until waits for something that happens in seconds.
func until(t *testing.T, so func() bool) {
	t.Helper()
	require.Eventually(t, so, 3*time.Minute, 5*time.Millisecond)
}

// linesOf counts the lines of metrics of a run.
func linesOf(run string) int {
	data, _ := os.ReadFile(filepath.Join(run, "metrics.jsonl"))
	return bytes.Count(data, []byte{'\n'})
}

func lines(t *testing.T, file string) int {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	return bytes.Count(data, []byte{'\n'})
}

// sameFiles compares files of two folders.
func sameFiles(t *testing.T, want, got string, names ...string) {
	t.Helper()
	for _, name := range names {
		a, err := os.ReadFile(filepath.Join(want, name))
		require.NoError(t, err)
		b, err := os.ReadFile(filepath.Join(got, name))
		require.NoError(t, err)
		assert.Equal(t, string(a), string(b), name)
	}
}

// A sweep of which a run was made before the data changed, and another one after: their scores cannot be compared.
func TestASweepOverDataThatChangedIsRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("three trainings")
	}
	dir := t.TempDir()
	require.NoError(t, tinyStudy(dir))
	out := filepath.Join(dir, "sweep")
	args := []string{"sweep", filepath.Join(dir, "tiny.yaml"), "--set", "train.epochs=1", "--set", "data.subjects=ada",
		"--vary", "train.seed=1,2", "--out", out}
	code, _, stderr := call(t, args...)
	require.Zero(t, code, stderr)
	runs, err := filepath.Glob(filepath.Join(out, "train.*"))
	require.NoError(t, err)
	require.Greater(t, len(runs), 1)
	require.NoError(t, os.RemoveAll(runs[1]))
	path := filepath.Join(dir, "data", "ada0.txt")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append([]byte("# again\n"), text...), 0o644))
	code, _, stderr = call(t, args...)
	assert.Equal(t, 65, code, stderr)
	assert.Contains(t, stderr, "bwlm: sweep: "+path+": changed between the runs "+runs[0])
}
