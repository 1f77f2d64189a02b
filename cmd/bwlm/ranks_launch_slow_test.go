//go:build slow

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

// childrenNamed returns the processes below one whose first argument ends in a name.
func childrenNamed(t *testing.T, parent int, name string) (pids []int) {
	t.Helper()
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", parent, parent))
	for field := range strings.FieldsSeq(string(text)) {
		pid, err := strconv.Atoi(field)
		require.NoError(t, err)
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if first, _, _ := bytes.Cut(line, []byte{0}); filepath.Base(string(first)) == name {
			pids = append(pids, pid)
		}
		pids = append(pids, childrenNamed(t, pid, name)...)
	}
	return pids
}

// PyTorch's launcher starts ranks, and starts them anew when one is killed: the training ends as an unbroken one.
func TestTorchrunStartsRanksAnew(t *testing.T) {
	python := os.Getenv("BWLM_PEER_PYTHON")
	if python == "" {
		t.Skip("BWLM_PEER_PYTHON names no Python with torch")
	}
	program, err := exec.LookPath("bwlm")
	require.NoError(t, err)
	c := newCompany(t, "--set", "train.epochs=6")
	c.train(t, "whole", 1)
	want := c.results(t, "whole")

	args := append([]string{"-m", "torch.distributed.run", "--no-python", "--standalone", "--nproc-per-node", "2",
		"--max-restarts", "2", "--monitor-interval", "0.2", program, "train", filepath.Join(c.dir, "tiny.yaml"),
		"--set", "out=" + filepath.Join(c.dir, "launched")}, c.more...)
	cmd := exec.Command(python, args...)
	said := &strings.Builder{}
	cmd.Stdout, cmd.Stderr = said, said
	cmd.Env = append(os.Environ(), "OMP_NUM_THREADS=1", "BWLM_DIST_TIMEOUT=2m")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	c.after(t, "launched", 6, []*strings.Builder{said})
	ranks := childrenNamed(t, cmd.Process.Pid, "bwlm")
	require.Len(t, ranks, 2)
	require.NoError(t, syscall.Kill(ranks[1], syscall.SIGKILL))
	require.NoError(t, cmd.Wait(), said.String())
	sameResults(t, want, filepath.Join(c.dir, "launched"))
	assert.Contains(t, said.String(), "holds this training, interrupted: continuing it")
	assert.Contains(t, said.String(), "failed (exitcode: -9) local_rank: 1", "the one that was killed is named")
}

// twoHosts makes two network namespaces that reach each other, and returns their names and addresses.
func twoHosts(t *testing.T) (names, addresses [2]string) {
	t.Helper()
	run := func(args ...string) {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Skipf("no network namespaces here: ip %s: %v: %s", strings.Join(args, " "), err, out)
		}
	}
	id := os.Getpid()
	ends := [2]string{fmt.Sprintf("bwa%d", id), fmt.Sprintf("bwb%d", id)}
	for i := range names {
		names[i], addresses[i] = fmt.Sprintf("bwlm%d-%d", id, i), fmt.Sprintf("10.213.7.%d", i+1)
		run("netns", "add", names[i])
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", names[i]).Run() })
	}
	run("link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
	for i, name := range names {
		run("link", "set", ends[i], "netns", name)
		run("-n", name, "addr", "add", addresses[i]+"/24", "dev", ends[i])
		run("-n", name, "link", "set", ends[i], "up")
		run("-n", name, "link", "set", "lo", "up")
	}
	return names, addresses
}

// Ranks on two hosts, which are network namespaces, train as one process does. When their link is cut in the middle,
// both end within the timeout, and the training continues.
func TestRanksOnTwoHosts(t *testing.T) {
	names, addresses := twoHosts(t)
	c := newCompany(t, "--set", "train.epochs=6")
	c.train(t, "whole", 1)
	want := c.results(t, "whole")
	start := func(run string) (ranks []*exec.Cmd, said []*strings.Builder) {
		for rank, name := range names {
			inner, text := bwlm(t, append([]string{"train", filepath.Join(c.dir, "tiny.yaml"), "--set",
				"out=" + filepath.Join(c.dir, run)}, c.more...)...)
			program, err := exec.LookPath("bwlm")
			require.NoError(t, err)
			cmd := exec.Command("ip", append([]string{"netns", "exec", name, program}, inner.Args[1:]...)...)
			cmd.Env = append(inner.Env, "RANK="+strconv.Itoa(rank), "WORLD_SIZE=2", "MASTER_ADDR="+addresses[0],
				"MASTER_PORT=29500", "BWLM_DIST_TIMEOUT=10s")
			cmd.Stderr = text
			require.NoError(t, cmd.Start())
			t.Cleanup(func() { _ = cmd.Process.Kill() })
			ranks, said = append(ranks, cmd), append(said, text)
		}
		return ranks, said
	}
	ranks, said := start("two")
	require.Equal(t, []int{0, 0}, codes(ranks), "%s", said)
	sameResults(t, want, filepath.Join(c.dir, "two"))

	ranks, said = start("cut")
	c.after(t, "cut", 4, said)
	begun := time.Now()
	out, err := exec.Command("ip", "-n", names[1], "link", "set", fmt.Sprintf("bwb%d", os.Getpid()),
		"down").CombinedOutput()
	require.NoError(t, err, string(out))
	for rank, code := range codes(ranks) {
		assert.Equal(t, int(fault.Temporary), code, "rank %d: %s", rank, said[rank])
	}
	assert.Less(t, time.Since(begun), 40*time.Second)
	c.train(t, "cut", 1)
	sameResults(t, want, filepath.Join(c.dir, "cut"))
}
