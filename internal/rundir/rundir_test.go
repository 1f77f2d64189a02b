package rundir_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/disk"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/rundir"
)

// begun makes a run with a config.yaml.
func begun(t *testing.T) *rundir.Run {
	t.Helper()
	run, err := rundir.Create(filepath.Join(t.TempDir(), "run"))
	require.NoError(t, err)
	t.Cleanup(func() { run.Close() })
	require.NoError(t, os.WriteFile(run.File(rundir.ConfigFile), nil, 0o644))
	return run
}

// progress is where a training of epochs of two blocks stands after its last epoch; best is the chosen one.
func progress(epochs, best int) rundir.Progress {
	p := rundir.Progress{Format: rundir.CheckpointFormat, Epoch: epochs, Step: 2 * epochs, Best: best,
		BestStep: 2 * best}
	for i := range epochs + 1 {
		p.Epochs = append(p.Epochs, results.Epoch{Epoch: i, Step: 2 * i})
	}
	return p
}

// save logs the lines of an epoch and saves its checkpoint.
func save(t *testing.T, run *rundir.Run, p rundir.Progress) error {
	t.Helper()
	var err error
	type step struct {
		Step  int    `json:"step"`
		Story string `json:"story"`
	}
	for i := p.Step - 1; p.Step > 0 && i <= p.Step; i++ {
		_, err = run.Log(step{i, "one"})
		require.NoError(t, err)
	}
	p.Metrics, err = run.Log(p.Epochs[p.Epoch])
	require.NoError(t, err)
	return run.Save(rundir.Checkpoint{Progress: p, Tensors: []ckpt.Tensor{ckpt.NewTensor("a", []int{1},
		[]float32{float32(p.Step)})}})
}

func steps(t *testing.T, run *rundir.Run) []int {
	t.Helper()
	out, err := run.Steps()
	require.NoError(t, err)
	return out
}

func TestTheBestAndTheNewestTwoCheckpointsAreKept(t *testing.T) {
	for _, best := range []int{0, 1, 3, 5} {
		run := begun(t)
		for e := range 6 {
			require.NoError(t, save(t, run, progress(e, min(best, e))))
			_, f, err := run.Open(2 * min(best, e))
			require.NoError(t, err, "the best of epoch %d", e)
			require.NoError(t, f.Close())
		}
		want := []int{2 * best, 8, 10}
		slices.Sort(want)
		require.Equal(t, slices.Compact(want), steps(t, run), "best %d", best)
	}
}

// Whatever step of a save a process dies at: the checkpoint before or the new one is sound, and so is the best.
func TestASoundCheckpointIsAlwaysThere(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	defer func() { disk.Step = nil }()
	died := errors.New("died")
	for n := 1; ; n++ {
		run := begun(t)
		for e := range 4 {
			require.NoError(t, save(t, run, progress(e, min(e, 1))))
		}
		require.Equal(t, []int{2, 4, 6}, steps(t, run))
		k := 0
		var last string
		disk.Step = func(op disk.Op, path string) error { // the disk keeps the state of the death
			if k++; k < n+3 { // after the lines of metrics.jsonl
				return nil
			}
			if k == n+3 {
				last = fmt.Sprint(op, " ", path)
			}
			return died
		}
		p := progress(4, 1)
		p.Metrics = 1
		err := run.Save(rundir.Checkpoint{Progress: p,
			Tensors: []ckpt.Tensor{ckpt.NewTensor("a", []int{1}, []float32{8})}})
		disk.Step = nil
		found, f, failed := run.Newest(func(err error) { t.Errorf("at %s: %v", last, err) })
		require.NoError(t, failed, last)
		require.NoError(t, f.Close())
		require.Contains(t, []int{6, 8}, found.Step, last)
		_, f, failed = run.Open(2)
		require.NoError(t, failed, "the best, at %s", last)
		require.NoError(t, f.Close())
		if err == nil {
			require.Greater(t, n, 20)
			require.Equal(t, []int{2, 6, 8}, steps(t, run))
			return
		}
	}
}

// A manifest that does not list the two files of a checkpoint, each once, is none: the checkpoint before is taken, and
// without one nothing is begun anew.
func TestManifestsOfStrangersAreRefused(t *testing.T) {
	run := begun(t)
	for e := range 2 {
		require.NoError(t, save(t, run, progress(e, 0)))
	}
	path := run.File("ckpt/step-000002/MANIFEST.json")
	sound, err := os.ReadFile(path)
	require.NoError(t, err)
	var entries []rundir.ManifestEntry
	require.NoError(t, jsonfile.Read("read it", path, &entries))
	tensors, state := entries[0], entries[1]
	named := func(e rundir.ManifestEntry, name string) rundir.ManifestEntry { e.Name = name; return e }
	larger := state
	larger.Bytes = 1 << 40
	for what, list := range map[string][]rundir.ManifestEntry{
		"nothing": nil, "one file": {tensors}, "a file twice": {tensors, tensors},
		"a file too many":  {tensors, state, named(state, "MANIFEST.json")},
		"a duplicate":      {tensors, state, state},
		"a way out":        {tensors, named(state, "../step-000000/state.json")},
		"an absolute path": {tensors, named(state, "/etc/passwd")},
		"a device":         {tensors, named(state, "/dev/zero")},
		"another size":     {tensors, larger},
		"another hash":     {tensors, {Name: state.Name, Bytes: state.Bytes, SHA256: tensors.SHA256}},
	} {
		require.NoError(t, jsonfile.Write(path, list))
		_, _, err := run.Open(2)
		faulttest.Require(t, fault.BadData, err, "read checkpoint: "+run.File("ckpt/step-000002"))
		warned := 0
		p, f, err := run.Newest(func(error) { warned++ })
		require.NoError(t, err, what)
		require.NoError(t, f.Close())
		require.Zero(t, p.Step, what)
		require.Equal(t, 1, warned, what)
	}
	require.NoError(t, os.WriteFile(run.File("ckpt/step-000000/MANIFEST.json"), nil, 0o644))
	_, _, err = run.Newest(func(error) {})
	faulttest.Require(t, fault.BadData, err, "no checkpoint can be read")
	require.NoError(t, os.WriteFile(path, sound, 0o644))
	_, f, err := run.Newest(func(error) {})
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func TestRewindCutsWhatWillBeDoneAgain(t *testing.T) {
	run := begun(t)
	for e := range 3 {
		require.NoError(t, save(t, run, progress(e, 0)))
	}
	whole, err := os.ReadFile(run.File("metrics.jsonl"))
	require.NoError(t, err)
	p, f, err := run.Open(4)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.EqualValues(t, len(whole), p.Metrics)

	// A process that died in the third epoch left a line, half of one, a checkpoint in the making, and one that is
	// spoilt.
	_, err = run.Log(map[string]any{"step": 5, "story": "one"})
	require.NoError(t, err)
	file, err := os.OpenFile(run.File("metrics.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = file.WriteString(`{"step":6,"sto`)
	require.NoError(t, errors.Join(err, file.Close()))
	require.NoError(t, os.MkdirAll(run.File("ckpt/step-000006.tmp.1/sub"), 0o755))
	require.NoError(t, os.MkdirAll(run.File("ckpt/step-000006"), 0o755))

	require.NoError(t, run.Rewind(*p, 5, 2))
	left, err := os.ReadFile(run.File("metrics.jsonl"))
	require.NoError(t, err)
	require.Equal(t, string(whole), string(left))
	entries, err := os.ReadDir(run.File("ckpt"))
	require.NoError(t, err)
	require.Len(t, entries, 3)

	require.NoError(t, run.Rewind(rundir.Progress{}, 0, 0), "to the beginning")
	left, err = os.ReadFile(run.File("metrics.jsonl"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestWhatADeathLeavesBeforeConfigIsTaken(t *testing.T) {
	for name, made := range map[string][]string{
		"nothing": nil, "an empty directory": {"."}, "a lock": {".lock"}, "a manifest": {".lock", "manifest.json"},
		"half a manifest":                      {".lock", ".manifest.json.00ff.tmp"},
		"half a config":                        {".lock", "manifest.json", ".config.yaml.00ff.tmp"},
		"half the scores of the untuned model": {".lock", "eval/test/ada/base_r.npy", "eval/test/.layout.json.1.tmp"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			for _, f := range made {
				require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, f)), 0o755))
				if f != "." {
					require.NoError(t, os.WriteFile(filepath.Join(dir, f), []byte("half"), 0o644))
				}
			}
			if slices.Contains(made, "manifest.json") {
				_, err := rundir.Open(dir)
				faulttest.Require(t, fault.Missing, err, "open run: "+dir, "ended before it had begun", "train again")
			}
			require.False(t, rundir.Interrupted(dir))
			run, err := rundir.Create(dir)
			require.NoError(t, err)
			require.True(t, run.Fresh())
			require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				assert.False(t, strings.HasSuffix(path, ".tmp"), path)
				return err
			}))
			require.NoError(t, run.Close())
		})
	}
	for _, foreign := range []string{"notes.txt", "metrics.jsonl", "ckpt/step-000000/x"} {
		dir := t.TempDir()
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, foreign)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, foreign), nil, 0o644))
		_, err := rundir.Create(dir)
		top, _, _ := strings.Cut(foreign, "/")
		faulttest.Require(t, fault.Exists, err, "create run: "+dir+": holds "+top, "choose another out, or empty")
		require.NoFileExists(t, filepath.Join(dir, ".lock"))
	}
}

func TestInterrupted(t *testing.T) {
	run := begun(t)
	require.True(t, rundir.Interrupted(run.Dir), "at work")
	require.NoError(t, run.Close())
	require.True(t, rundir.Interrupted(run.Dir), "no scores")
	summary := func(epochs []results.Epoch) {
		require.NoError(t, os.MkdirAll(run.File("eval"), 0o755))
		require.NoError(t, jsonfile.Write(run.File("eval/summary.json"), results.Summary{Epochs: epochs}))
	}
	summary(nil)
	require.True(t, rundir.Interrupted(run.Dir), "scores of the untuned model")
	summary(progress(2, 1).Epochs)
	require.False(t, rundir.Interrupted(run.Dir), "at its end")
	require.NoError(t, os.WriteFile(run.File(".lock"), nil, 0o600))
	require.True(t, rundir.Interrupted(run.Dir), "a process died in it")
	again, err := rundir.Open(run.Dir)
	require.NoError(t, err)
	require.False(t, again.Fresh())
	require.NoError(t, again.Close())
	require.False(t, rundir.Interrupted(run.Dir))
}

// What somebody put in the place of a file of a run is refused by all that open the run, before anything is changed; it
// is not followed, and nobody waits for it.
func TestNoLinkInARunIsFollowed(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	names := []string{".lock", "config.yaml", "manifest.json", "metrics.jsonl", "ckpt", "ckpt/step-000002",
		"ckpt/step-000002/MANIFEST.json", "ckpt/step-000002/state.json", "ckpt/step-000002/tensors.safetensors",
		"eval", "eval/summary.json", "eval/test", "eval/test/ada/base_r.npy", "adapter", "adapter/adapter_config.json",
		"readout/ada.safetensors", "model/config.json", "controls/random/summary.json", "epochs/1", "features/epoch-1",
		"profile.json"}
	for _, name := range names {
		for what, plant := range map[string]func(victim, path string) error{
			"a link to a file": os.Symlink,
			"a link to a link": func(victim, path string) error {
				return errors.Join(os.Symlink(victim, victim+".link"), os.Symlink(victim+".link", path))
			},
			"a dangling link": func(victim, path string) error { return os.Symlink(victim+".nowhere", path) },
			"a link to a folder": func(victim, path string) error {
				return os.Symlink(filepath.Dir(victim), path)
			},
			"a pipe": func(_, path string) error { return syscall.Mkfifo(path, 0o600) },
		} {
			run := begun(t)
			for e := range 2 {
				require.NoError(t, save(t, run, progress(e, 0)))
			}
			require.NoError(t, run.Close())
			outside := t.TempDir()
			victim, path := filepath.Join(outside, "victim"), run.File(name)
			require.NoError(t, os.WriteFile(victim, []byte("mine"), 0o600))
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.RemoveAll(path))
			require.NoError(t, plant(victim, path))
			lines := func() string {
				if name == "metrics.jsonl" { // a pipe would make this test wait
					return ""
				}
				text, err := os.ReadFile(run.File("metrics.jsonl"))
				require.NoError(t, err)
				return string(text)
			}
			before := lines()

			refused := func(open func(string) (*rundir.Run, error)) {
				_, err := open(run.Dir)
				faulttest.Require(t, fault.BadData, err, path, "want a ", "remove it, or put a copy")
				require.ErrorContains(t, err, "is "+strings.Join(strings.Fields(what)[:2], " "), name)
			}
			if what == "a dangling link" {
				what = "a link that leads nowhere"
			}
			refused(rundir.Open)
			require.Equal(t, before, lines())
			for _, e := range []string{"config.yaml", "ckpt", "metrics.jsonl"} { // as before a training
				if e != name && !strings.HasPrefix(name, e+"/") {
					require.NoError(t, os.RemoveAll(run.File(e)))
				}
			}
			if name == "config.yaml" { // it counts as a training
				_, err := rundir.Reserve(run.Dir)
				faulttest.Require(t, fault.Exists, err, "holds a training")
			} else {
				refused(rundir.Reserve)
			}
			if name == ".lock" || name == "manifest.json" || strings.HasPrefix(name, "eval") {
				refused(rundir.Create)
			}
			text, err := os.ReadFile(victim)
			require.NoError(t, err)
			require.Equal(t, "mine", string(text), "%s %s", name, what)
			if name != ".lock" {
				_, err = os.Lstat(run.File(".lock"))
				require.ErrorIs(t, err, fs.ErrNotExist)
			}
		}
	}
}
