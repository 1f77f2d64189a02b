package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/torch"
)

// longCall is a trial command: operations of libtorch that take seconds each, as decompositions do in a large ridge.
func longCall(c *cobra.Command, _ []string) error {
	return torch.Infer(c.Context(), func(s *torch.Scope) error {
		x := s.Uniform(-1, 1, 1500, 1500)
		fmt.Fprintln(os.Stderr, "ready")
		for range 1000 {
			x.Scoped(func(x *torch.Tensor) *torch.Tensor { _, v := x.Eigh(); return v })
		}
		return nil
	})
}

// The first signal does not wait for the operation to be acknowledged, and ends the command after it.
func TestASignalInALongCallEndsAfterIt(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	cmd, said := process(t, "long")
	time.Sleep(100 * time.Millisecond) // into the call
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	sent := time.Now()
	assert.Eventually(t, func() bool { return strings.Contains(said(), "SIGTERM: finishing this step") },
		10*time.Second, time.Millisecond)
	_ = cmd.Wait()
	assert.Equal(t, 143, cmd.ProcessState.ExitCode())
	assert.Less(t, time.Since(sent), time.Minute, "one operation, not all")
}

// The second one does not wait for the operation.
func TestASecondSignalEndsALongCallAtOnce(t *testing.T) {
	cmd, _ := process(t, "long")
	time.Sleep(100 * time.Millisecond)
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	time.Sleep(20 * time.Millisecond)
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	_ = cmd.Wait()
	assert.Equal(t, 130, cmd.ProcessState.ExitCode())
}

// What nohup and a shell's background jobs ignore stays ignored.
func TestIgnoredSignalsStayIgnored(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), "sh", "-c", `trap "" HUP INT; exec -a bwlm "$0" wait`, self)
	if _, err := exec.LookPath("bash"); err == nil {
		cmd.Path, cmd.Args[0] = "/bin/bash", "bash"
	}
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	buf := make([]byte, 100)
	_, err = stderr.Read(buf)
	require.NoError(t, err)
	for _, s := range []os.Signal{syscall.SIGHUP, os.Interrupt} {
		require.NoError(t, cmd.Process.Signal(s))
	}
	time.Sleep(300 * time.Millisecond)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM), "it goes on")
	_ = cmd.Wait()
	assert.Equal(t, 143, cmd.ProcessState.ExitCode())
}

// Ctrl-Z and fg: a training that is stopped and continued ends like one that was not.
func TestAStoppedTrainingContinues(t *testing.T) {
	if testing.Short() {
		t.Skip("two trainings")
	}
	dir := t.TempDir()
	require.NoError(t, tinyStudy(dir))
	args := func(run string) []string {
		return []string{"train", filepath.Join(dir, "tiny.yaml"), "--set", "out=" + run}
	}
	whole, run := filepath.Join(dir, "whole"), filepath.Join(dir, "stopped")
	answers(t, args(whole)...)
	cmd, said := bwlm(t, args(run)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a group of its own, as a shell gives a job
	require.NoError(t, cmd.Start())
	lines := func() int {
		data, _ := os.ReadFile(filepath.Join(run, "metrics.jsonl"))
		return bytes.Count(data, []byte{'\n'})
	}
	require.Eventually(t, func() bool { return lines() >= 3 }, time.Minute, 2*time.Millisecond, said)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTSTP))
	state := func() string {
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", cmd.Process.Pid))
		_, rest, _ := strings.Cut(string(stat), ") ")
		return rest[:min(1, len(rest))]
	}
	require.Eventually(t, func() bool { return state() == "T" }, 10*time.Second, 5*time.Millisecond, state())
	before := lines()
	time.Sleep(200 * time.Millisecond)
	assert.Equal(t, before, lines(), "it stands still")
	require.NoError(t, cmd.Process.Signal(syscall.SIGCONT))
	require.NoError(t, cmd.Wait(), said)
	sameResults(t, resultFiles(t, whole), run)
}

// As process 1 of a container bwlm ends in order, although the kernel gives process 1 no default actions.
func TestSignalsEndProcessOneInOrder(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	for s, want := range map[syscall.Signal]int{syscall.SIGTERM: 143, syscall.SIGINT: 130} {
		cmd := exec.CommandContext(t.Context(), self)
		cmd.Args = []string{"bwlm", "wait"}
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
		stderr, err := cmd.StderrPipe()
		require.NoError(t, err)
		if err := cmd.Start(); err != nil {
			t.Skipf("no namespace of processes here: %v", err)
		}
		_, err = stderr.Read(make([]byte, 100))
		require.NoError(t, err)
		require.NoError(t, cmd.Process.Signal(s))
		_ = cmd.Wait()
		assert.Equal(t, want, cmd.ProcessState.ExitCode(), s)
	}
}
