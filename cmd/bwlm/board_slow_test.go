//go:build slow

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A training that is stopped three times shows each step once, as TensorBoard reads it, and ends
// like one that nobody watched.
func TestTensorBoardReadsATraining(t *testing.T) {
	python := os.Getenv("BWLM_PEER_PYTHON")
	if python == "" {
		t.Skip("BWLM_PEER_PYTHON names no Python with tensorboard")
	}
	dir := t.TempDir()
	require.NoError(t, tinyStudy(dir))
	train := func(run string, more ...string) []string {
		return append([]string{"train", filepath.Join(dir, "tiny.yaml"), "--set", "train.epochs=12", "--set",
			"out=" + run}, more...)
	}
	whole, run, board := filepath.Join(dir, "whole"), filepath.Join(dir, "run"), filepath.Join(dir, "board")
	answers(t, train(whole)...)
	stopAfter(t, 10, os.Kill, run, train(run, "--tensorboard", board)...)
	stopAfter(t, 30, syscall.SIGTERM, run, "resume", run, "--tensorboard", board)
	stopAfter(t, 60, os.Kill, run, "resume", run, "--tensorboard", board)
	answers(t, "resume", run, "--tensorboard", board)
	answers(t, "resume", run, "--tensorboard", board) // a finished one leaves nothing more
	said, err := exec.CommandContext(t.Context(), python, "../../tools/board/check.py", board, run).CombinedOutput()
	require.NoError(t, err, "%s", said)
	assert.Contains(t, string(said), "72 steps and 13 epochs from 4 files")
	sameResults(t, resultFiles(t, whole), run)
}
