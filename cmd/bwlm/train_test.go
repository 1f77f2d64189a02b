package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/wavlm"
)

// tinyExperiment trains on the tiny study: two subjects who hear tones, a WavLM with random weights.
const tinyExperiment = `
model: {path: model, layer: 2, window_seconds: 0.2, stride_seconds: 0.1, pooling: mean}
data: {path: data, subjects: all, train: [one, two], val: val, test: test, trim: [4, 2], detrend: "legendre:1"}
readout: {bottleneck: 6, delays_seconds: [0.4, 0.8]}
train: {epochs: 2, block_rows: 10, context_rows: 2, lr: 1e-2, readout_lr: 1e-2, dropout: 0.1}
adapter: {dropout: 0.1}
eval: {chunk_rows: 8, boots: 2}
device: cpu
out: run
`

// tinyModel writes a WavLM with random weights into a folder: model/.
func tinyModel(dir string) error {
	c := wavlm.Default(wavlm.WavLM)
	c.Hidden, c.Layers, c.Heads, c.Inner, c.PosKernel, c.PosGroups = 16, 3, 2, 32, 8, 2
	c.ConvWidth = []int{8, 8, 8, 8, 8, 8, 8}
	c.InitSize = .3
	m, err := wavlm.Fresh(context.Background(), c, speech.Options{Seed: 7})
	if err != nil {
		return err
	}
	defer m.Close()
	return m.Save(context.Background(), filepath.Join(dir, "model"))
}

// tinyStudy writes the tiny study into a folder: tiny.yaml, model/ and data/.
func tinyStudy(dir string) error {
	if err := tinyModel(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "data"), 0o755); err != nil {
		return err
	}
	const tr, rows = .4, 40
	random := rand.New(rand.NewPCG(1, 1))
	yaml := "name: tiny\ntr_seconds: 0.4\nstories:\n"
	subjects := map[string]string{}
	for i, story := range []string{"one", "two", "val", "test"} {
		yaml += fmt.Sprintf("  %s: {audio: %s.wav}\n", story, story)
		var sound []float32
		loud := make([]float64, rows+1)
		for k := range rows {
			loud[k+1] = random.Float64()
			for range int(tr * audio.Rate) {
				at := float64(len(sound)) / audio.Rate
				sound = append(sound, float32(.3*loud[k+1]*math.Sin(2*math.Pi*300*at)+.01*random.NormFloat64()))
			}
		}
		if err := audio.WriteWAV(filepath.Join(dir, "data", story+".wav"), sound, audio.Rate,
			audio.Float32); err != nil {
			return err
		}
		for p, name := range []string{"ada", "bob"} {
			var text bytes.Buffer
			for k := range rows {
				for v := range 50 + 3*p {
					fmt.Fprintf(&text, "%.4f ", 100+loud[k]*float64(v%7-3)+.2*random.NormFloat64())
				}
				text.WriteByte('\n')
			}
			file := fmt.Sprintf("%s%d.txt", name, i)
			if err := os.WriteFile(filepath.Join(dir, "data", file), text.Bytes(), 0o644); err != nil {
				return err
			}
			subjects[name] += fmt.Sprintf("%s: %s, ", story, file)
		}
	}
	yaml += fmt.Sprintf("subjects:\n  ada: {%s}\n  bob: {%s}\nrois: {front: [0, 1, 2]}\n",
		strings.TrimSuffix(subjects["ada"], ", "), strings.TrimSuffix(subjects["bob"], ", "))
	if err := os.WriteFile(filepath.Join(dir, "data", "dataset.yaml"), []byte(yaml), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "tiny.yaml"), []byte(tinyExperiment), 0o644)
}

func TestTrainScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("trainings")
	}
	testscript.Run(t, testscript.Params{Dir: "testdata/train", RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("OMP_NUM_THREADS", "1")
			return tinyStudy(e.WorkDir)
		}})
}

// bwlm prepares this program as bwlm, on one thread: the last bits depend on their number.
func bwlm(t *testing.T, args ...string) (cmd *exec.Cmd, stderr *strings.Builder) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	stderr = &strings.Builder{}
	cmd = exec.Command(self)
	cmd.Args = append([]string{"bwlm"}, args...)
	cmd.Env = append(os.Environ(), "OMP_NUM_THREADS=1")
	cmd.Stderr = stderr
	return cmd, stderr
}

// answers runs bwlm to its end and reads its JSON.
func answers(t *testing.T, args ...string) map[string]any {
	t.Helper()
	cmd, stderr := bwlm(t, append(args, "--json")...)
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	var answer map[string]any
	require.NoError(t, json.Unmarshal(out, &answer), string(out))
	return answer
}

// stopAfter runs bwlm until the run has a number of lines of metrics, and sends a signal.
func stopAfter(t *testing.T, lines int, s os.Signal, run string, args ...string) (code int, stderr string) {
	t.Helper()
	return stopWhen(t, func() bool { return linesOf(run) >= lines }, s, args...)
}

// stopWhen runs bwlm until something is so, and sends a signal.
func stopWhen(t *testing.T, so func() bool, s os.Signal, args ...string) (code int, stderr string) {
	t.Helper()
	cmd, said := bwlm(t, args...)
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	for !so() {
		select {
		case <-ended:
			require.Fail(t, "it ended before its time", said.String())
		case <-time.After(5 * time.Millisecond):
		}
	}
	require.NoError(t, cmd.Process.Signal(s))
	<-ended
	return cmd.ProcessState.ExitCode(), said.String()
}

// resultFiles are the files of a run that a stop must not change.
func resultFiles(t *testing.T, run string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(run, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(run, path)
		if top, _, _ := strings.Cut(rel, "/"); err != nil || d.IsDir() || top == "ckpt" || top == "config.yaml" ||
			top == "manifest.json" {
			return err
		}
		data, err := os.ReadFile(path)
		files[rel] = string(data)
		return err
	}))
	require.Contains(t, files, "adapter/adapter_model.safetensors")
	require.Contains(t, files, "eval/summary.json")
	return files
}

func sameResults(t *testing.T, want map[string]string, run string) {
	t.Helper()
	got := resultFiles(t, run)
	assert.Len(t, got, len(want))
	for name, data := range want {
		assert.True(t, got[name] == data, "%s differs", name)
	}
}

func TestInterruptedTrainingGoesOn(t *testing.T) {
	if testing.Short() {
		t.Skip("several trainings")
	}
	dir := t.TempDir()
	require.NoError(t, tinyStudy(dir))
	whole := filepath.Join(dir, "whole")
	train := func(run string) []string {
		return []string{"train", filepath.Join(dir, "tiny.yaml"), "--set", "train.epochs=6", "--set", "out=" + run}
	}
	want := answers(t, train(whole)...)
	files := resultFiles(t, whole)
	type stop struct {
		signal os.Signal
		code   int
	}
	stops := map[string]stop{"int": {os.Interrupt, 130}, "kill": {os.Kill, -1}}
	if thorough {
		stops["term"] = stop{syscall.SIGTERM, 143}
	}
	for name, c := range stops {
		run := filepath.Join(dir, name)
		code, stderr := stopAfter(t, 25, c.signal, run, train(run)...)
		assert.Equal(t, c.code, code, stderr)
		if c.code > 0 {
			assert.Contains(t, stderr, "resume it with `bwlm resume "+run+"`")
		}
		stopped, err := rundir.Open(run)
		require.NoError(t, err)
		assert.Regexp(t, "^"+run+" is saved up to step [1-9][0-9]*, and later steps are lost; resume it with "+
			"`bwlm resume "+run+"`$", leftOfRun(stopped), "what a second signal would say")
		stopped.Close()
		assert.Equal(t, want, answers(t, "resume", run))
		sameResults(t, files, run)
		assert.Equal(t, want, answers(t, "eval", run), "scored once more")
		sameResults(t, files, run)
	}
}

func TestOneTrainingPerRun(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, tinyStudy(dir))
	run := filepath.Join(dir, "run")
	first, said := bwlm(t, "train", filepath.Join(dir, "tiny.yaml"), "--set", "train.epochs=1000")
	require.NoError(t, first.Start())
	defer func() { _ = first.Process.Kill(); _ = first.Wait() }()
	require.Eventually(t, func() bool {
		_, err := os.Stat(filepath.Join(run, "metrics.jsonl"))
		return err == nil
	}, time.Minute, 5*time.Millisecond, said)
	for _, args := range [][]string{{"resume", run}, {"eval", run}, {"train", filepath.Join(dir, "tiny.yaml")}} {
		code, stdout, stderr := call(t, args...)
		assert.Equal(t, 73, code, stderr)
		assert.Empty(t, stdout)
	}
	_, _, stderr := call(t, "resume", run)
	assert.Contains(t, stderr, fmt.Sprintf("process %d on ", first.Process.Pid))
}

// Real data: all 27 subjects together and one alone. The training runs through, says what it found,
// and is bit-identical after a kill. Fewer epochs than the examples have;
// what they find is in their comments.
func TestAliceTrainingSurvivesAKill(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	shared := os.Getenv("BWLM_SHARED")
	if shared == "" {
		t.Skip("BWLM_SHARED does not name the folder with the real data")
	}
	type training struct {
		file                    string
		subjects, epochs, lines int // lines of metrics before the kill
	}
	trainings := []training{{"people.yaml", 27, 1, 6}}
	if thorough {
		trainings = []training{{"people.yaml", 27, 2, 15}, {"one.yaml", 1, 1, 6}}
	}
	for _, c := range trainings {
		dir := t.TempDir()
		train := func(run string) []string {
			return []string{"train", filepath.Join("..", "..", "examples", "alice", c.file), "--set",
				"data.path=" + filepath.Join(shared, "data", "alice"),
				"--set", fmt.Sprint("train.epochs=", c.epochs), "--set", "device=cpu", "--set", "out=" + run}
		}
		whole, killed := filepath.Join(dir, "whole"), filepath.Join(dir, "killed")
		want := answers(t, train(whole)...)
		test := want["test"].(map[string]any)
		assert.Len(t, test["subjects"], c.subjects)
		assert.EqualValues(t, 112, test["rows"])
		for _, system := range []string{"base", "base_best_layer", "tuned"} {
			assert.Contains(t, test[system], "mean_r")
		}
		delta := test["delta"].(map[string]any)
		assert.Contains(t, delta, "mean_r")
		assert.Nil(t, delta["ci95"], "112 rows are too few blocks for an interval")
		assert.Contains(t, delta["no_interval_because"], "needs 20")
		assert.Less(t, math.Abs(delta["mean_r"].(float64)), .1, "so short a training cannot do wonders")

		code, stderr := stopAfter(t, c.lines, os.Kill, killed, train(killed)...)
		assert.Equal(t, -1, code, stderr)
		require.NoDirExists(t, filepath.Join(killed, "adapter"), "killed on the way")
		assert.Equal(t, want, answers(t, "resume", killed))
		sameResults(t, resultFiles(t, whole), killed)
	}
}
