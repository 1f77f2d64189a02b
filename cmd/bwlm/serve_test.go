package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/internal/ckpt"
)

// A server from its file to SIGTERM: its features are those of bwlm features, and it ends with 0.
func TestServe(t *testing.T) {
	if testing.Short() {
		t.Skip("processes that load models")
	}
	dir := t.TempDir()
	golden, err := filepath.Abs(filepath.Join(goldens, "base"))
	require.NoError(t, err)
	clip := filepath.Join(dir, "clip.wav")
	require.NoError(t, audio.WriteWAV(clip, goldenClip(t, "base"), audio.Rate, audio.Float32))
	config := filepath.Join(dir, "serve.yaml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `
models:
  base: {model: %s, features: {layers: [2], window_seconds: 0.2, stride_seconds: 0.1}}
listen: 127.0.0.1:0
admin: 127.0.0.1:0
device: cpu
`, golden), 0o600))

	c := startServe(t, config)
	body, err := os.ReadFile(clip)
	require.NoError(t, err)
	text, err := json.Marshal(map[string]any{"inputs": []any{map[string]any{"name": "audio", "datatype": "BYTES",
		"shape": []int{1}, "data": [][]byte{body}}}})
	require.NoError(t, err)
	answer, err := http.Post("http://"+c.at["http"]+"/v2/models/base/infer", "application/json", bytes.NewReader(text))
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, 200, answer.StatusCode)
	var got struct {
		Outputs []struct {
			Name string
			Data []float32
		}
	}
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&got))
	require.Equal(t, "features.2", got.Outputs[1].Name)

	out := filepath.Join(dir, "f.safetensors")
	code, _, stderr := call(t, "features", "--model", golden, "--layers", "2", "--windows", ".2", "--stride", ".1",
		"--out", out, "--device", "cpu", clip)
	require.Zero(t, code, stderr)
	f, err := ckpt.Open(out)
	require.NoError(t, err)
	defer f.Close()
	want, err := f.Float32("features.2")
	require.NoError(t, err)
	require.Len(t, got.Outputs[1].Data, len(want))
	largest, off := float32(0), float32(0)
	for i, v := range want {
		largest, off = max(largest, v, -v), max(off, v-got.Outputs[1].Data[i], got.Outputs[1].Data[i]-v)
	}
	assert.LessOrEqual(t, off, 1e-5*largest)

	answer, err = http.Post("http://"+c.at["admin"]+"/reload", "", nil)
	require.NoError(t, err)
	answer.Body.Close()
	assert.Equal(t, 200, answer.StatusCode)
	http.DefaultClient.CloseIdleConnections()
	require.NoError(t, c.process.Signal(syscall.SIGTERM))
	assert.NoError(t, c.wait())
	assert.NotContains(t, c.logs.String(), dir, "logs name no files")
	assert.Contains(t, c.logs.String(), "SIGTERM", "the note on the signal")
	for line := range strings.Lines(c.logs.String()) {
		var said struct{ Time, Level, Msg string }
		require.NoError(t, json.Unmarshal([]byte(line), &said), line)
		assert.NotEmpty(t, said.Time+said.Level+said.Msg, line)
	}
}

// server is a process of bwlm serve.
type server struct {
	process *os.Process
	at      map[string]string // addresses
	logs    *strings.Builder
	wait    func() error
}

// startServe starts a server and waits until it listens.
func startServe(t *testing.T, config string) *server {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	c := exec.CommandContext(t.Context(), self)
	c.Args = []string{"bwlm", "serve", config}
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	c.Stderr = writer
	require.NoError(t, c.Start())
	writer.Close()
	t.Cleanup(func() { _ = c.Process.Kill() })
	s := &server{process: c.Process, at: map[string]string{}, logs: &strings.Builder{}}
	lines := bufio.NewReader(io.TeeReader(reader, s.logs))
	for {
		line, err := lines.ReadString('\n')
		require.NoError(t, err, s.logs.String())
		var said map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &said), line)
		if said["msg"] == "listening" {
			for _, key := range []string{"http", "grpc", "admin"} {
				s.at[key], _ = said[key].(string)
			}
			break
		}
	}
	rest := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, lines)
		close(rest)
	}()
	s.wait = func() error {
		err := c.Wait()
		<-rest
		return err
	}
	return s
}
