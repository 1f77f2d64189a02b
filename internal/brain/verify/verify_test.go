package verify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/verify"
	"github.com/brainwavlm/bwlm/internal/exampletest"
	"github.com/brainwavlm/bwlm/npy"
	"github.com/brainwavlm/bwlm/torch"
)

func TestMain(m *testing.M) {
	if err := torch.Setup(torch.SetupOptions{Threads: 1}); err != nil {
		panic(err)
	}
	code := m.Run()
	if dir, err := finished(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// finished is a study on disk with a finished, evaluated run in run/.
var finished = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "verify")
	if err != nil {
		return "", err
	}
	file, err := exampletest.WriteStudy(dir)
	if err != nil {
		return "", err
	}
	exp, err := experiment.Load(file)
	if err != nil {
		return "", err
	}
	study, err := brain.Open(context.Background(), exp, brain.Options{})
	if err != nil {
		return "", err
	}
	defer study.Close()
	run, err := study.Begin(context.Background())
	if err != nil {
		return "", err
	}
	defer run.Close()
	if _, err := study.Fit(context.Background(), run); err != nil {
		return "", err
	}
	_, err = study.EvaluateRun(context.Background(), run)
	return dir, err
})

// study copies the finished study into a folder of the test. The inputs in its manifest are those of the original.
func study(t *testing.T) string {
	t.Helper()
	from, err := finished()
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(from)))
	return dir
}

func path(t *testing.T, path string) *verify.Report {
	t.Helper()
	r, err := verify.Path(t.Context(), path)
	require.NoError(t, err)
	return r
}

// find returns the texts of the parts with a verdict, each with its name in front.
func find(r *verify.Report, v verify.Verdict) (out []string) {
	for _, p := range r.Parts {
		if p.Verdict == v {
			out = append(out, p.Name+": "+p.Found)
		}
	}
	return out
}

func TestWhatIsWholeIsOK(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	dir := study(t)
	for _, c := range []struct {
		path string
		kind verify.Kind
		want string
	}{
		{"run", verify.Run, "eval/test/ada: "},
		{"", verify.Data, "dataset.yaml: tones: 3 stories, 1 subjects, 0 ROIs"},
		{"dataset.yaml", verify.Data, "dataset.yaml: "},
		{"nano", verify.Model, "config.json: "},
		{"nano/model.safetensors", verify.Tensors, "model.safetensors: "},
		{"run/adapter", verify.Adapter, "adapter_config.json: lora of "},
		{"run/adapter/adapter_model.safetensors", verify.Tensors, "all finite"},
		{"run/readout/ada.safetensors", verify.Tensors, "all finite"},
		{newest(t, dir), verify.Checkpoint, "epoch 2, block 0"},
	} {
		t.Run(c.path, func(t *testing.T) {
			p := filepath.Join(dir, c.path)
			if c.path == "" { // which holds the run, too
				p = dir
			}
			r := path(t, p)
			assert.Equal(t, c.kind, r.Kind)
			assert.Empty(t, find(r, verify.Wrong))
			assert.NoError(t, r.Err())
			assert.Contains(t, strings.Join(find(r, verify.OK), "\n"), c.want)
		})
	}
	r := path(t, dir)
	require.Len(t, r.Stories, 3)
	assert.Equal(t, verify.Story{Name: "train", Seconds: 16, Rows: 40}, r.Stories[0])
	require.Len(t, r.Responses, 3)
	assert.Equal(t, verify.Responses{Subject: "ada", Story: "train", Repeats: 1, Rows: 40, Voxels: exampletest.Voxels},
		r.Responses[0])
}

// newest returns the path of the newest checkpoint below a study.
func newest(t *testing.T, dir string) string {
	t.Helper()
	steps, err := filepath.Glob(filepath.Join(dir, "run/ckpt/step-*"))
	require.NoError(t, err)
	require.NotEmpty(t, steps)
	rel, err := filepath.Rel(dir, steps[len(steps)-1])
	require.NoError(t, err)
	return rel
}

// Each row damages a part of a finished study.
func TestDamageIsFoundAndNamed(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	write := func(name, text string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
		}
	}
	remove := func(name string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) { require.NoError(t, os.RemoveAll(filepath.Join(dir, name))) }
	}
	// edit changes the bytes of a file; "CKPT" stands for the newest checkpoint.
	edit := func(name string, change func([]byte) []byte) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			p := filepath.Join(dir, strings.Replace(name, "CKPT", newest(t, dir), 1))
			data, err := os.ReadFile(p)
			require.NoError(t, err)
			changed := change(bytes.Clone(data))
			require.NotEqual(t, data, changed, "the change changes nothing")
			require.NoError(t, os.WriteFile(p, changed, 0o644))
		}
	}
	flip := func(b []byte) []byte { b[len(b)-3] ^= 0x40; return b }
	cut := func(b []byte) []byte { return b[:len(b)-1] }
	half := func(b []byte) []byte { return b[:len(b)/2] }
	nan := func(b []byte) []byte { copy(b[len(b)-4:], []byte{0, 0, 0xc0, 0x7f}); return b }
	replace := func(old, to string) func([]byte) []byte {
		return func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(old), []byte(to)) }
	}
	matrix := func(name string, rows, cols int, value float32) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			x := make([]float32, rows*cols)
			for i := range x {
				x[i] = float32(math.Sin(float64(i)))
			}
			x[len(x)-1] = value
			require.NoError(t, npy.Write(filepath.Join(dir, name), []int{rows, cols}, x))
		}
	}
	const voxels = exampletest.Voxels
	for name, c := range map[string]struct {
		damage func(t *testing.T, dir string)
		verify string
		want   []string // texts of what is wrong, in order, and no more
	}{
		"an unknown key in config.yaml": {edit("run/config.yaml", replace("epochs:", "epoch:")), "run",
			[]string{"config.yaml: ", "is of another config.yaml"}},
		"no manifest": {remove("run/manifest.json"), "run", []string{"manifest.json: "}},
		"a manifest of a later version": {edit("run/manifest.json", replace(`"schema": 2`, `"schema": 9`)), "run",
			[]string{"manifest.json: "}},
		"another hash of an input": {func(t *testing.T, dir string) {
			p := filepath.Join(dir, "run/manifest.json")
			var m struct{ Inputs []struct{ SHA256 string } }
			data, err := os.ReadFile(p)
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(data, &m))
			other := strings.Replace(string(data), m.Inputs[0].SHA256, strings.Repeat("0", 64), 1)
			require.NoError(t, os.WriteFile(p, []byte(other), 0o644))
		}, "run", []string{"when the run began"}},
		"a bit of a checkpoint's tensors": {edit("CKPT/tensors.safetensors", flip), "run",
			[]string{"tensors.safetensors: "}},
		"a bit of a checkpoint's voxels": {edit("CKPT/voxels-ada-00000.safetensors", flip), "run",
			[]string{"voxels-ada-00000.safetensors: "}},
		"a checkpoint cut short": {edit("CKPT/tensors.safetensors", half), "run", []string{"tensors.safetensors: "}},
		"state.json changed": {edit("CKPT/state.json", replace(`"epoch": 2`, `"epoch": 7`)), "run",
			[]string{"state.json: "}},
		"no manifest of a checkpoint": {func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, newest(t, dir), "MANIFEST.json")))
		}, "run", []string{"MANIFEST.json"}},
		"metrics cut within a line": {edit("run/metrics.jsonl", cut), "run", []string{"metrics.jsonl: "}},
		"a line of the metrics twice": {edit("run/metrics.jsonl", func(b []byte) []byte {
			lines := bytes.SplitAfter(b, []byte("\n"))
			lines[2] = lines[1]
			return bytes.Join(lines, nil)
		}), "run", []string{"metrics.jsonl: "}},
		"no metrics": {remove("run/metrics.jsonl"), "run", []string{"metrics.jsonl: "}},
		"a NaN in an adapter": {edit("run/adapter/adapter_model.safetensors", nan), "run",
			[]string{"adapter/adapter_"}},
		"a NaN in an adapter alone": {edit("run/adapter/adapter_model.safetensors", nan), "run/adapter",
			[]string{"adapter_"}},
		"an adapter without its file": {remove("run/adapter/adapter_model.safetensors"), "run",
			[]string{"adapter/adapter_"}},
		"an adapter of another base": {write("run/adapter/base_model.json",
			`{"schema":1,"sha256":"`+strings.Repeat("ab", 32)+`"}`), "run", []string{"adapter/base_model.json: "}},
		"a readout cut short": {edit("run/readout/ada.safetensors", cut), "run", []string{"readout/ada.safetensors: "}},
		"scores of other voxels": {matrix("run/eval/test/ada/tuned_pred.npy", 3, 4, 0), "run",
			[]string{"shape [3 4]"}},
		"a score that is no number": {func(t *testing.T, dir string) {
			x := make([]float32, voxels)
			x[7] = float32(math.NaN())
			require.NoError(t, npy.Write(filepath.Join(dir, "run/eval/test/ada/base_r.npy"), []int{voxels}, x))
		}, "run", []string{"element 7 is NaN"}},
		"a link in the place of a file": {func(t *testing.T, dir string) {
			p := filepath.Join(dir, "run/eval/summary.json")
			require.NoError(t, os.Rename(p, filepath.Join(dir, "elsewhere.json")))
			require.NoError(t, os.Symlink(filepath.Join(dir, "elsewhere.json"), p))
		}, "run", []string{"eval/summary.json"}},
		"scores that are not there": {remove("run/eval/test/ada/delta_q.npy"), "run", []string{"delta_q.npy"}},
		"a layout of other subjects": {edit("run/eval/test/layout.json", replace(`"ada"`, `"eve"`)), "run",
			[]string{"eval/test/layout.json: "}},
		"a summary that is no JSON": {edit("run/eval/summary.json", half), "run", []string{"eval/summary.json: "}},
		"a model with a NaN":        {edit("nano/model.safetensors", nan), "nano", []string{"weights: "}},
		"a model of another size": {edit("nano/config.json",
			replace(`"num_hidden_layers": `, `"num_hidden_layers": 1`)),
			"nano", []string{"config.json: "}},
		"a model without a configuration": {remove("nano/config.json"), "nano", []string{"config.json: "}},
		"a NaN in responses": {matrix("val.npy", 40, voxels, float32(math.NaN())), "dataset.yaml",
			[]string{"values: "}},
		"responses that never vary": {func(t *testing.T, dir string) {
			require.NoError(t, npy.Write(filepath.Join(dir, "val.npy"), []int{40, voxels}, make([]float32, 40*voxels)))
		}, "dataset.yaml", []string{"none of 60 voxels varies"}},
		"responses transposed": {matrix("val.npy", voxels, 40, 0), "dataset.yaml",
			[]string{"rows: val.npy: subject ada, story val: 60 × 40 has 40 voxels"}},
		"twice the rows": {matrix("test.npy", 400, voxels, 0), "dataset.yaml", []string{"rows: "}},
		"two files that are wrong": {func(t *testing.T, dir string) {
			matrix("val.npy", 40, voxels, float32(math.Inf(1)))(t, dir)
			require.NoError(t, os.WriteFile(filepath.Join(dir, "train.wav"), []byte("RIFF"), 0o644))
		}, "dataset.yaml", []string{"train.wav", "val.npy"}},
		"a region beyond the voxels": {edit("dataset.yaml", func(b []byte) []byte {
			return append(b, "\nrois: {far: [3, 99]}\n"...)
		}), "dataset.yaml", []string{"ROI far: "}},
		"a mistake in dataset.yaml": {edit("dataset.yaml", replace("tr_seconds", "tr_second")), "dataset.yaml",
			[]string{"dataset.yaml: "}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := study(t)
			c.damage(t, dir)
			r := path(t, filepath.Join(dir, c.verify))
			wrong := find(r, verify.Wrong)
			require.Len(t, wrong, len(c.want), "%q", wrong)
			for i, want := range c.want {
				assert.Contains(t, wrong[i], want)
			}
			assert.Equal(t, fault.BadData, fault.KindOf(r.Err()))
			assert.Equal(t, verify.Wrong, r.Verdict)
		})
	}
}

func TestWhatMayBeRightIsANote(t *testing.T) {
	for name, c := range map[string]struct {
		change func(t *testing.T, dir string)
		want   string
	}{
		"a training that was stopped": {func(t *testing.T, dir string) {
			require.NoError(t, os.RemoveAll(filepath.Join(dir, newest(t, dir))))
		}, "ckpt: the training stands at epoch 1 of 2"},
		"metrics after the newest checkpoint": {func(t *testing.T, dir string) {
			require.NoError(t, os.RemoveAll(filepath.Join(dir, newest(t, dir))))
		}, "bytes were written after the newest checkpoint"},
		"an evaluation that was stopped": {func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, "run/eval/summary.json")))
		}, "eval/summary.json: is not there"},
		"no adapter yet": {func(t *testing.T, dir string) {
			require.NoError(t, os.RemoveAll(filepath.Join(dir, "run/adapter")))
		}, "adapter: is not there"},
		"what a killed process left": {func(t *testing.T, dir string) {
			require.NoError(t, os.MkdirAll(filepath.Join(dir, "run/ckpt/step-000009.tmp.7"), 0o755))
		}, "ckpt/step-000009.tmp.7: left by a killed process"},
		"inputs that are elsewhere": {func(t *testing.T, dir string) {
			p := filepath.Join(dir, "run/manifest.json")
			data, err := os.ReadFile(p)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(p, bytes.ReplaceAll(data, []byte("train.wav"), []byte("trial.wav")), 0o644))
		}, "1 inputs are not there to be compared"},
		"a run that is worked on": {func(t *testing.T, dir string) {
			lock, err := os.Create(filepath.Join(dir, "run/.lock"))
			require.NoError(t, err)
			require.NoError(t, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))
			t.Cleanup(func() { lock.Close() })
		}, "another process is working on it"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := study(t)
			c.change(t, dir)
			r := path(t, filepath.Join(dir, "run"))
			assert.Empty(t, find(r, verify.Wrong))
			assert.Contains(t, strings.Join(find(r, verify.Note), "\n"), c.want)
			assert.Equal(t, verify.Note, r.Verdict)
			assert.NoError(t, r.Err())
		})
	}
}

func TestAMissingBestCheckpointIsWrong(t *testing.T) {
	dir := study(t)
	var state struct {
		Best int `json:"best_step"`
		Step int `json:"step"`
	}
	data, err := os.ReadFile(filepath.Join(dir, newest(t, dir), "state.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &state))
	if state.Best == state.Step {
		t.Skip("the last epoch is the best")
	}
	best, err := filepath.Glob(filepath.Join(dir, "run/ckpt", "step-*"))
	require.NoError(t, err)
	for _, p := range best {
		if p != filepath.Join(dir, newest(t, dir)) {
			require.NoError(t, os.RemoveAll(p))
		}
	}
	assert.Contains(t, strings.Join(find(path(t, filepath.Join(dir, "run")), verify.Wrong), ""), "is not there")
}

func TestAFolderOfRunsIsVerifiedRunByRun(t *testing.T) {
	dir := study(t)
	runs := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(runs, "[a]"), os.DirFS(filepath.Join(dir, "run"))))
	require.NoError(t, os.CopyFS(filepath.Join(runs, "b"), os.DirFS(filepath.Join(dir, "run"))))
	require.NoError(t, os.Remove(filepath.Join(runs, "b", "metrics.jsonl")))
	r := path(t, runs)
	assert.Equal(t, verify.Runs, r.Kind)
	wrong := find(r, verify.Wrong)
	require.Len(t, wrong, 1)
	assert.Contains(t, wrong[0], "b/metrics.jsonl: ")
	assert.Contains(t, strings.Join(find(r, verify.OK), "\n"), "[a]/eval/test/ada: ")
}

func TestNothingIsChanged(t *testing.T) {
	dir := study(t)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "run/ckpt/step-000009.tmp.7"), 0o755))
	before := listing(t, dir)
	path(t, filepath.Join(dir, "run"))
	path(t, filepath.Join(dir, "dataset.yaml"))
	assert.Equal(t, before, listing(t, dir))
}

func listing(t *testing.T, dir string) (out []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		out = append(out, path+" "+info.ModTime().String())
		return err
	}))
	return out
}

func TestPathsOfNoKnownKindAreErrors(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o644))
	for p, kind := range map[string]fault.Kind{dir: fault.BadData, filepath.Join(dir, "notes.txt"): fault.BadData,
		filepath.Join(dir, "nowhere"): fault.Missing} {
		_, err := verify.Path(t.Context(), p)
		assert.Equal(t, kind, fault.KindOf(err), "%v", err)
		assert.ErrorContains(t, err, p)
	}
	_, err := verify.Path(t.Context(), filepath.Join(dir, "nowhere"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestAContextThatEndsStopsIt(t *testing.T) {
	dir := study(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, p := range []string{"run", "dataset.yaml", "nano", "nano/model.safetensors", "run/adapter"} {
		_, err := verify.Path(ctx, filepath.Join(dir, p))
		assert.ErrorIs(t, err, context.Canceled, p)
	}
}
