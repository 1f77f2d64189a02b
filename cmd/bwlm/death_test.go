package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/disk"
	"github.com/brainwavlm/bwlm/internal/disk/disktest"
)

// A life is a training of a second, with the steps on the file system that it takes from its beginning to its end.
type life struct {
	dir   string // with the data; each trial has a folder of its own in it
	steps []disktest.Taken
	want  map[string]string // what a trial leaves that nothing disturbed
}

func newLife(t *testing.T) *life {
	t.Helper()
	l := &life{dir: t.TempDir()}
	require.NoError(t, tinyStudy(l.dir))
	log := filepath.Join(l.dir, "steps")
	code, said := l.train(t, 0, "train", disktest.Steps(log))
	require.Zero(t, code, said)
	l.steps = disktest.Read(t, log)
	l.want = l.left(t, 0)
	for _, name := range []string{"config.yaml", "manifest.json", "metrics.jsonl", "eval/summary.json",
		"adapter/adapter_model.safetensors", "readout/ada.safetensors", "eval/test/ada/tuned_pred.npy"} {
		require.Contains(t, l.want, name)
	}
	return l
}

// trial is the folder of a trial: the run, and a cache of its own.
func (l *life) trial(n int) string { return filepath.Join(l.dir, fmt.Sprintf("%04d", n)) }

// train runs bwlm train or resume in a trial, and returns its exit code and what it said; -1 if it was killed.
func (l *life) train(t *testing.T, n int, command string, env ...string) (int, string) {
	t.Helper()
	run := filepath.Join(l.trial(n), "run")
	args := []string{"resume", run}
	if command == "train" {
		args = []string{"train", filepath.Join(l.dir, "tiny.yaml"), "--set", "out=" + run, "--set", "data.train=one",
			"--set", "data.subjects=ada", "--set", "train.block_rows=20", "--set", "train.epochs=4",
			"--set", "train.lr=0.1", "--set", "train.readout_lr=0.1"}
	}
	cmd, said := bwlm(t, args...)
	cmd.Env = append(cmd.Env, "XDG_CACHE_HOME="+filepath.Join(l.trial(n), "cache"))
	cmd.Env = append(cmd.Env, env...)
	if err := cmd.Run(); err != nil {
		require.IsType(t, &exec.ExitError{}, err)
	}
	return cmd.ProcessState.ExitCode(), said.String()
}

// left is what a trial has left, file by file, with the trial's folder under one name. Checkpoints are not in it: the
// last removal of old ones is not done again.
func (l *life) left(t *testing.T, n int) map[string]string {
	t.Helper()
	files := map[string]string{}
	run := filepath.Join(l.trial(n), "run")
	require.NoError(t, filepath.WalkDir(run, func(path string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		rel, err := filepath.Rel(run, path)
		require.NoError(t, err)
		assert.False(t, atomicfile.Unfinished(d.Name(), d.IsDir()), "%s is left behind", rel)
		if d.IsDir() || strings.HasPrefix(rel, "ckpt") {
			return nil
		}
		text, err := os.ReadFile(path)
		files[rel] = string(bytes.ReplaceAll(text, []byte(l.trial(n)), []byte("TRIAL")))
		return err
	}))
	return files
}

// same compares what a trial left with what it should have.
func (l *life) same(t *testing.T, n int, about string) {
	t.Helper()
	got := l.left(t, n)
	for name, text := range l.want {
		assert.True(t, got[name] == text, "%s: %s differs", about, name)
	}
	assert.Len(t, got, len(l.want), about)
}

// describe names a step, from 1.
func (l *life) describe(n int) string {
	s := l.steps[n-1]
	rel, _ := filepath.Rel(l.trial(0), s.Path)
	return fmt.Sprintf("step %d of %d, %s %s", n, len(l.steps), s.Op, rel)
}

// die kills a training before step n and has it taken up by a command: the same one, or resume if there is a
// config.yaml.
func (l *life) die(t *testing.T, n, trial int, with string) {
	t.Helper()
	about := l.describe(n)
	code, said := l.train(t, trial, "train", disktest.DieAt(n))
	require.Equal(t, -1, code, "%s: %s", about, said)
	if _, err := os.Stat(filepath.Join(l.trial(trial), "run", "config.yaml")); err != nil {
		if with == "resume" && n > 1 {
			code, said = l.train(t, trial, "resume")
			assert.Equal(t, int(fault.Missing), code, "%s: %s", about, said)
		}
		with = "train"
	}
	code, said = l.train(t, trial, with)
	require.Zero(t, code, "%s, then %s: %s", about, with, said)
	l.same(t, trial, about+", then "+with)
	require.NoError(t, os.RemoveAll(l.trial(trial)))
}

// fail lets steps fail from step n on, or that one alone: the training comes to its end or says that it could not
// write, and once the disk is well the same command comes to the same end.
func (l *life) fail(t *testing.T, n, trial int, errno syscall.Errno, always bool) {
	t.Helper()
	about := fmt.Sprintf("%s: %v (always: %t)", l.describe(n), errno, always)
	code, said := l.train(t, trial, "train", disktest.FailAt(n, errno, always))
	require.Contains(t, []int{0, int(fault.IO)}, code, "%s: %s", about, said)
	if code != 0 {
		assert.Contains(t, said, errno.Error(), about)
	}
	_, err := os.Lstat(filepath.Join(l.trial(trial), "run", ".lock")) // is left where it could not be removed
	if code != 0 || err == nil {
		code, said = l.train(t, trial, "train")
		require.Zero(t, code, "%s, then again: %s", about, said)
	}
	l.same(t, trial, about)
	require.NoError(t, os.RemoveAll(l.trial(trial)))
}

// first returns the number of the kth step of a kind on a path that contains a text; 0: there is none.
func (l *life) first(op disk.Op, path string, k int) int {
	for i, s := range l.steps {
		if s.Op == op && strings.Contains(s.Path, path) {
			if k--; k <= 0 {
				return i + 1
			}
		}
	}
	return 0
}

// last is [life.first] from the end.
func (l *life) last(op disk.Op, path string) (n int) {
	for i, s := range l.steps {
		if s.Op == op && strings.Contains(s.Path, path) {
			n = i + 1
		}
	}
	return n
}

// A training that dies is taken up by the same command: one death for each kind of step. All steps are in
// death_slow_test.go.
func TestDeathAtEveryKindOfStep(t *testing.T) {
	if testing.Short() {
		t.Skip("many trainings")
	}
	l := newLife(t)
	t.Logf("%d steps", len(l.steps))
	for i, c := range []struct {
		op   disk.Op
		path string
		k    int // the kth such step
		with string
	}{
		{disk.OpMkdir, "/run", 1, "train"},
		{disk.OpWrite, "/.config.yaml.", 2, "resume"},
		{disk.OpRename, "/config.yaml", 1, "train"},
		{disk.OpRename, "/ckpt/step-000000", 5, "resume"}, // whose files are renamed before it
		{disk.OpWrite, "/metrics.jsonl", 7, "train"},      // half a line, after the first checkpoint
		{disk.OpRemove, "/ckpt/step-", 2, "resume"},       // an old checkpoint
		{disk.OpSync, "/adapter.tmp.", 1, "train"},
		{disk.OpCreate, "/eval/test/ada/.tuned_pred.npy", 1, "resume"},
		{disk.OpRemove, "/.lock", 1, "train"},
	} {
		n := l.first(c.op, c.path, c.k)
		require.NotZero(t, n, "no step %s %s", c.op, c.path)
		l.die(t, n, i+1, c.with)
	}
	code, said := l.train(t, 0, "train")
	assert.Equal(t, int(fault.Exists), code, "one that has come to its end is not begun again: %s", said)
	l.same(t, 0, "a finished training")
}

func TestADiskThatIsFull(t *testing.T) {
	if testing.Short() {
		t.Skip("several trainings")
	}
	l := newLife(t)
	for i, c := range []struct {
		op     disk.Op
		path   string
		errno  syscall.Errno
		always bool
		last   bool // the last step of its kind, instead of the first
	}{
		{disk.OpCreate, "/cache/", syscall.ENOSPC, true, false}, // all of it
		{disk.OpWrite, "/metrics.jsonl", syscall.ENOSPC, false, false},
		{disk.OpSync, "/ckpt/step-000002.tmp", syscall.EIO, false, false},
		{disk.OpRename, "/readout", syscall.ENOSPC, true, false},
		{disk.OpSync, "/run/eval", syscall.EIO, false, true}, // the summary has its name already
		{disk.OpSync, "/run/eval", syscall.EIO, true, true},
		{disk.OpRemove, "/.lock", syscall.EIO, false, true},
	} {
		n := l.first(c.op, c.path, 1)
		if c.last {
			n = l.last(c.op, c.path)
		}
		require.NotZero(t, n, "no step %s %s", c.op, c.path)
		l.fail(t, n, i+1, c.errno, c.always)
	}
}

// What a name stands for is on the disk before the name is: a file or folder is synced between its last change and its
// renaming, and the folder that holds the name is synced before anything else is renamed or removed there.
func TestNamesFollowTheirContent(t *testing.T) {
	if testing.Short() {
		t.Skip("a training")
	}
	l := newLife(t)
	renamed := 0
	for i, s := range l.steps {
		if strings.Contains(s.Path, "/cache/") || s.Op != disk.OpRename { // entries of the cache have a checksum
			continue
		}
		renamed++
		dir, name := filepath.Split(s.Path)
		temp := func(path string) bool {
			rest, ok := strings.CutPrefix(path, dir)
			first, _, _ := strings.Cut(rest, "/")
			return ok && (strings.HasPrefix(first, "."+name+".") || strings.HasPrefix(first, name+".tmp."))
		}
		changed, synced := -1, -1
		for k, before := range l.steps[:i] {
			switch {
			case !temp(before.Path):
			case before.Op == disk.OpSync:
				synced = k
			default:
				changed = k
			}
		}
		assert.Greater(t, synced, changed, "%s is renamed before it is synced", s.Path)
		next := slices.IndexFunc(l.steps[i+1:], func(s disktest.Taken) bool { return s.Op != disk.OpSync })
		after := l.steps[i+1 : i+1+max(next, 0)]
		assert.Contains(t, after, disktest.Taken{Op: disk.OpSync, Path: filepath.Clean(dir)}, s.Path)
	}
	assert.Greater(t, renamed, 20)

	// A checkpoint refers to lines of metrics.jsonl, and old ones go when the new one is there.
	saved := l.first(disk.OpRename, "/ckpt/step-000006", 5)
	require.Equal(t, "step-000006", filepath.Base(l.steps[saved-1].Path))
	lines, removed := 0, 0
	for i, s := range l.steps {
		switch {
		case s.Op == disk.OpWrite && strings.HasSuffix(s.Path, "/metrics.jsonl") && i < saved:
			lines = i
		case s.Op == disk.OpRemove && strings.Contains(s.Path, "/ckpt/"):
			removed = cmp.Or(removed, i)
		}
	}
	assert.True(t, slices.ContainsFunc(l.steps[lines:saved], func(s disktest.Taken) bool {
		return s.Op == disk.OpSync && strings.HasSuffix(s.Path, "/metrics.jsonl")
	}), "metrics.jsonl is synced before the checkpoint")
	assert.Greater(t, removed, saved, "old checkpoints are removed after the new one is synced")
}
