//go:build slow

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/serve"
)

// NVIDIA's and KServe's clients of the protocol list models, and get the features that bwlm features writes and the
// predictions that bwlm predict writes.
func TestPublicClientsGetFeaturesAndPredictions(t *testing.T) {
	python := os.Getenv("BWLM_SERVE_PYTHON")
	if python == "" {
		t.Skip("BWLM_SERVE_PYTHON names no Python with what tools/serve/requirements.txt lists")
	}
	dir := t.TempDir()
	golden, err := filepath.Abs(filepath.Join(goldens, "base"))
	require.NoError(t, err)
	clip, features := filepath.Join(dir, "clip.wav"), filepath.Join(dir, "f.safetensors")
	require.NoError(t, audio.WriteWAV(clip, goldenClip(t, "base"), audio.Rate, audio.Float32))
	require.NoError(t, tinyStudy(dir))
	run, predicted := filepath.Join(dir, "run"), filepath.Join(dir, "p.safetensors")
	story := filepath.Join(dir, "data", "test.wav")
	for _, args := range [][]string{
		{"features", "--model", golden, "--layers", "2", "--windows", ".2", "--stride", ".1", "--out", features,
			"--device", "cpu", clip},
		{"train", filepath.Join(dir, "tiny.yaml"), "--set", "readout.mode=ridge", "--set", "train.epochs=1", "--set",
			"out=" + run},
		{"predict", run, story, "--subject", "bob", "--out", predicted},
	} {
		cmd, stderr := bwlm(t, args...)
		require.NoError(t, cmd.Run(), stderr)
	}
	sum, err := serve.Digest(run)
	require.NoError(t, err)
	config := filepath.Join(dir, "serve.yaml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `
models:
  base: {model: %s, features: {layers: [2], window_seconds: 0.2, stride_seconds: 0.1}}
  alias: {run: %s, subject: bob, sha256: %s}
listen: 127.0.0.1:0
grpc: 127.0.0.1:0
admin: 127.0.0.1:0
device: cpu
`, golden, run, sum), 0o600))
	s := startServe(t, config)
	for _, args := range [][]string{{"base", clip, features, "features.2"},
		{"alias", story, predicted, "predictions"}} {
		for _, client := range []string{"tritonclient", "kserve"} { // one process cannot import both
			said, err := exec.CommandContext(t.Context(), python, append([]string{"../../tools/serve/check.py", client,
				s.at["http"], s.at["grpc"]}, args...)...).CombinedOutput()
			require.NoError(t, err, "%s", said)
			assert.Equal(t, 2, strings.Count(string(said), client+" gets "+args[3]), "%s", said)
		}
	}
	require.NoError(t, s.process.Signal(syscall.SIGTERM))
	assert.NoError(t, s.wait())
}
