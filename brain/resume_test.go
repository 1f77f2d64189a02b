package brain

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
)

// resumed is the training that is interrupted in these tests: two people, everything random switched on.
func resumed(dir, out string) *experiment.Experiment {
	e := tinyExperiment(dir)
	e.Data.Subjects = []string{"ada", "bob"}
	e.Train.Dropout, e.Train.LayerDrop, e.Train.SpecAugment, e.Adapter.Dropout = .1, .1, .1, .1
	e.Out = out
	return e
}

// trainOnce begins or resumes the training of an experiment, as a process of its own would, and scores it.
func trainOnce(ctx context.Context, e *experiment.Experiment, opt Options) error {
	st, err := openTiny(ctx, e, tinySpec(), opt)
	if err != nil {
		return err
	}
	defer st.Close()
	run, err := OpenRun(e.Out)
	if fault.KindOf(err) == fault.Missing {
		run, err = st.Begin(ctx)
	}
	if err != nil {
		return err
	}
	defer run.Close()
	if _, err := st.Fit(ctx, run); err != nil {
		return err
	}
	_, err = st.EvaluateRun(ctx, run)
	return err
}

// trainChild is trainOnce in the run directory of the test that started this process.
func trainChild(out string) error {
	fmt.Println("started")
	return trainOnce(context.Background(), resumed(filepath.Dir(out), out), Options{})
}

// outcome is what a run left, file by file; the checkpoints are left out.
func outcome(t *testing.T, out string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(out, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(out, path)
		require.NoError(t, err)
		if top, _, _ := strings.Cut(rel, "/"); top == "ckpt" || top == configFile || top == manifestOfRun {
			return nil // the first may differ in what is kept, the others name the directory
		}
		data, err := os.ReadFile(path)
		files[rel] = string(data)
		return err
	}))
	return files
}

// unbroken trains without a stop and gives the directory with the model, and the outcome.
func unbroken(t *testing.T) (dir string, want map[string]string) {
	t.Helper()
	dir = t.TempDir()
	require.NoError(t, tinyModel(t.Context(), filepath.Join(dir, "model")))
	out := filepath.Join(dir, "unbroken")
	require.NoError(t, trainOnce(t.Context(), resumed(dir, out), Options{}))
	want = outcome(t, out)
	for _, name := range []string{"metrics.jsonl", "eval/summary.json", "adapter/adapter_model.safetensors", "readout/bob.safetensors", "eval/test/ada/tuned_pred.npy"} {
		require.Contains(t, want, name)
	}
	return dir, want
}

func same(t *testing.T, want map[string]string, out string, why ...any) {
	t.Helper()
	got := outcome(t, out)
	for name, data := range want {
		assert.True(t, got[name] == data, "%s differs; %v", name, fmt.Sprint(why...))
	}
	assert.Len(t, got, len(want), fmt.Sprint(why...))
}

var errStop = errors.New("enough")

// stopAt cancels a context with errStop at the nth event of a phase.
func stopAt(ctx context.Context, phase string, n int) (context.Context, func(Event)) {
	ctx, cancel := context.WithCancelCause(ctx)
	seen := 0
	return ctx, func(e Event) {
		if e.Phase == phase {
			if seen++; seen == n {
				cancel(errStop)
			}
		}
	}
}

func TestStoppedRunsEndAlike(t *testing.T) {
	dir, want := unbroken(t)
	steps := []int{4, 6} // within an epoch, and at its end
	if thorough {
		steps = []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	}
	for _, step := range steps {
		out := filepath.Join(dir, fmt.Sprint("stop", step))
		ctx, watch := stopAt(t.Context(), "tune", step)
		require.ErrorIs(t, trainOnce(ctx, resumed(dir, out), Options{Progress: watch}), errStop)
		require.NoDirExists(t, filepath.Join(out, "adapter"), "not finished")
		require.NoError(t, trainOnce(t.Context(), resumed(dir, out), Options{}))
		same(t, want, out, "stopped at step ", step)
	}
	// In the reading that ends an epoch, also the very first; there are three stories, so four events each time.
	events := []int{1}
	if thorough {
		events = []int{1, 3, 5, 7, 9, 11}
	}
	for _, event := range events {
		out := filepath.Join(dir, fmt.Sprint("validate", event))
		ctx, watch := stopAt(t.Context(), "validate", event)
		require.ErrorIs(t, trainOnce(ctx, resumed(dir, out), Options{Progress: watch}), errStop)
		require.NoError(t, trainOnce(t.Context(), resumed(dir, out), Options{}))
		same(t, want, out, "stopped at validation event ", event)
	}
	// Again and again, every few steps.
	out := filepath.Join(dir, "often")
	stops, every := 0, 5
	if thorough {
		every = 2
	}
	for ; ; stops++ {
		ctx, cancel := context.WithCancelCause(t.Context())
		steps := 0
		err := trainOnce(ctx, resumed(dir, out), Options{Progress: func(e Event) {
			if e.Phase == "tune" {
				if steps++; steps == every {
					cancel(errStop)
				}
			}
		}})
		if err == nil {
			break
		}
		require.ErrorIs(t, err, errStop)
		require.Less(t, stops, 20)
	}
	assert.GreaterOrEqual(t, stops, 12/every-1)
	same(t, want, out, "stopped often")

	require.NoError(t, trainOnce(t.Context(), resumed(dir, out), Options{}), "a finished run is scored again")
	same(t, want, out, "resumed after its end")
}

// Every way to train goes on to the bit: what it keeps beside weights and optimizer is in the checkpoint.
func TestEveryStrategyGoesOnAlike(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, tinyModel(t.Context(), filepath.Join(dir, "model")))
	cases := []struct {
		name, phase string
		event       int // of the phase, at which the run is stopped
		change      func(*experiment.Experiment)
	}{
		{"full", "tune", 9, func(e *experiment.Experiment) { e.Train.Mode, e.Train.LR = "full", 1e-3 }},
		{"guard", "tune", 8, func(e *experiment.Experiment) { e.Train.RetainROI, e.Train.RetainWeight = []string{"front"}, 5 }},
		{"guard, before its first checkpoint", "validate", 3, func(e *experiment.Experiment) { e.Train.RetainROI = []string{"front"} }},
		{"balanced", "tune", 8, func(e *experiment.Experiment) { e.Data.ROIBalance, e.Train.Loss = []string{"front"}, "temporal" }},
		{"pinned", "tune", 8, func(e *experiment.Experiment) { e.Readout.Mode = "ridge" }},
		{"pinned, refreshed", "tune", 9, func(e *experiment.Experiment) { e.Readout.Mode, e.Readout.RefitSteps = "ridge", 2 }},
		{"pinned, at the step before a refresh", "tune", 8, func(e *experiment.Experiment) { e.Readout.Mode, e.Readout.RefitSteps = "ridge", 2 }},
		{"pinned, in a refresh", "refresh", 5, func(e *experiment.Experiment) { e.Readout.Mode, e.Readout.RefitSteps = "ridge", 2 }},
		{"layer mix", "tune", 7, func(e *experiment.Experiment) { e.Readout.LayerWeights, e.Eval.Layer = "voxel", "voxel" }},
		{"contrastive", "tune", 7, func(e *experiment.Experiment) { e.Train.Loss, e.Readout.Bottleneck = "nt_xent", 0 }},
		{"readout with a mix", "tune", 7, func(e *experiment.Experiment) { e.Train.Mode, e.Readout.LayerWeights = "readout", "roi" }},
	}
	quick := []string{"guard", "pinned, in a refresh", "layer mix"}
	for i, c := range cases {
		if !slices.Contains(quick, c.name) && !thorough {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			with := func(name string) *experiment.Experiment {
				e := resumed(dir, filepath.Join(dir, fmt.Sprint(name, i)))
				c.change(e)
				return e
			}
			whole, broken := with("whole"), with("broken")
			require.NoError(t, trainOnce(t.Context(), whole, Options{}))
			ctx, watch := stopAt(t.Context(), c.phase, c.event)
			require.ErrorIs(t, trainOnce(ctx, broken, Options{Progress: watch}), errStop)
			require.NoError(t, trainOnce(t.Context(), broken, Options{}))
			same(t, outcome(t, whole.Out), broken.Out)
		})
	}
}

// A front end that does not fit in memory is computed in other batches by steps than by reading.
func TestStoppedRunsEndAlikeWithoutRoom(t *testing.T) {
	options := []Options{{CacheBytes: 60_000, BatchBytes: 1 << 20}}
	if thorough {
		options = append(options, Options{CacheBytes: 1})
	}
	for _, opt := range options {
		dir := t.TempDir()
		require.NoError(t, tinyModel(t.Context(), filepath.Join(dir, "model")))
		whole, broken := filepath.Join(dir, "whole"), filepath.Join(dir, "broken")
		require.NoError(t, trainOnce(t.Context(), resumed(dir, whole), opt))
		ctx, watch := stopAt(t.Context(), "tune", 4)
		stopping := opt
		stopping.Progress = watch
		require.ErrorIs(t, trainOnce(ctx, resumed(dir, broken), stopping), errStop)
		require.NoError(t, trainOnce(t.Context(), resumed(dir, broken), opt))
		same(t, outcome(t, whole), broken)
	}
}

// killAfter trains in a process of its own that is killed after a while, and says whether it came to its end before.
func killAfter(t *testing.T, out string, after time.Duration) bool {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childEnv+"="+out)
	child.Stderr = os.Stderr
	pipe, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	_, err = pipe.Read(make([]byte, 8)) // it has started
	require.NoError(t, err)
	kill := time.AfterFunc(after, func() { child.Process.Kill() })
	defer kill.Stop()
	err = child.Wait()
	if status, ok := child.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return false
	}
	require.NoError(t, err)
	return true
}

func TestOpenRunSweepsUnfinishedFiles(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, configFile), nil, 0o644))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "eval", "test"), 0o755))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "adapter.tmp.123", "sub"), 0o755))
	stale, kept := filepath.Join(dir, "eval", "test", ".base_r.npy.00ff.tmp"), filepath.Join(dir, "eval", "notes.tmp.txt")
	for _, path := range []string{stale, kept, filepath.Join(dir, "adapter.tmp.123", "x")} {
		require.NoError(t, os.WriteFile(path, []byte("x"), 0o644))
	}
	run, err := OpenRun(dir)
	require.NoError(t, err)
	defer run.Close()
	assert.NoFileExists(t, stale)
	assert.NoDirExists(t, filepath.Join(dir, "adapter.tmp.123"))
	assert.FileExists(t, kept, "not ours")
}

func TestKilledRunsEndAlike(t *testing.T) {
	dir, want := unbroken(t)
	out := filepath.Join(dir, "whole")
	start := time.Now()
	require.True(t, killAfter(t, out, time.Hour))
	whole := time.Since(start)
	same(t, want, out, "in a process of its own")

	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	kills, least := 0, 1
	if thorough {
		least = 4
	}
	for i := 0; i < least || kills == 0; i++ {
		out := filepath.Join(dir, fmt.Sprint("killed", i))
		for !killAfter(t, out, time.Duration(random.Float64()*float64(whole))) {
			kills++
			if kills > 40 {
				require.True(t, killAfter(t, out, time.Hour))
				break
			}
		}
		same(t, want, out, "killed")
		left, err := filepath.Glob(filepath.Join(out, "ckpt", "*.tmp.*"))
		require.NoError(t, err)
		assert.Empty(t, left, "nothing half-written is left")
	}
	t.Logf("%d kills", kills)
}

// stopped is a run beside a model that was stopped at a step, with the experiment that resumes it. Without a folder it
// gets one.
func stopped(t *testing.T, dir string, step int) *experiment.Experiment {
	t.Helper()
	if dir == "" {
		dir = t.TempDir()
		require.NoError(t, tinyModel(t.Context(), filepath.Join(dir, "model")))
	}
	out, err := os.MkdirTemp(dir, "run")
	require.NoError(t, err)
	e := resumed(dir, out)
	ctx, watch := stopAt(t.Context(), "tune", step)
	require.ErrorIs(t, trainOnce(ctx, e, Options{Progress: watch}), errStop)
	return e
}

func TestSpoiltCheckpointsArePassedOver(t *testing.T) {
	dir, want := unbroken(t)
	edit := func(change func([]byte) []byte) func(string) error {
		return func(path string) error {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, change(data), 0o644)
		}
	}
	flip := func(at func(n int) int) func(string) error {
		return edit(func(b []byte) []byte { b[at(len(b))] ^= 4; return b })
	}
	cases := []struct {
		name  string
		file  string
		spoil func(path string) error
	}{
		{"a flipped bit in the header", tensorsFile, flip(func(int) int { return 9 })},
		{"a flipped bit in the data", tensorsFile, flip(func(n int) int { return n - 3 })},
		{"truncated", tensorsFile, edit(func(b []byte) []byte { return b[:len(b)/2] })},
		{"appended to", tensorsFile, edit(func(b []byte) []byte { return append(b, 0) })},
		{"empty", tensorsFile, edit(func(b []byte) []byte { return nil })},
		{"a flipped bit in the state", stateFile, flip(func(n int) int { return n / 2 })},
		{"a file that is gone", stateFile, os.Remove},
		{"no manifest", manifestFile, os.Remove},
		{"half a manifest", manifestFile, edit(func(b []byte) []byte { return b[:len(b)/2] })},
		{"a manifest that leads out", manifestFile, edit(func(b []byte) []byte {
			return []byte(strings.Replace(string(b), stateFile, "../"+stateFile, 1))
		})},
		{"a link", tensorsFile, func(path string) error {
			return errors.Join(os.Rename(path, path+".away"), os.Symlink(path+".away", path))
		}},
	}
	quick := []string{"a flipped bit in the data", "half a manifest"}
	for _, c := range cases {
		if !slices.Contains(quick, c.name) && !thorough {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			e := stopped(t, dir, 9) // checkpoints of steps 6 and 9
			path := filepath.Join(e.Out, "ckpt", "step-000009", c.file)
			require.NoError(t, c.spoil(path))
			var warnings []string
			require.NoError(t, trainOnce(t.Context(), e, Options{Progress: func(e Event) {
				if e.Phase == "warning" {
					warnings = append(warnings, e.Note)
				}
			}}))
			require.Len(t, warnings, 1)
			assert.Contains(t, warnings[0], "step-000009", "it is named")
			same(t, want, e.Out)
		})
	}
	t.Run("all of them", func(t *testing.T) {
		e := stopped(t, dir, 9)
		all, err := filepath.Glob(filepath.Join(e.Out, "ckpt", "step-*", tensorsFile))
		require.NoError(t, err)
		require.Len(t, all, 2)
		for _, path := range all {
			require.NoError(t, os.Truncate(path, 10))
		}
		err = trainOnce(t.Context(), e, Options{})
		require.ErrorContains(t, err, "no checkpoint can be read")
		assert.Equal(t, fault.BadData, fault.KindOf(err), "never a fresh start")
	})
}

func TestChangedRunsAreRefused(t *testing.T) {
	cases := []struct {
		name   string
		change func(*experiment.Experiment) error
		want   string
	}{
		{"settings", func(e *experiment.Experiment) error {
			path := filepath.Join(e.Out, configFile)
			data, err := os.ReadFile(path)
			return errors.Join(err, os.WriteFile(path, append(data, "# a remark\n"...), 0o644))
		}, "was changed since the run began"},
		{"model", func(e *experiment.Experiment) error {
			path := filepath.Join(e.Model.Path, "model.safetensors")
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			data[len(data)-4] ^= 1
			return os.WriteFile(path, data, 0o644)
		}, "model.safetensors: is not what the run began with"},
		{"library", func(e *experiment.Experiment) error {
			return rewriteState(e.Out, "step-000003", `"torch": "`, `"torch": "0.`)
		}, "was begun with libtorch 0."},
		{"format", func(e *experiment.Experiment) error {
			return errors.Join(rewriteState(e.Out, "step-000003", `"format": 1`, `"format": 2`), os.RemoveAll(filepath.Join(e.Out, "ckpt", "step-000000")))
		}, "no checkpoint can be read"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e := stopped(t, "", 3)
			require.NoError(t, c.change(e))
			before := outcome(t, e.Out)
			err := trainOnce(t.Context(), e, Options{})
			require.ErrorContains(t, err, c.want)
			assert.Equal(t, fault.BadData, fault.KindOf(err))
			assert.Equal(t, before, outcome(t, e.Out), "and nothing is touched")
		})
	}
}

// rewriteState changes the state of a checkpoint and makes its manifest fit.
func rewriteState(out, step, from, to string) error {
	dir := filepath.Join(out, "ckpt", step)
	data, err := os.ReadFile(filepath.Join(dir, stateFile))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, stateFile), []byte(strings.Replace(string(data), from, to, 1)), 0o644); err != nil {
		return err
	}
	var entries []manifestEntry
	for _, name := range []string{tensorsFile, stateFile} {
		e, err := fileEntry(dir, name)
		if err != nil {
			return err
		}
		entries = append(entries, e)
	}
	return jsonfile.Write(filepath.Join(dir, manifestFile), entries)
}

func TestOtherThreadsAreWarnedAbout(t *testing.T) {
	e := stopped(t, "", 3)
	require.NoError(t, rewriteState(e.Out, "step-000003", `"threads": 1`, `"threads": 8`))
	var warnings []string
	require.NoError(t, trainOnce(t.Context(), e, Options{Progress: func(e Event) {
		if e.Phase == "warning" {
			warnings = append(warnings, e.Note)
		}
	}}))
	assert.Equal(t, []string{"begun with threads 8, going on with 1: last bits may differ"}, warnings)
}

func TestOneProcessPerRun(t *testing.T) {
	dir := t.TempDir()
	run, err := CreateRun(filepath.Join(dir, "run"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(run.file(configFile), nil, 0o644))
	_, err = OpenRun(run.Dir)
	require.ErrorContains(t, err, fmt.Sprintf("process %d on ", os.Getpid()))
	assert.Equal(t, fault.Exists, fault.KindOf(err))
	_, err = CreateRun(run.Dir)
	assert.Equal(t, fault.Exists, fault.KindOf(err))
	require.NoError(t, run.Close())
	assert.NoFileExists(t, filepath.Join(run.Dir, lockFile))

	require.NoError(t, os.WriteFile(filepath.Join(run.Dir, lockFile), []byte("process 1 on mars"), 0o600))
	run, err = OpenRun(run.Dir)
	require.NoError(t, err, "the lock of a dead process is free")
	require.NoError(t, run.Close())
	_, err = CreateRun(run.Dir)
	require.ErrorContains(t, err, "is there already")
	_, err = OpenRun(filepath.Join(dir, "nowhere"))
	assert.Equal(t, fault.Missing, fault.KindOf(err))

	scored := filepath.Join(dir, "results")
	require.NoError(t, os.MkdirAll(filepath.Join(scored, "eval"), 0o755))
	run, err = CreateRun(scored)
	require.NoError(t, err, "scores of the untuned model may be there")
	require.NoError(t, run.Close())
}
