package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFoldsAreEachATrainingAndGoOnAfterAnInterruption(t *testing.T) {
	if testing.Short() {
		t.Skip("several trainings")
	}
	dir := t.TempDir()
	require.NoError(t, tinyStudy(dir))
	file := filepath.Join(dir, "tiny.yaml")
	train := func(out string, more ...string) []string {
		return append([]string{"train", file, "--set", "eval.folds=stories", "--set", "out=" + filepath.Join(dir, out)},
			more...)
	}
	want := answers(t, train("whole")...)
	list := want["folds"].([]any)
	require.Len(t, list, 4)
	sum := 0.
	var stories []string
	for _, f := range list {
		fold := f.(map[string]any)
		stories = append(stories, fold["story"].(string))
		sum += fold["delta"].(map[string]any)["[all voxels]"].(float64)
	}
	assert.Equal(t, []string{"one", "two", "val", "test"}, stories)
	mean := want["delta"].(map[string]any)["[all voxels]"].(map[string]any)
	assert.InDelta(t, sum/4, mean["mean_r"], 1e-12)
	assert.NotNil(t, mean["ci95"], "an interval over four stories")
	assert.FileExists(t, filepath.Join(dir, "whole", "folds.json"))

	// A fold is the training with its splits.
	alone := answers(t, "train", file, "--set", "data.train=[two, val]", "--set", "data.val=one", "--set",
		"out="+filepath.Join(dir, "alone"))
	last := list[3].(map[string]any)
	test := alone["test"].(map[string]any)
	assert.Equal(t, test["base"].(map[string]any)["mean_r"], last["base"])
	assert.Equal(t, test["tuned"].(map[string]any)["mean_r"], last["tuned"])

	// Stopped in the second fold, the same command continues and finds the same.
	code, stderr := stopAfter(t, 3, os.Interrupt, filepath.Join(dir, "stopped", "folds", "two"), train("stopped")...)
	assert.Equal(t, 130, code, stderr)
	assert.Contains(t, stderr, "continue with the same command")
	assert.NoDirExists(t, filepath.Join(dir, "stopped", "folds", "val"))
	assert.Equal(t, want, answers(t, train("stopped")...))

	code, stdout, stderr := call(t, train("whole")...)
	require.Zero(t, code, stderr)
	assert.NotContains(t, stderr, "tune", "all folds are there already")
	assert.Regexp(t, `(?m)^one +34 +[-0-9.]+ +[-0-9.]+ +[-0-9.]+ +[-+0-9.]+ +\d$`, stdout)
	assert.Regexp(t, `(?m)^Δr, all voxels +[-+0-9.]+ +\[[-+0-9.]+, [-+0-9.]+\]$`, stdout)
	code, _, stderr = call(t, train("whole", "--set", "train.lr=1e-3")...)
	assert.Equal(t, 73, code, stderr)
	assert.Contains(t, stderr, "was begun with train.lr: 0.01, not 0.001")
}

func TestFoldsThatCannotBe(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	dir := t.TempDir()
	require.NoError(t, tinyStudy(dir))
	file := filepath.Join(dir, "tiny.yaml")
	for want, c := range map[string]struct {
		code int
		args string
	}{
		"story val is listed twice":        {65, "train FILE --set data.test=val"},
		"test[4:30] are rows of a story":   {2, `train FILE --set data.test=["test[4:30]"]`},
		"are for one run":                  {2, "train FILE --tensorboard board"},
		"the folds are trained and scored": {2, "eval FILE"},
	} {
		args := strings.Fields(strings.Replace(c.args, "FILE", file, 1))
		code, _, stderr := call(t, append(args, "--set", "eval.folds=stories", "--set", "out="+
			filepath.Join(dir, "out"))...)
		assert.Equal(t, c.code, code, stderr)
		assert.Contains(t, stderr, want)
	}
	code, stdout, stderr := call(t, "plan", file, "--set", "eval.folds=stories")
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "4, each a training of its own")
	assert.NotContains(t, stdout, "No interval over stories")
}
