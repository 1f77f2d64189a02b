package experiment

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

// enough is a file that Validate accepts; cases add lines to it, from line 7 on.
const enough = `model: {path: m}
out: o
data:
  path: d
  subjects: all
  train: a
  val: b
  test: c
`

func load(t *testing.T, text string, sets ...string) (*Experiment, error) {
	t.Helper()
	e, err := ReadBytes("exp.yaml", []byte(text))
	if err != nil {
		return nil, err
	}
	for _, s := range sets {
		if err := e.Set(s); err != nil {
			return nil, err
		}
	}
	return e, e.Validate()
}

func TestDefaultsAreTheRecipe(t *testing.T) {
	e, err := load(t, enough)
	require.NoError(t, err)
	assert.Equal(t, 9, e.Model.Layer)
	assert.Equal(t, 4.0, e.Model.WindowSeconds)
	assert.Equal(t, 0.25, e.Model.StrideSeconds)
	assert.Equal(t, PoolLast, e.Model.Pooling)
	assert.Equal(t, Adapter{Type: "lora", R: 4, Alpha: 4, Targets: []string{"auto"}}, e.Adapter)
	assert.Equal(t, [2]int{10, 5}, e.Data.Trim)
	assert.Equal(t, Readout{Mode: "trained", LayerWeights: "none", Bias: "zeros", Bottleneck: 100,
		DelaysSeconds: []float64{2, 4, 6, 8}, LagsMS: []float64{0, 80, 160, 240}}, e.Readout)
	assert.Equal(t, Train{Mode: "lora", Loss: "auto", CosineShare: .5, Temperature: .1, Reliability: "none",
		RetainWeight: 1, Joint: "shared",
		Epochs: 20, BlockRows: 10, ContextRows: 4, UnitWindows: 16, LR: 1e-4, ReadoutLR: 1e-4, LayerWeightsLR: 1e-2,
		EpochBy: "pooled", Order: "shuffled", LastBlock: "merge", SaveFeatures: "none", CheckpointMinutes: 15}, e.Train)
	assert.Empty(t, e.Model.ReinitLayers)
	assert.Equal(t, Eval{Alphas: e.Eval.Alphas, Boots: 3, ChunkRows: 40, HeldOut: .25, Layer: "model", Folds: "none",
		Chunks: "all",
		Metric: "r", Ties: "larger",
		Intercept: true, ZScore: "none"}, e.Eval)
	assert.Len(t, e.Eval.Alphas, 10)
	assert.InDeltaSlice(t, []float64{10, 21.5443469, 46.4158883, 100, 215.443469, 464.158883, 1000, 2154.43469,
		4641.58883, 10000},
		e.Eval.Alphas, 1e-5) // numpy.logspace(1, 4, 10)
	assert.Equal(t, Compat{}, e.Compat)
	assert.Equal(t, FromDefault, e.Origin("train.lr"))
	assert.Equal(t, FromFile, e.Origin("out"))
}

func TestFormsOfValues(t *testing.T) {
	e, err := load(t, `
model: {path: /abs/m, layer: 0x9}
out: ../o
adapter: {alpha: 8, targets: all-linear, layers: [0, 1, 8]}
data:
  path: d
  subjects: [01, 2, "s*", &x sub-3, yes]
  train: ["alice[10:200]", b]
  val: alice[210:]
  test: ["alice[:5]"]
  roi: temporal
  detrend: legendre:3
  trim: [0, 0]
train: {lr: 1e-3, seed: 18446744073709551615, epochs: 1_000}
eval: {alphas: "logspace(0, 2, 3)"}
device: cuda:1
`)
	require.NoError(t, err)
	assert.Equal(t, []string{"01", "2", "s*", "sub-3", "yes"}, e.Data.Subjects)
	assert.Equal(t, []string{"alice[10:200]", "b"}, e.Data.Train)
	assert.Equal(t, []string{"temporal"}, e.Data.ROI)
	assert.Equal(t, 3, e.Data.LegendreDegree())
	assert.Equal(t, -1, Data{Detrend: "none"}.LegendreDegree())
	assert.Equal(t, []int{0, 1, 8}, e.Adapter.Layers)
	assert.Equal(t, 1e-3, e.Train.LR)
	assert.Equal(t, uint64(1<<64-1), e.Train.Seed)
	assert.Equal(t, 1000, e.Train.Epochs)
	assert.Equal(t, []float64{1, 10, 100}, e.Eval.Alphas)
}

func TestRelativePaths(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "exp", "e.yaml")
	require.NoError(t, os.Mkdir(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(enough), 0o644))
	e, err := Load(file, "out=run")
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(dir, "exp", "m"), e.Model.Path, "in the file: from its directory")
	cwd, err := os.Getwd()
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(cwd, "run"), e.Out, "in a --set: from the working directory")

	copied := filepath.Join(dir, "config.yaml")
	f, err := os.Create(copied)
	require.NoError(t, err)
	require.NoError(t, e.Write(f))
	require.NoError(t, f.Close())
	again, err := Load(copied)
	require.NoError(t, err)
	assert.Equal(t, values(e), values(again), "a resolved copy means the same in another directory")
}

func values(e *Experiment) map[string]string {
	out := map[string]string{}
	for s := range e.Settings() {
		out[s.Key] = s.Value
	}
	return out
}

func TestBadFiles(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"empty", "", "exp.yaml: the file holds no keys; start from experiment.Template"},
		{"comments only", "# nothing\n",
			"exp.yaml: the file holds no keys; start from experiment.Template"},
		{"not a mapping", "- a\n",
			"exp.yaml:1:1: want keys such as `model:`, got a list; start from experiment.Template"},
		{"text", "hello", "exp.yaml:1:1: want keys such as `model:`, got the text \"hello\"; start from " +
			"experiment.Template"},
		{"unknown key", enough + "train:\n  epoch: 3\n",
			"exp.yaml:10:3: unknown key train.epoch; did you mean train.epochs?"},
		{"unknown key in braces", "model: {path: m, laier: 3}\n",
			"exp.yaml:1:18: unknown key model.laier; did you mean model.layer?"},
		{"case", "Model: {path: m}\n", "exp.yaml:1:1: unknown key Model; did you mean model?"},
		{"American", "model:\n  normalize: none\n",
			"exp.yaml:2:3: unknown key model.normalize; did you mean model.normalise?"},
		{"other section", "train:\n  bottleneck: 3\n",
			"exp.yaml:2:3: unknown key train.bottleneck; did you mean readout.bottleneck?"},
		{"missing section", "lr: 3\n", "exp.yaml:1:1: unknown key lr; did you mean train.lr?"},
		{"section misspelled", "dat: {}\n", "exp.yaml:1:1: unknown key dat; did you mean data?"},
		{"dotted", "train.lr: 3\n", "exp.yaml:1:1: unknown key train.lr; write lr below `train:`"},
		{"nothing near", "readout:\n  zzzzzzzzz: 3\n", "exp.yaml:2:3: unknown key readout.zzzzzzzzz; known here: " +
			"readout.mode, readout.refit_steps, readout.layer_weights, readout.bottleneck, readout.bias, " +
			"readout.init, readout.delays_seconds, " +
			"readout.lags_ms, readout.lag_windows"},
		{"nothing near at top", "zzzzzzzzz: 3\n", "exp.yaml:1:1: unknown key zzzzzzzzz; known here: model, adapter, " +
			"data, readout, train, eval, compat, device, dtype, max_memory, out"},
		{"merge key", "a: &a {lr: 1}\n", "exp.yaml:1:1: unknown key a; known here: model, adapter, data, readout, " +
			"train, eval, compat, device, dtype, max_memory, out"},
		{"twice", "out: a\nmodel: {path: m}\nout: b\n", "exp.yaml:3:1: out is given twice, first on line 1; keep one " +
			"of them"},
		{"section twice", "train: {lr: 1}\nmodel: {path: m}\ntrain: {epochs: 1}\n",
			"exp.yaml:3:1: train is given twice, first on line 1; keep one of them"},
		{"text for int", "model:\n  layer: nine\n", "exp.yaml:2:10: model.layer: want a whole number, got the text " +
			"\"nine\""},
		{"quoted int", "model:\n  layer: \"9\"\n", "exp.yaml:2:10: model.layer: want a whole number, got the text " +
			"\"9\""},
		{"float for int", "model:\n  layer: 9.5\n", "exp.yaml:2:10: model.layer: want a whole number, got 9.5"},
		{"bool for number", "train: {dropout: false}\n", "exp.yaml:1:18: train.dropout: want a number, got false"},
		{"int too large", "model: {layer: 99999999999999999999}\n",
			"exp.yaml:1:16: model.layer: want a whole number, got 99999999999999999999"},
		{"negative seed", "train: {seed: -1}\n", "exp.yaml:1:15: train.seed: want a whole number from 0, got -1"},
		{"list for word", "model:\n  pooling: [last]\n", "exp.yaml:2:12: model.pooling: want a word, got a list"},
		{"keys for number", "train:\n  lr: {a: 1}\n", "exp.yaml:2:7: train.lr: want a number, got a section of keys"},
		{"nothing", "train:\n  lr:\n",
			"exp.yaml:2:6: train.lr has no value; give one, or remove the key to have the default"},
		{"null", "train: {lr: null}\n",
			"exp.yaml:1:13: train.lr has no value; give one, or remove the key to have the default"},
		{"item of a list", "readout:\n  delays_seconds: [2, x]\n",
			"exp.yaml:2:23: readout.delays_seconds: want a number, got the text \"x\""},
		{"nested list", "data:\n  subjects: [[a]]\n", "exp.yaml:2:14: data.subjects: want a word, got a list"},
		{"short pair", "data: {trim: [1]}\n", "exp.yaml:1:14: data.trim: want two whole numbers [a, b], got 1"},
		{"section is a value", "train: 3\n", "exp.yaml:1:8: train: want keys below it, got 3"},
		{"odd key", "{[a]: 1}\n", "exp.yaml:1:2: a key must be a word, got a list"},
		{"foreign tag", "out: !!python/object o\n",
			"exp.yaml:1:6: out: want a word, got a value with the tag \"!!python/object\""},
		{"two documents", enough + "---\nout: b\n",
			"exp.yaml:9:1: a second document begins; keep one experiment per file"},
		{"bad YAML", "out: a\ntrain: [1\nmodel: {}\n", "exp.yaml:2: not YAML: did not find expected ',' or ']'; " +
			"check indentation and quotes there; names with * or [ ] in a list need quotes"},
		{"bad indentation", "out: a\nmodel:\n    path: m\n  layer: 3\n",
			"exp.yaml:4: not YAML: did not find expected key; check indentation and quotes there; names with * or [ " +
				"] in a list need quotes"},
		{"bracket at once", "[", "exp.yaml:1: not YAML: did not find expected node content; check indentation and " +
			"quotes there; names with * or [ ] in a list need quotes"},
		{"unquoted rows", "data: {train: [alice[10:200]]}", "exp.yaml:1: not YAML: did not find expected ',' or ']'; " +
			"check indentation and quotes there; names with * or [ ] in a list need quotes"},
		{"tab", "train:\n\tlr: 1\n", "exp.yaml:2: not YAML: found character that cannot start any token; check " +
			"indentation and quotes there; names with * or [ ] in a list need quotes"},
		{"unquoted star", "data:\n  subjects: *\n", "exp.yaml:2: not YAML: did not find expected alphabetic or " +
			"numeric character; check indentation and quotes there; names with * or [ ] in a list need quotes"},
		{"NUL", "out: a\x00\n", "exp.yaml:1: not YAML: control characters are not allowed; check indentation and " +
			"quotes there; names with * or [ ] in a list need quotes"},
		{"unknown switch", "compat: [no_contxt]\n",
			"exp.yaml:1:9: compat: no switch \"no_contxt\"; did you mean no_context?"},
		{"long text is cut", "train:\n  lr: " + strings.Repeat("x", 1000) + "\n",
			"exp.yaml:2:7: train.lr: want a number, got the text \"" + strings.Repeat("x", 60) + "…\""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := ReadBytes("exp.yaml", []byte(c.text))
			require.EqualError(t, err, "experiment: "+c.want)
			assert.Equal(t, fault.Usage, fault.KindOf(err))
		})
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	_, err := readFile(t.Context(), filepath.Join(dir, "none.yaml"))
	require.EqualError(t, err,
		"experiment: "+dir+"/none.yaml: no such file; check the name, or start from experiment.Template")
	assert.Equal(t, fault.Missing, fault.KindOf(err))
	_, err = readFile(t.Context(), dir)
	require.EqualError(t, err, "experiment: "+dir+": is a directory; give the YAML file itself")
	assert.Equal(t, fault.Missing, fault.KindOf(err))

	large := filepath.Join(dir, "large.yaml")
	require.NoError(t, os.WriteFile(large, make([]byte, maxBytes+1), 0o644))
	_, err = readFile(t.Context(), large)
	require.EqualError(t, err, "experiment: "+large+": larger than 2097152 bytes; is this an experiment file?")
	_, err = readFile(t.Context(), "/dev/zero")
	require.EqualError(t, err,
		"experiment: /dev/zero: is a device or socket, want a file or a pipe; give the YAML file itself")
}

// hostile texts would cost much memory or time in a careless reader.
func hostile() map[string]string {
	bomb := "a: &a [x, x]\n"
	for c := 'b'; c < 'z'; c++ {
		bomb += string(c) + ": &" + string(c) + " [*" + string(c-1) + ", *" + string(c-1) + "]\n"
	}
	return map[string]string{
		"alias bomb":      bomb,
		"alias in a list": "data: {roi: &a [*a, *a]}\n",
		"many aliases":    "data:\n  subjects: [&a x" + strings.Repeat(", *a", 500_000) + "]\n",
		"many items":      "data:\n  subjects: [x" + strings.Repeat(",x", 1_000_000) + "]\n",
		"many lines":      strings.Repeat("a:\n", 600_000),
		"many comments":   strings.Repeat("#\n", 900_000),
		"deep list":       strings.Repeat("[", 1_000_000),
		"deep dashes":     strings.Repeat("- ", 9_000),
		"deep questions":  strings.Repeat("? ", 900_000),
		"long word":       "out: " + strings.Repeat("b ", 1_000_000),
		"long key":        strings.Repeat("k", 1_000_000) + ": 1\n",
		"documents":       strings.Repeat("---\n", 500_000),
	}
}

func TestHostileFilesAreCheap(t *testing.T) {
	for name, text := range hostile() {
		t.Run(name, func(t *testing.T) { cheap(t, []byte(text)) })
	}
}

// cheap reads text under the guard of an allocation and a time limit.
func cheap(t *testing.T, text []byte) (*Experiment, error) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	e, err := ReadBytes("exp.yaml", text)
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64*len(text)+24<<20), "bytes allocated")
	require.Less(t, took, 10*time.Second, "a hang; other work on the machine only slows it")
	if err != nil {
		var f *fault.Error
		require.True(t, errors.As(err, &f))
		require.Contains(t, []fault.Kind{fault.Usage, fault.IO}, f.Kind)
		require.NotContains(t, err.Error(), "\n")
		require.Less(t, len(err.Error()), 2000)
	}
	return e, err
}

func FuzzReadBytes(f *testing.F) {
	f.Add([]byte(Template("bold")))
	f.Add([]byte(enough))
	f.Add([]byte("compat: [first_frame]\neval: {alphas: logspace(1, 2, 3)}\nout: \"\\x00\"\n"))
	for _, text := range hostile() {
		f.Add([]byte(text[:min(len(text), 2000)]))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		e, err := cheap(t, text)
		if err != nil || e.Validate() != nil {
			return
		}
		var b strings.Builder
		require.NoError(t, e.Write(&b))
		again, err := ReadBytes("exp.yaml", []byte(b.String()))
		require.NoError(t, err, b.String())
		require.NoError(t, again.Validate())
		require.Equal(t, values(e), values(again), b.String())
	})
}
