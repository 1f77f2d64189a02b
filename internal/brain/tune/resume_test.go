package tune_test

import (
	"context"
	"errors"
	"fmt"
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
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/internal/slowtest"
)

// unbroken trains without a stop and gives the directory with the model, and the outcome.
func unbroken(t *testing.T) (dir string, want map[string]string) {
	t.Helper()
	dir = t.TempDir()
	require.NoError(t, studytest.TinyModel(t.Context(), filepath.Join(dir, "model")))
	out := filepath.Join(dir, "unbroken")
	require.NoError(t, studytest.TrainOnce(t.Context(), studytest.Resumed(dir, out), study.Options{}))
	want = studytest.Outcome(t, out)
	for _, name := range []string{"metrics.jsonl", "eval/summary.json", "adapter/adapter_model.safetensors",
		"readout/bob.safetensors", "eval/test/ada/tuned_pred.npy"} {
		require.Contains(t, want, name)
	}
	return dir, want
}

func TestStoppedRunsEndAlike(t *testing.T) {
	if testing.Short() {
		t.Skip("several trainings")
	}
	dir, want := unbroken(t)
	steps := []int{4, 6} // within an epoch, and at its end
	if slowtest.Thorough {
		steps = []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	}
	for _, step := range steps {
		out := filepath.Join(dir, fmt.Sprint("stop", step))
		ctx, watch := studytest.StopAt(t.Context(), "tune", step)
		require.ErrorIs(t, studytest.TrainOnce(ctx, studytest.Resumed(dir, out), study.Options{Progress: watch}),
			studytest.ErrStop)
		require.NoDirExists(t, filepath.Join(out, "adapter"), "not finished")
		require.NoError(t, studytest.TrainOnce(t.Context(), studytest.Resumed(dir, out), study.Options{}))
		studytest.Same(t, want, out, "stopped at step ", step)
	}
	// In the reading that ends an epoch, also the very first; there are three stories, so four events each time.
	events := []int{1}
	if slowtest.Thorough {
		events = []int{1, 3, 5, 7, 9, 11}
	}
	for _, event := range events {
		out := filepath.Join(dir, fmt.Sprint("validate", event))
		ctx, watch := studytest.StopAt(t.Context(), "validate", event)
		require.ErrorIs(t, studytest.TrainOnce(ctx, studytest.Resumed(dir, out), study.Options{Progress: watch}),
			studytest.ErrStop)
		require.NoError(t, studytest.TrainOnce(t.Context(), studytest.Resumed(dir, out), study.Options{}))
		studytest.Same(t, want, out, "stopped at validation event ", event)
	}
	// Again and again, every few steps.
	out := filepath.Join(dir, "often")
	stops, every := 0, 5
	if slowtest.Thorough {
		every = 2
	}
	for ; ; stops++ {
		ctx, cancel := context.WithCancelCause(t.Context())
		steps := 0
		err := studytest.TrainOnce(ctx, studytest.Resumed(dir, out), study.Options{Progress: func(e progress.Event) {
			if e.Phase == progress.Tune {
				if steps++; steps == every {
					cancel(studytest.ErrStop)
				}
			}
		}})
		if err == nil {
			break
		}
		require.ErrorIs(t, err, studytest.ErrStop)
		require.Less(t, stops, 20)
	}
	assert.GreaterOrEqual(t, stops, 12/every-1)
	studytest.Same(t, want, out, "stopped often")

	require.NoError(t, studytest.TrainOnce(t.Context(), studytest.Resumed(dir, out), study.Options{}),
		"a finished run is scored again")
	studytest.Same(t, want, out, "resumed after its end")
}

// Every way to train resumes bit-identical: what it keeps next to weights and optimizer is in the checkpoint.
func TestEveryStrategyGoesOnAlike(t *testing.T) {
	if testing.Short() {
		t.Skip("two trainings for each strategy")
	}
	dir := t.TempDir()
	require.NoError(t, studytest.TinyModel(t.Context(), filepath.Join(dir, "model")))
	cases := []struct {
		name   string
		phase  progress.Phase
		event  int // of the phase, at which the run is stopped
		change func(*experiment.Experiment)
	}{
		{"full", "tune", 9, func(e *experiment.Experiment) { e.Train.Mode, e.Train.LR = "full", 1e-3 }},
		{"guard", "tune", 8, func(e *experiment.Experiment) {
			e.Train.RetainROI,
				e.Train.RetainWeight = []string{"front"}, 5
		}},
		{"guard, before its first checkpoint", "validate", 3,
			func(e *experiment.Experiment) { e.Train.RetainROI = []string{"front"} }},
		{"balanced", "tune", 8, func(e *experiment.Experiment) {
			e.Data.ROIBalance, e.Train.Loss = []string{"front"},
				"temporal"
		}},
		{"pinned", "tune", 8, func(e *experiment.Experiment) { e.Readout.Mode = "ridge" }},
		{"pinned, refreshed", "tune", 9, func(e *experiment.Experiment) {
			e.Readout.Mode,
				e.Readout.RefitSteps = "ridge", 2
		}},
		{"pinned, at the step before a refresh", "tune", 8,
			func(e *experiment.Experiment) { e.Readout.Mode, e.Readout.RefitSteps = "ridge", 2 }},
		{"pinned, in a refresh", "refresh", 5, func(e *experiment.Experiment) {
			e.Readout.Mode,
				e.Readout.RefitSteps = "ridge", 2
		}},
		{"layer weights", "tune", 7, func(e *experiment.Experiment) {
			e.Readout.LayerWeights, e.Eval.Layer = "voxel",
				"voxel"
		}},
		{"contrastive", "tune", 7, func(e *experiment.Experiment) {
			e.Train.Loss, e.Readout.Bottleneck = "nt_xent",
				0
		}},
		{"readout with a mix", "tune", 7, func(e *experiment.Experiment) {
			e.Train.Mode,
				e.Readout.LayerWeights = "readout", "roi"
		}},
	}
	quick := []string{"guard", "pinned, in a refresh", "layer weights"}
	for i, c := range cases {
		if !slices.Contains(quick, c.name) && !slowtest.Thorough {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			with := func(name string) *experiment.Experiment {
				e := studytest.Resumed(dir, filepath.Join(dir, fmt.Sprint(name, i)))
				c.change(e)
				return e
			}
			whole, broken := with("whole"), with("broken")
			require.NoError(t, studytest.TrainOnce(t.Context(), whole, study.Options{}))
			ctx, watch := studytest.StopAt(t.Context(), c.phase, c.event)
			require.ErrorIs(t, studytest.TrainOnce(ctx, broken, study.Options{Progress: watch}), studytest.ErrStop)
			require.NoError(t, studytest.TrainOnce(t.Context(), broken, study.Options{}))
			studytest.Same(t, studytest.Outcome(t, whole.Out), broken.Out)
		})
	}
}

// A front end that does not fit in memory is computed in other batches by steps than by reading.
func TestStoppedRunsEndAlikeWithoutRoom(t *testing.T) {
	if testing.Short() {
		t.Skip("several trainings")
	}
	options := []study.Options{{CacheBytes: 60_000, StepBytes: 1 << 20}}
	if slowtest.Thorough {
		options = append(options, study.Options{CacheBytes: 1})
	}
	for _, opt := range options {
		dir := t.TempDir()
		require.NoError(t, studytest.TinyModel(t.Context(), filepath.Join(dir, "model")))
		whole, broken := filepath.Join(dir, "whole"), filepath.Join(dir, "broken")
		require.NoError(t, studytest.TrainOnce(t.Context(), studytest.Resumed(dir, whole), opt))
		ctx, watch := studytest.StopAt(t.Context(), "tune", 4)
		stopping := opt
		stopping.Progress = watch
		require.ErrorIs(t, studytest.TrainOnce(ctx, studytest.Resumed(dir, broken), stopping), studytest.ErrStop)
		require.NoError(t, studytest.TrainOnce(t.Context(), studytest.Resumed(dir, broken), opt))
		studytest.Same(t, studytest.Outcome(t, whole), broken)
	}
}

// killAfter trains in a process of its own that is killed after a while, and says whether it came to its end before.
func killAfter(t *testing.T, out string, after time.Duration) bool {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), studytest.ChildEnv+"="+out)
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

// With train.checkpoint_minutes a run that is killed within an epoch continues there, and ends as if it never was.
func TestCheckpointsWithinAnEpoch(t *testing.T) {
	if testing.Short() {
		t.Skip("several trainings")
	}
	dir, want := unbroken(t)
	for minutes, last := range map[float64]int{1e-9: 3, 0: 0, 1e6: 0} {
		out := filepath.Join(dir, fmt.Sprint("every", minutes))
		e := studytest.Resumed(dir, out)
		e.Train.CheckpointMinutes = minutes
		seen := -1
		require.NoError(t, studytest.TrainOnce(t.Context(), e, study.Options{Progress: func(e progress.Event) {
			if e.Phase == progress.Tune && e.Done == 4 { // before its checkpoint
				steps, err := (&rundir.Run{Dir: out}).Steps()
				assert.NoError(t, err)
				seen = slices.Max(steps)
			}
		}}))
		assert.Equal(t, last, seen, "%g minutes", minutes)
		got := studytest.Outcome(t, out)
		for _, name := range []string{"metrics.jsonl", "adapter/adapter_model.safetensors"} {
			assert.Equal(t, want[name], got[name], "%g minutes: %s", minutes, name)
		}
	}
}

func TestOpenRunSweepsUnfinishedFiles(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, rundir.ConfigFile), nil, 0o644))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "eval", "test"), 0o755))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "adapter.tmp.123", "sub"), 0o755))
	stale, kept := filepath.Join(dir, "eval", "test", ".base_r.npy.00ff.tmp"),
		filepath.Join(dir, "eval", "notes.tmp.txt")
	for _, path := range []string{stale, kept, filepath.Join(dir, "adapter.tmp.123", "x")} {
		require.NoError(t, os.WriteFile(path, []byte("x"), 0o644))
	}
	run, err := rundir.Open(dir)
	require.NoError(t, err)
	defer run.Close()
	assert.NoFileExists(t, stale)
	assert.NoDirExists(t, filepath.Join(dir, "adapter.tmp.123"))
	assert.FileExists(t, kept, "not ours")
}

func TestKilledRunsEndAlike(t *testing.T) {
	if testing.Short() {
		t.Skip("several trainings")
	}
	dir, want := unbroken(t)
	out := filepath.Join(dir, "whole")
	start := time.Now()
	require.True(t, killAfter(t, out, time.Hour))
	whole := time.Since(start)
	studytest.Same(t, want, out, "in a process of its own")

	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	kills, least := 0, 1
	if slowtest.Thorough {
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
		studytest.Same(t, want, out, "killed")
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
		require.NoError(t, studytest.TinyModel(t.Context(), filepath.Join(dir, "model")))
	}
	out, err := os.MkdirTemp(dir, "run")
	require.NoError(t, err)
	e := studytest.Resumed(dir, out)
	ctx, watch := studytest.StopAt(t.Context(), "tune", step)
	require.ErrorIs(t, studytest.TrainOnce(ctx, e, study.Options{Progress: watch}), studytest.ErrStop)
	return e
}

func TestSpoiltCheckpointsArePassedOver(t *testing.T) {
	if testing.Short() {
		t.Skip("several trainings")
	}
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
		{"a flipped bit in the header", "tensors.safetensors", flip(func(int) int { return 9 })},
		{"a flipped bit in the data", "tensors.safetensors", flip(func(n int) int { return n - 3 })},
		{"truncated", "tensors.safetensors", edit(func(b []byte) []byte { return b[:len(b)/2] })},
		{"appended to", "tensors.safetensors", edit(func(b []byte) []byte { return append(b, 0) })},
		{"empty", "tensors.safetensors", edit(func(b []byte) []byte { return nil })},
		{"a flipped bit in a block of voxels", "voxels-ada-00000.safetensors", flip(func(n int) int { return n - 3 })},
		{"a block of voxels that is gone", "voxels-bob-00000.safetensors", os.Remove},
		{"a flipped bit in the state", "state.json", flip(func(n int) int { return n / 2 })},
		{"a file that is gone", "state.json", os.Remove},
		{"no manifest", "MANIFEST.json", os.Remove},
		{"something after a manifest", "MANIFEST.json",
			edit(func(b []byte) []byte { return append(b, "garbage"...) })},
		{"half a manifest", "MANIFEST.json", edit(func(b []byte) []byte { return b[:len(b)/2] })},
		{"a manifest that leads out", "MANIFEST.json", edit(func(b []byte) []byte {
			return []byte(strings.Replace(string(b), "state.json", "../"+"state.json", 1))
		})},
	}
	quick := []string{"a flipped bit in the data", "a flipped bit in a block of voxels", "something after a manifest"}
	for _, c := range cases {
		if !slices.Contains(quick, c.name) && !slowtest.Thorough {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			e := stopped(t, dir, 9) // checkpoints of steps 6 and 9
			path := filepath.Join(e.Out, "ckpt", "step-000009", c.file)
			require.NoError(t, c.spoil(path))
			var warnings []string
			require.NoError(t, studytest.TrainOnce(t.Context(), e, study.Options{Progress: func(e progress.Event) {
				if e.Phase == progress.Warning {
					warnings = append(warnings, e.Note)
				}
			}}))
			require.Len(t, warnings, 1)
			assert.Contains(t, warnings[0], "step-000009", "it is named")
			studytest.Same(t, want, e.Out)
		})
	}
	t.Run("all of them", func(t *testing.T) {
		e := stopped(t, dir, 9)
		all, err := filepath.Glob(filepath.Join(e.Out, "ckpt", "step-*", "tensors.safetensors"))
		require.NoError(t, err)
		require.Len(t, all, 2)
		for _, path := range all {
			require.NoError(t, os.Truncate(path, 10))
		}
		err = studytest.TrainOnce(t.Context(), e, study.Options{})
		require.ErrorContains(t, err, "no checkpoint can be read")
		assert.Equal(t, fault.BadData, fault.KindOf(err), "never a fresh start")
	})
}

func TestChangedRunsAreRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("several trainings")
	}
	cases := []struct {
		name   string
		change func(*experiment.Experiment) error
		want   string
	}{
		{"settings", func(e *experiment.Experiment) error {
			path := filepath.Join(e.Out, rundir.ConfigFile)
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
			return errors.Join(rewriteState(e.Out, "step-000003", `"format": 2`, `"format": 1`),
				os.RemoveAll(filepath.Join(e.Out, "ckpt", "step-000000")))
		}, "no checkpoint can be read"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e := stopped(t, "", 3)
			require.NoError(t, c.change(e))
			before := studytest.Outcome(t, e.Out)
			err := studytest.TrainOnce(t.Context(), e, study.Options{})
			require.ErrorContains(t, err, c.want)
			assert.Equal(t, fault.BadData, fault.KindOf(err))
			assert.Equal(t, before, studytest.Outcome(t, e.Out), "and nothing is touched")
		})
	}
}

// Case: a state with a fitting manifest and impossible numbers, and metrics that are not those of the checkpoint.
func TestImpossibleStatesAreRefusedBeforeAnythingIsDeleted(t *testing.T) {
	if testing.Short() {
		t.Skip("several trainings")
	}
	dir := t.TempDir()
	require.NoError(t, studytest.TinyModel(t.Context(), filepath.Join(dir, "model")))
	good := stopped(t, dir, 7) // checkpoints of steps 6 and 7
	state := func(from, to string) func(out string) error {
		return func(out string) error { return rewriteState(out, "step-000007", from, to) }
	}
	metrics := func(change func([]byte) []byte) func(out string) error {
		return func(out string) error {
			path := filepath.Join(out, "metrics.jsonl")
			data, err := os.ReadFile(path)
			return errors.Join(err, os.WriteFile(path, change(data), 0o644))
		}
	}
	for name, c := range map[string]struct {
		spoil func(out string) error
		want  string
	}{
		"a step ahead":                 {state(`"step": 7,`, `"step": 8,`), "step 8 in the checkpoint of step 7"},
		"a negative block":             {state(`"block": 1`, `"block": -1`), "block -1"},
		"a block that does not follow": {state(`"block": 1`, `"block": 3`), "step 7, 3 blocks after step 6"},
		"an epoch without its entry":   {state(`"epoch": 1,`, `"epoch": 2,`), "2 entries of epochs after epoch 2"},
		"a best epoch outside":         {state(`"best": `, `"best": 9`), "best 9"},
		"a best step that is no end":   {state(`"best_step": `, `"best_step": 1`), "best_step 1"},
		"a correlation of 7":           {state(`"val_r": `, `"val_r": 7`), "val_r 7"},
		"metrics of a negative length": {state(`"metrics_bytes": `, `"metrics_bytes": -`), "metrics_bytes -"},
		"metrics beyond the file":      {state(`"metrics_bytes": `, `"metrics_bytes": 9`), "bytes; "},
		"no metrics": {func(out string) error { return os.Remove(filepath.Join(out, "metrics.jsonl")) },
			"metrics.jsonl: is missing"},
		"metrics cut short":   {metrics(func(b []byte) []byte { return b[:len(b)/2] }), "bytes; "},
		"metrics overwritten": {metrics(func(b []byte) []byte { b[len(b)/2] = 0; return b }), "metrics.jsonl: line "},
		"a line of metrics twice": {metrics(func(b []byte) []byte {
			first, rest, _ := strings.Cut(string(b), "\n")
			return []byte(first + "\n" + first + "\n" + rest)
		}), "line 2 is neither step 1 nor epoch 1"},
	} {
		t.Run(name, func(t *testing.T) {
			e := studytest.Resumed(dir, filepath.Join(t.TempDir(), "run"))
			require.NoError(t, os.CopyFS(e.Out, os.DirFS(good.Out)))
			// The resolved experiment names its directory, and the state has its hash.
			require.NoError(t, c.spoil(e.Out))
			before := everything(t, e.Out)
			run, err := rundir.Open(e.Out)
			require.NoError(t, err)
			p, f, err := run.Newest(func(error) { t.Error("passed over") })
			if err == nil {
				f.Close()
				err = run.Rewind(*p, 9, 6)
			}
			require.NoError(t, run.Close())
			assert.ErrorContains(t, err, c.want)
			assert.ErrorContains(t, err, "nothing was changed: ")
			assert.Equal(t, fault.BadData, fault.KindOf(err))
			assert.Equal(t, before, everything(t, e.Out))
		})
	}
	// The trainer itself, once.
	require.NoError(t, metrics(func(b []byte) []byte { b[0] = 0; return b })(good.Out))
	before := everything(t, good.Out)
	err := studytest.TrainOnce(t.Context(), good, study.Options{})
	assert.ErrorContains(t, err, "metrics.jsonl: line 1: ")
	assert.Equal(t, fault.BadData, fault.KindOf(err))
	assert.Equal(t, before, everything(t, good.Out))
	run, err := rundir.Open(good.Out)
	require.NoError(t, err)
	defer run.Close()
	at := func(epoch, block, step int) error {
		p := rundir.Progress{Epoch: epoch, Block: block, Step: step, Epochs: make([]results.Epoch, 1)}
		return run.Rewind(p, 2, 4)
	}
	for _, bad := range []error{at(3, 0, 12), at(2, 1, 9), at(0, 5, 5), at(1, 0, 5)} {
		assert.ErrorContains(t, bad, "of 2 epochs of 4 blocks")
	}
	assert.ErrorContains(t, at(1, 2, 6), "metrics.jsonl", "which can be, but for the metrics")
}

// everything returns the content of all files of a folder.
func everything(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == ".lock" {
			return err
		}
		data, err := os.ReadFile(path)
		all[path] = string(data)
		return err
	}))
	return all
}

// rewriteState changes the state of a checkpoint and makes its manifest fit.
func rewriteState(out, step, from, to string) error {
	dir := filepath.Join(out, "ckpt", step)
	data, err := os.ReadFile(filepath.Join(dir, "state.json"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "state.json"), []byte(strings.Replace(string(data), from, to, 1)),
		0o644); err != nil {
		return err
	}
	var entries []rundir.ManifestEntry
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		if file.Name() == "MANIFEST.json" {
			continue
		}
		e, err := rundir.FileEntry(dir, file.Name())
		if err != nil {
			return err
		}
		entries = append(entries, e)
	}
	return jsonfile.Write(filepath.Join(dir, "MANIFEST.json"), entries)
}

func TestOtherThreadsAreWarnedAbout(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole training, or a golden of one")
	}
	e := stopped(t, "", 3)
	require.NoError(t, rewriteState(e.Out, "step-000003", `"threads": 1`, `"threads": 8`))
	var warnings []string
	require.NoError(t, studytest.TrainOnce(t.Context(), e, study.Options{Progress: func(e progress.Event) {
		if e.Phase == progress.Warning {
			warnings = append(warnings, e.Note)
		}
	}}))
	assert.Equal(t, []string{"begun with threads 8, going on with 1: last bits may differ"}, warnings)
}

func TestOneProcessPerRun(t *testing.T) {
	dir := t.TempDir()
	run, err := rundir.Create(filepath.Join(dir, "run"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(run.File(rundir.ConfigFile), nil, 0o644))
	_, err = rundir.Open(run.Dir)
	require.ErrorContains(t, err, fmt.Sprintf("process %d on ", os.Getpid()))
	assert.Equal(t, fault.Exists, fault.KindOf(err))
	_, err = rundir.Create(run.Dir)
	assert.Equal(t, fault.Exists, fault.KindOf(err))
	require.NoError(t, run.Close())
	assert.NoFileExists(t, filepath.Join(run.Dir, ".lock"))

	require.NoError(t, os.WriteFile(filepath.Join(run.Dir, ".lock"), []byte("process 1 on mars"), 0o600))
	run, err = rundir.Open(run.Dir)
	require.NoError(t, err, "the lock of a dead process is free")
	require.NoError(t, run.Close())
	_, err = rundir.Create(run.Dir)
	require.ErrorContains(t, err, "is there already")
	_, err = rundir.Open(filepath.Join(dir, "nowhere"))
	assert.Equal(t, fault.Missing, fault.KindOf(err))

	scored := filepath.Join(dir, "results")
	require.NoError(t, os.MkdirAll(filepath.Join(scored, "eval"), 0o755))
	run, err = rundir.Create(scored)
	require.NoError(t, err, "scores of the untuned model may be there")
	require.NoError(t, run.Close())
}
