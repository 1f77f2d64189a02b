//go:build slow

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
)

// NVIDIA's client of the protocol lists models and gets the features that bwlm features writes.
func TestTritonclientGetsFeatures(t *testing.T) {
	python := os.Getenv("BWLM_PEER_PYTHON")
	if python == "" || exec.Command(python, "-c", "import tritonclient.http, tritonclient.grpc").Run() != nil {
		t.Skip("BWLM_PEER_PYTHON names no Python with tritonclient[http,grpc]")
	}
	dir := t.TempDir()
	golden, err := filepath.Abs(filepath.Join(goldens, "base"))
	require.NoError(t, err)
	clip, out := filepath.Join(dir, "clip.wav"), filepath.Join(dir, "f.safetensors")
	require.NoError(t, audio.WriteWAV(clip, goldenClip(t, "base"), audio.Rate, audio.Float32))
	config := filepath.Join(dir, "serve.yaml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `
models:
  base: {model: %s, features: {layers: [2], window_seconds: 0.2, stride_seconds: 0.1}}
listen: 127.0.0.1:0
grpc: 127.0.0.1:0
admin: 127.0.0.1:0
device: cpu
`, golden), 0o600))
	code, _, stderr := call(t, "features", "--model", golden, "--layers", "2", "--windows", ".2", "--stride", ".1",
		"--out", out, "--device", "cpu", clip)
	require.Zero(t, code, stderr)
	s := startServe(t, config)
	said, err := exec.CommandContext(t.Context(), python, "../../tools/serve/check.py", s.at["http"], s.at["grpc"],
		"base",
		clip, out, "features.2").CombinedOutput()
	require.NoError(t, err, "%s", said)
	assert.Contains(t, string(said), "over HTTP")
	assert.Contains(t, string(said), "over gRPC")
	require.NoError(t, s.process.Signal(syscall.SIGTERM))
	assert.NoError(t, s.wait())
}
