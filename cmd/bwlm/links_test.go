package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hubLayout turns a folder into one of Hugging Face's cache: dir/snapshots/HASH has links to dir/blobs. It returns the
// snapshot.
func hubLayout(t *testing.T, dir string) string {
	t.Helper()
	away, snapshot, blobs := dir+".files", filepath.Join(dir, "snapshots", "0123abcd"), filepath.Join(dir, "blobs")
	require.NoError(t, os.Rename(dir, away))
	require.NoError(t, os.MkdirAll(snapshot, 0o755))
	require.NoError(t, os.MkdirAll(blobs, 0o755))
	entries, err := os.ReadDir(away)
	require.NoError(t, err)
	for i, e := range entries {
		blob := fmt.Sprintf("%064x", i)
		require.NoError(t, os.Rename(filepath.Join(away, e.Name()), filepath.Join(blobs, blob)))
		require.NoError(t, os.Symlink("../../blobs/"+blob, filepath.Join(snapshot, e.Name())))
	}
	return snapshot
}

// volumeLayout turns a folder into one of a Kubernetes volume: files are links to ..data/FILE, and ..data is a link.
func volumeLayout(t *testing.T, dir string) {
	t.Helper()
	const version = "..2026_11_29_10_00_00.123"
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(filepath.Join(dir, version), 0o755))
	require.NoError(t, os.Symlink(version, filepath.Join(dir, "..data")))
	for _, e := range entries {
		require.NoError(t, os.Rename(filepath.Join(dir, e.Name()), filepath.Join(dir, version, e.Name())))
		require.NoError(t, os.Symlink("..data/"+e.Name(), filepath.Join(dir, e.Name())))
	}
}

// What a user names may consist of links: the experiment, the model, the data, an adapter, the run directory itself.
func TestWhatAUserNamesMayBeLinks(t *testing.T) {
	if testing.Short() {
		t.Skip("several trainings")
	}
	plain := t.TempDir()
	require.NoError(t, tinyStudy(plain))
	brief := []string{"--set", "data.train=one", "--set", "data.subjects=ada", "--set", "train.epochs=1"}
	want := answers(t, append([]string{"train", filepath.Join(plain, "tiny.yaml")}, brief...)...)

	for _, layout := range []string{"Hugging Face's cache", "a Kubernetes volume"} {
		t.Run(layout, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, tinyStudy(dir))
			model, data := filepath.Join(dir, "model"), filepath.Join(dir, "data")
			exp := filepath.Join(dir, "config")
			require.NoError(t, os.Mkdir(exp, 0o755))
			require.NoError(t, os.Rename(filepath.Join(dir, "tiny.yaml"), filepath.Join(exp, "tiny.yaml")))
			adapter := filepath.Join(dir, "adapter")
			require.NoError(t, os.CopyFS(adapter, os.DirFS(filepath.Join(plain, "run", "adapter"))))
			if layout == "a Kubernetes volume" {
				for _, d := range []string{model, data, exp, adapter} {
					volumeLayout(t, d)
				}
			} else {
				for _, d := range []*string{&model, &data, &exp, &adapter} {
					*d = hubLayout(t, *d)
				}
			}
			require.NoError(t, os.Mkdir(filepath.Join(dir, "elsewhere"), 0o755))
			run := filepath.Join(dir, "run")
			require.NoError(t, os.Symlink("elsewhere", run))

			set := append([]string{"train", filepath.Join(exp, "tiny.yaml"), "--set", "out=" + run,
				"--set", "model.path=" + model, "--set", "data.path=" + data}, brief...)
			assert.Equal(t, want, answers(t, set...))
			assert.FileExists(t, filepath.Join(dir, "elsewhere", "eval", "summary.json"))
			assert.Equal(t, want, answers(t, "resume", run))
			code, _, stderr := call(t, "report", run, "--out", filepath.Join(dir, "report.html"))
			assert.Zero(t, code, stderr)

			again := append(set, "--set", "adapter.init="+adapter, "--set", "out="+filepath.Join(dir, "again"))
			answers(t, again...)
			code, _, stderr = call(t, "merge", "--model", model, "--adapter", adapter, "--out",
				filepath.Join(dir, "merged"))
			assert.Zero(t, code, stderr)
		})
	}
}

// What bwlm keeps is never a link: one that was planted is refused by every command that would read or write it, and
// what it leads to stays as it is.
func TestPlantedLinksAreRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("a training")
	}
	dir := t.TempDir()
	require.NoError(t, tinyStudy(dir))
	run := filepath.Join(dir, "run")
	answers(t, "train", filepath.Join(dir, "tiny.yaml"), "--set", "data.train=one", "--set", "data.subjects=ada",
		"--set", "train.epochs=1")
	victim := filepath.Join(dir, "victim")
	require.NoError(t, os.WriteFile(victim, []byte("mine"), 0o600))
	for _, name := range []string{"metrics.jsonl", ".lock", "config.yaml", "manifest.json", "eval/summary.json", "eval",
		"eval/test/ada/base_r.npy", "ckpt/step-000000/state.json", "adapter/adapter_model.safetensors",
		"readout/ada.safetensors"} {
		for what, plant := range map[string]func(path string) error{
			"a link": func(path string) error { return os.Symlink(victim, path) },
			"a pipe": func(path string) error { return syscall.Mkfifo(path, 0o600) },
		} {
			path := filepath.Join(run, name)
			if _, err := os.Lstat(path); err == nil {
				require.NoError(t, os.Rename(path, path+".away"))
			}
			require.NoError(t, plant(path))
			for _, args := range [][]string{{"resume", run}, {"eval", run}, {"eval", run, "--scale", "0,1"},
				{"train", filepath.Join(dir, "tiny.yaml")}, {"eval", filepath.Join(dir, "tiny.yaml")},
				{"report", run, "--out", filepath.Join(dir, "report.html")}, {"compare", run, run},
				{"export", run, "--out", filepath.Join(dir, "maps")}} {
				if args[0] == "train" || args[0] == "eval" && strings.HasSuffix(args[1], ".yaml") {
					if name != ".lock" { // refused as it is the directory of a training
						continue
					}
				}
				code, stdout, stderr := call(t, args...)
				assert.Equal(t, 65, code, "%s at %s, %v: %s", what, name, args, stderr)
				assert.Contains(t, stderr, name+": is "+what+", want a regular file", "%v", args)
				assert.Contains(t, stderr, "remove it")
				assert.Empty(t, stdout)
			}
			require.NoError(t, os.Remove(path))
			if _, err := os.Lstat(path + ".away"); err == nil {
				require.NoError(t, os.Rename(path+".away", path))
			}
		}
	}
	text, err := os.ReadFile(victim)
	require.NoError(t, err)
	assert.Equal(t, "mine", string(text))
	assert.NoFileExists(t, filepath.Join(dir, "report.html"))
}

// opened reports whether a process holds a file open.
func opened(pid int, path string) bool {
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	return slices.ContainsFunc(links, func(link string) bool {
		to, err := os.Readlink(link)
		return err == nil && to == path
	})
}

// A command that waits for the writer of a pipe ends at the first signal.
func TestASignalEndsTheWaitForAFile(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	silent, err := os.OpenFile(pipe, os.O_RDWR, 0)
	require.NoError(t, err)
	defer silent.Close()
	for _, c := range []struct {
		signal os.Signal
		code   int
	}{{syscall.SIGTERM, 143}, {os.Interrupt, 130}} {
		cmd, said := bwlm(t, "train", pipe)
		require.NoError(t, cmd.Start())
		require.Eventually(t, func() bool { return opened(cmd.Process.Pid, pipe) }, time.Minute, 5*time.Millisecond)
		time.Sleep(1500 * time.Millisecond) // longer than a pipe may be without a writer
		require.NoError(t, cmd.Process.Signal(c.signal))
		ended := make(chan struct{})
		go func() { _ = cmd.Wait(); close(ended) }()
		select {
		case <-ended:
			assert.Equal(t, c.code, cmd.ProcessState.ExitCode(), said.String())
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
			require.Fail(t, "it waits on")
		}
	}
	// What is no experiment makes nobody wait, and a pipe in the place of another file neither.
	dir := t.TempDir()
	require.NoError(t, tinyStudy(dir))
	for name, code := range map[string]int{"data/dataset.yaml": 65, "model/config.json": 65, "data/one.wav": 65,
		"model/model.safetensors": 65, "data/ada0.txt": 65} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.Rename(path, path+".away"))
		require.NoError(t, syscall.Mkfifo(path, 0o600))
		got, _, stderr := call(t, "train", filepath.Join(dir, "tiny.yaml"))
		assert.Equal(t, code, got, "%s: %s", name, stderr)
		assert.Contains(t, stderr, name+": is a device, pipe or socket, want a file")
		require.NoError(t, os.Remove(path))
		require.NoError(t, os.Rename(path+".away", path))
	}
}

// Names are only names: no shell, no pattern and no message is misled by one.
func TestRunsWithOddNames(t *testing.T) {
	if testing.Short() {
		t.Skip("several trainings")
	}
	dir := t.TempDir()
	require.NoError(t, tinyStudy(dir))
	train := func(out string) []string {
		return []string{"train", filepath.Join(dir, "tiny.yaml"), "--set", "data.train=one", "--set",
			"data.subjects=ada", "--set", "train.epochs=1", "--set", "out=" + out}
	}
	want := answers(t, train(filepath.Join(dir, "plain"))...)
	names := []string{"é 名 ü\ntwo lines", "quote'\"$HOME;`ls`[a-z]*", strings.Repeat("x", 255)}
	if thorough {
		names = append(names, "a b", "-dash", "x.tmp.1", ".x.tmp")
	}
	for _, name := range names {
		run := filepath.Join(dir, name)
		assert.Equal(t, want, answers(t, train(quoted(run))...), name)
		assert.Equal(t, want, answers(t, "resume", run), name)
		code, _, stderr := call(t, "train", filepath.Join(dir, "tiny.yaml"), "--set", "out="+quoted(run))
		assert.Equal(t, 73, code, "%s: %s", name, stderr)
	}
	long := filepath.Join(dir, strings.Repeat(strings.Repeat("y", 250)+"/", 17))
	for _, args := range [][]string{train(long), {"resume", long}, {"eval", long}, {"train", long}} {
		code, _, stderr := call(t, args...)
		assert.Contains(t, []int{66, 73, 74}, code, stderr)
		assert.Contains(t, stderr, "file name too long")
	}

	// Permissions of a careful user, times before and after now.
	cmd, said := bwlm(t, train(filepath.Join(dir, "careful"))...)
	old := syscall.Umask(0o077)
	err := cmd.Run()
	syscall.Umask(old)
	require.NoError(t, err, said.String())
	careful := filepath.Join(dir, "careful")
	require.NoError(t, filepath.WalkDir(careful, func(path string, d fs.DirEntry, err error) error {
		info, failed := d.Info()
		require.NoError(t, failed)
		assert.Zero(t, info.Mode().Perm()&0o077, path)
		return err
	}))
	for _, at := range []time.Time{time.Unix(1, 0), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)} {
		require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			return os.Chtimes(path, at, at)
		}))
		assert.Equal(t, want, answers(t, "resume", careful), at)
	}
}

// quoted writes a path as a value of YAML.
func quoted(path string) string { return strconv.Quote(path) }
