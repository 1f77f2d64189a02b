package experiment

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// piped gives a text as a shell's <(…) does: a path to a pipe, whose writer ends after a while.
func piped(t *testing.T, text string, after time.Duration) string {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { r.Close() })
	go func() {
		time.Sleep(after)
		_, _ = w.WriteString(text)
		w.Close()
	}()
	return fmt.Sprintf("/proc/self/fd/%d", r.Fd())
}

const small = "model: {path: wavlm}\ndata: {path: /data, subjects: ada, train: [a], val: b, test: c}\n"

func TestAnExperimentMayBeAPipe(t *testing.T) {
	here, err := os.Getwd()
	require.NoError(t, err)
	for _, after := range []time.Duration{0, 300 * time.Millisecond} {
		e, err := Load(piped(t, small, after), "out=run")
		require.NoError(t, err)
		assert.Equal(t, filepath.Join(here, "wavlm"), e.Model.Path, "relative paths mean the working directory")
		assert.Equal(t, "/data", e.Data.Path)
	}
	_, err = Load(piped(t, strings.Repeat("#", maxBytes+1), 0))
	faulttest.Require(t, fault.Usage, err, "larger than 2097152 bytes")
	_, err = Load(piped(t, strings.Repeat("#\n", 40_000)+small, 0), "out=run")
	require.NoError(t, err, "more than a pipe holds at once")
}

func TestNobodyWaitsForAPipeForever(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	path := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	begun := time.Now()
	_, err := Load(path)
	faulttest.Require(t, fault.Missing, err, path+": nothing writes to the pipe; start its writer first")
	assert.Less(t, time.Since(begun), 10*time.Second)
	_, err = LoadRun(path)
	faulttest.Require(t, fault.BadData, err, "is a pipe, want the file of a run")

	// A writer that comes late, and one that never writes.
	go func() {
		time.Sleep(patience / 5)
		_ = os.WriteFile(path, []byte(small), 0)
	}()
	_, err = Load(path, "out=run")
	require.NoError(t, err)
	silent, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	defer silent.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	time.AfterFunc(2*patience, func() { cancel(enough) })
	_, err = LoadContext(ctx, path)
	require.ErrorIs(t, err, enough)
	faulttest.Require(t, fault.Interrupted, err, path)
}

// Files that a user names may be links, as all files of a Kubernetes volume and of Hugging Face's cache are.
func TestAnExperimentMayBeALink(t *testing.T) {
	dir := t.TempDir()
	version := filepath.Join(dir, "..2026_11_29_10_00_00.1")
	require.NoError(t, os.Mkdir(version, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(version, "exp.yaml"), []byte(small), 0o644))
	require.NoError(t, os.Symlink(filepath.Base(version), filepath.Join(dir, "..data")))
	require.NoError(t, os.Symlink("..data/exp.yaml", filepath.Join(dir, "exp.yaml")))
	e, err := Load(filepath.Join(dir, "exp.yaml"), "out=run")
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(dir, "wavlm"), e.Model.Path, "relative paths mean the directory of the link")
}
