package main

import (
	"bytes"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/disk"
	"github.com/brainwavlm/bwlm/internal/disk/disktest"
	"github.com/brainwavlm/bwlm/internal/slowtest"
)

// faultTimeout is how long ranks wait for one another.
var faultTimeout = 2 * time.Minute

// A company is a training that several processes share.
type company struct {
	dir  string // with the data
	more []string
	env  map[int]string // by rank
}

func newCompany(t *testing.T, more ...string) *company {
	t.Helper()
	c := &company{dir: t.TempDir(), more: append([]string{"--set", "train.unit_windows=5", "--set",
		"train.block_rows=8", "--set", "train.lr=0.01", "--set", "train.dropout=0.1"}, more...), env: map[int]string{}}
	require.NoError(t, tinyStudy(c.dir))
	t.Setenv(columnsVariable, "16") // so that there are several blocks of voxels
	return c
}

// start starts bwlm train in several processes, or in one as without ranks.
func (c *company) start(t *testing.T, run string, world int, ofRank ...string) (ranks []*exec.Cmd,
	said []*strings.Builder) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	require.NoError(t, l.Close())
	for rank := range world {
		args := append([]string{"train", filepath.Join(c.dir, "tiny.yaml"), "--set",
			"out=" + filepath.Join(c.dir, run)}, c.more...)
		if rank < len(ofRank) && ofRank[rank] != "" {
			args = append(args, "--set", ofRank[rank])
		}
		cmd, text := bwlm(t, args...)
		if world > 1 {
			cmd.Env = append(cmd.Env, "RANK="+strconv.Itoa(rank), "WORLD_SIZE="+strconv.Itoa(world),
				"MASTER_ADDR=127.0.0.1", "MASTER_PORT="+strconv.Itoa(port), "BWLM_DIST_TIMEOUT="+faultTimeout.String(),
				"TORCHELASTIC_ERROR_FILE="+filepath.Join(c.dir, fmt.Sprintf("%s.error%d", run, rank)), c.env[rank])
		}
		require.NoError(t, cmd.Start())
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		ranks, said = append(ranks, cmd), append(said, text)
	}
	return ranks, said
}

// codes waits for processes and returns their exit codes, -1 of a killed one.
func codes(ranks []*exec.Cmd) (out []int) {
	for _, cmd := range ranks {
		_ = cmd.Wait()
		out = append(out, cmd.ProcessState.ExitCode())
	}
	return out
}

// train runs a training to its end.
func (c *company) train(t *testing.T, run string, world int) {
	t.Helper()
	ranks, said := c.start(t, run, world)
	assert.Equal(t, make([]int, world), codes(ranks), "%s", said)
	for rank, text := range said {
		if rank > 0 {
			assert.Empty(t, text.String(), "rank %d is quiet", rank)
		}
	}
}

// after waits until a run has a number of lines in metrics.jsonl.
func (c *company) after(t *testing.T, run string, lines int, said []*strings.Builder) {
	t.Helper()
	require.Eventually(t, func() bool {
		data, _ := os.ReadFile(filepath.Join(c.dir, run, "metrics.jsonl"))
		return bytes.Count(data, []byte{'\n'}) >= lines
	}, 2*time.Minute, 2*time.Millisecond, "%s", said)
}

// results are what a run leaves, with its name under another.
func (c *company) results(t *testing.T, run string) map[string]string {
	t.Helper()
	files := resultFiles(t, filepath.Join(c.dir, run))
	require.Contains(t, files, "adapter/adapter_model.safetensors")
	return files
}

func TestRanksTrainAsOneProcess(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	worlds := []int{2}
	if slowtest.Thorough {
		worlds = []int{2, 4}
	}
	c := newCompany(t, "--set", "train.epochs=2", "--set", "data.subjects=all")
	c.train(t, "one", 1)
	want := c.results(t, "one")
	for _, world := range worlds {
		run := fmt.Sprintf("of%d", world)
		c.train(t, run, world)
		sameResults(t, want, filepath.Join(c.dir, run))
	}
}

func TestRanksAddUpInAnyOrder(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	c := newCompany(t, "--set", "train.epochs=1")
	c.train(t, "in order", 2)
	want := c.results(t, "in order")
	c.more = append(c.more, "--fast-sums")
	c.train(t, "any order", 2)
	got := c.results(t, "any order")
	assert.ElementsMatch(t, slices.Collect(maps.Keys(want)), slices.Collect(maps.Keys(got)))
	manifest, err := os.ReadFile(filepath.Join(c.dir, "any order", "manifest.json"))
	require.NoError(t, err)
	assert.Contains(t, string(manifest), "2 ranks added gradients up in any order")
}

func TestRanksThatAreKilledOrStoppedContinueInAnotherNumber(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	c := newCompany(t, "--set", "train.epochs=6")
	c.train(t, "whole", 1)
	want := c.results(t, "whole")

	ranks, said := c.start(t, "broken", 2)
	c.after(t, "broken", 3, said)
	require.NoError(t, ranks[1].Process.Kill())
	assert.Equal(t, []int{int(fault.Temporary), -1}, codes(ranks), "%s", said)
	assert.Contains(t, said[0].String(), fmt.Sprintf("lost rank 1 (process %d", ranks[1].Process.Pid))
	assert.NoFileExists(t, filepath.Join(c.dir, "broken.error0"), "rank 0 did not fail by itself")

	ranks, said = c.start(t, "broken", 2)
	c.after(t, "broken", 10, said)
	require.NoError(t, ranks[1].Process.Signal(syscall.SIGTERM))
	assert.Equal(t, []int{int(fault.Terminated), int(fault.Terminated)}, codes(ranks), "%s", said)
	c.train(t, "broken", 1)
	sameResults(t, want, filepath.Join(c.dir, "broken"))
}

// The disk of rank 1 is full: for one file in the middle, which costs a checkpoint, and from the first file on, which
// ends both. The others tell the error of that rank, and a training that continues has the bytes of an unbroken one.
func TestTheDiskOfOneRankIsFull(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	c := newCompany(t, "--set", "train.epochs=2")
	c.train(t, "whole", 1) // which also makes copies of the responses, as no later one does
	want := c.results(t, "whole")
	log := filepath.Join(c.dir, "steps")
	c.env[1] = disktest.Steps(log)
	c.train(t, "logged", 2)
	steps := disktest.Read(t, log)
	middle := slices.IndexFunc(steps[len(steps)/2:], func(s disktest.Taken) bool { return s.Op == disk.OpWrite })
	require.Positive(t, middle)

	c.env[1] = disktest.FailAt(1+len(steps)/2+middle, syscall.ENOSPC, false)
	ranks, said := c.start(t, "once", 2)
	assert.Equal(t, []int{0, 0}, codes(ranks), "%s", said)
	for _, text := range said {
		assert.Contains(t, text.String(), "no space left on device")
		assert.Contains(t, text.String(), "the checkpoint of epoch 1 is not saved, the run continues")
	}
	sameResults(t, want, filepath.Join(c.dir, "once"))

	c.env[1] = disktest.FailAt(1, syscall.ENOSPC, true)
	ranks, said = c.start(t, "full", 2)
	assert.Equal(t, []int{int(fault.Temporary), int(fault.IO)}, codes(ranks), "%s", said)
	assert.Contains(t, said[0].String(), fmt.Sprintf("rank 1 (process %d", ranks[1].Process.Pid))
	for _, text := range said {
		assert.Contains(t, text.String(), "no space left on device; free some space")
	}
	assert.FileExists(t, filepath.Join(c.dir, "full.error1"))
	assert.NoFileExists(t, filepath.Join(c.dir, "full.error0"), "rank 0 did not fail by itself")
	c.env = nil
	c.train(t, "full", 2)
	sameResults(t, want, filepath.Join(c.dir, "full"))
}

func TestRanksOfOtherSettingsAreRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	c := newCompany(t)
	ranks, said := c.start(t, "other", 2, "train.seed=1", "train.seed=2")
	assert.Equal(t, []int{int(fault.BadData), int(fault.BadData)}, codes(ranks))
	for _, text := range said {
		assert.Contains(t, text.String(), "rank 1: has train.seed: 2, rank 0 has train.seed: 1")
	}
	assert.NoDirExists(t, filepath.Join(c.dir, "other"))
}
