package tune

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/sections"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/releasetest"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/internal/slowtest"
	"github.com/brainwavlm/bwlm/torch"
)

// released opens the golden of the authors' released code (testdata/release) with settings on top.
func released(t *testing.T, sets ...string) *study.Study {
	t.Helper()
	e, err := experiment.Load(releasetest.Path("experiment.yaml"), append(sets, "out="+t.TempDir())...)
	require.NoError(t, err)
	st, err := study.Open(t.Context(), e, study.Options{})
	require.NoError(t, err)
	t.Cleanup(st.Close)
	return st
}

// releasedTrainer is a trainer of that study before its first step.
func releasedTrainer(t *testing.T, sets ...string) *Trainer {
	t.Helper()
	tr, err := NewTrainer(t.Context(), released(t, sets...))
	require.NoError(t, err)
	t.Cleanup(tr.Close)
	return tr
}

// values are the tuned parameters by their names in the checkpoint.
func (t *Trainer) values() map[string][]float32 {
	out := map[string][]float32{}
	for name, p := range t.Params() {
		out[name] = p.Float32s()
	}
	return out
}

// goldenOf gives the folder's file and the name in it of a parameter of the checkpoint.
func goldenOf(name string) (file, inFile string) {
	if in, ok := strings.CutPrefix(name, "adapter."); ok {
		return "adapter/adapter_model.safetensors", "base_model.model." + in
	}
	return "readout.safetensors", strings.TrimPrefix(name, "readout.one.")
}

// checkState compares parameters with a folder of the golden.
func checkState(t *testing.T, what, folder string, got map[string][]float32, tolerance float64,
	skip func(name string) bool) {
	t.Helper()
	require.Len(t, got, 18+4, "two matrices in three projections of three layers, and the readout")
	worst := 0.
	for name, values := range got {
		if skip != nil && skip(name) {
			continue
		}
		file, in := goldenOf(name)
		d := releasetest.Farthest(t, releasetest.TensorOf(t, filepath.Join(folder, file), in), values)
		worst = max(worst, d)
		assert.LessOrEqual(t, d, tolerance, "%s: %s", what, name)
	}
	t.Logf("%s: largest difference %.1e, tolerance %.0e", what, worst, tolerance)
}

func TestTheReleasesStartAndOrder(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	tr := releasedTrainer(t)
	checkState(t, "initial values", releasetest.Path("init"), tr.values(), 0, nil)
	var want [][]any
	releasetest.JSON(t, &want, "want/order.json")
	var got [][]any
	for epoch := range 2 {
		tr.Progress.Epoch = epoch
		for _, b := range tr.ordered() {
			got = append(got, []any{float64(epoch + 1), b.Story, float64(b.From), float64(b.To)})
		}
	}
	assert.Equal(t, want, got)
}

func TestTheReleasesLanczos(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	st := released(t)
	tol := releasetest.Tolerances(t)["lanczos"]
	for _, c := range []struct {
		story, kind string
		design      *design.StoryDesign
	}{{"alpha", "clipped", st.Stimuli["alpha"].Tuning}, {"alpha", "full", st.Stimuli["alpha"].Design}, {"charlie",
		"clipped", st.Stimuli["charlie"].Tuning}} {
		rows := st.Stimuli[c.story].Rows
		dense, from, to := sections.Dense(c.design.Weights, 0, rows)
		head := c.story + "." + c.kind + "."
		row, window := goldenInts(t, head+"row"), goldenInts(t, head+"window")
		want := make([]float32, rows*(to-from))
		for i, w := range releasetest.Tensor(t, "lanczos.safetensors", head+"weight") {
			require.True(t, window[i] >= from && window[i] < to, "window %d", window[i])
			want[row[i]*(to-from)+window[i]-from] = w
		}
		releasetest.Within(t, want, dense, tol, head)
		for i, w := range want {
			require.True(t, c.kind == "full" || dense[i] >= 0 && (w != 0) == (dense[i] != 0), "%s: element %d", head, i)
		}
	}
}

// goldenInts reads indices of lanczos.safetensors.
func goldenInts(t *testing.T, name string) (out []int) {
	t.Helper()
	for _, v := range releasetest.Ints(t, "lanczos.safetensors", name) {
		out = append(out, int(v))
	}
	return out
}

// released block: features of its windows and rows, its prediction.
type blockPass struct{ vectors, delayed, pred []float32 }

// pass computes a block without gradients.
func (t *Trainer) pass(ctx context.Context, b Block) (out blockPass, err error) {
	stim := t.Study.Stimuli[b.Story]
	section := sections.Of(stim.Tuning, b.From, b.To, t.Study.Experiment.Train.ContextRows)
	u := &unitPass{trainer: t, stim: stim, units: t.Reader.Units(stim, section.Vectors.From, section.Vectors.To)}
	err = t.Session.Infer(ctx, func(s *torch.Scope) error {
		vectors := u.frozen(s)
		x := section.Matrix(vectors, t.zscoreOf(b.Story))
		out = blockPass{vectors.Float32s(), x.Float32s(), t.Readouts[0].Forward(x).Float32s()}
		return nil
	})
	return out, err
}

func TestTheReleasesFirstStep(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole training, or a golden of one")
	}
	tr, tol := releasedTrainer(t), releasetest.Tolerances(t)
	b := tr.ordered()[0]
	require.Equal(t, Block{"charlie", 0, 10, []int{0}}, b)
	p, err := tr.pass(t.Context(), b)
	require.NoError(t, err)
	want := func(name string) []float32 { return releasetest.Tensor(t, "step1_forward.safetensors", name) }
	section := sections.Of(tr.Study.Stimuli["charlie"].Tuning, 0, 10, 0)
	assert.EqualValues(t, want("first_window")[0], section.Vectors.From)
	releasetest.Within(t, want("window_features"), p.vectors, tol["forward"], "features of windows")
	releasetest.Within(t, want("rows"), tr.Study.Stimuli["charlie"].Tuning.Weights.Apply(padded(p.vectors, section,
		tr), releasetest.Width)[:10*releasetest.Width],
		tol["forward"], "features of rows")
	releasetest.Within(t, want("delayed"), p.delayed, tol["forward"], "delayed")
	var normed []float32 // the first delay, a row later
	for row := 1; row < 10; row++ {
		normed = append(normed, p.delayed[row*256:][:64]...)
	}
	releasetest.Within(t, want("normed")[:9*64], normed, tol["forward"], "standardised")
	releasetest.Within(t, want("pred"), p.pred, tol["forward"], "predictions")

	checkGradients(t, tr, b, "step1_gradient.safetensors", releasetest.Array(t, "want/losses.npy")[0])
	loss, err := tr.Step(t.Context(), b, 1)
	require.NoError(t, err)
	assert.InDelta(t, releasetest.Array(t, "want/losses.npy")[0], loss, tol["loss"])
	checkState(t, "after step 1", releasetest.Path("want/step1"), tr.values(), tol["state1"], nil)
}

// padded puts the vectors of a section among zeros for all windows of charlie.
func padded(vectors []float32, section sections.Section, tr *Trainer) []float32 {
	out := make([]float32, len(tr.Study.Stimuli["charlie"].Windows)*releasetest.Width)
	copy(out[section.Vectors.From*releasetest.Width:], vectors)
	return out
}

// checkGradients compares loss and gradients of a block with a file of the golden, whose gradients that are
// not there are 0.
func checkGradients(t *testing.T, tr *Trainer, b Block, file string, wantLoss float64) {
	t.Helper()
	tol := releasetest.Tolerances(t)
	y, err := tr.ReadTargets(t.Context(), b)
	require.NoError(t, err)
	worst := 0.
	require.NoError(t, tr.Session.Train(t.Context(), 1, func(s *torch.Scope) error {
		loss, err := tr.Backward(s, b, y, 1)
		require.NoError(t, err)
		assert.InDelta(t, wantLoss, loss, tol["loss"])
		for name, p := range tr.Params() {
			grad := p.Grad(s).Float32s()
			_, in := goldenOf(name)
			if strings.HasPrefix(name, "readout.") {
				in = "readout." + in
			} else if strings.HasSuffix(in, "lora_A.weight") && strings.HasPrefix(file, "zero") {
				continue
			}
			want := releasetest.Tensor(t, file, in)
			largest := 1e-12
			for _, w := range want {
				largest = max(largest, math.Abs(float64(w)))
			}
			d := releasetest.Farthest(t, want, grad) / largest
			worst = max(worst, d)
			assert.LessOrEqual(t, d, tol["gradient"]+1e-12, name)
		}
		tr.ClearGrad()
		return nil
	}))
	t.Logf("%s: gradients differ by at most %.1e of the largest of their tensor, tolerance %.0e", file, worst,
		tol["gradient"])
}

// With biases that start at 0, the first row of each block is predicted to be 0 everywhere, and yet passes a gradient.
func TestTheReleasesGradientThroughAConstantRow(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole training, or a golden of one")
	}
	tr := releasedTrainer(t)
	require.NoError(t, tr.Session.Train(t.Context(), 1, func(s *torch.Scope) error {
		for name, p := range tr.Params() {
			if strings.HasSuffix(name, ".bias") {
				p.CopyFrom(s.Zeros(p.Shape()...))
			}
		}
		return nil
	}))
	checkGradients(t, tr, tr.ordered()[0], "zero_bias_step1.safetensors", float64(releasetest.Tensor(t,
		"zero_bias_step1.safetensors", "loss")[0]))
}

func TestTheReleasesTraining(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for a minute")
	}
	checkTraining(t, "want")
}

func TestVariantsOfTheReleasesTraining(t *testing.T) {
	for name, sets := range map[string][]string{
		"released_rates": {"train.lr=1e-4", "train.readout_lr=1e-4"}, "temporal": {"train.loss=temporal"},
		"mse": {"train.loss=mse"},
	} {
		t.Run(name, func(t *testing.T) {
			if !slowtest.Thorough {
				t.Skip("three trainings of a minute: in make slow")
			}
			checkTraining(t, "want/variants/"+name, sets...)
		})
	}
}

// checkTraining compares the two epochs of a training with a folder of the golden: losses, states, validation, features
// and the choice of the epoch.
func checkTraining(t *testing.T, folder string, sets ...string) {
	t.Helper()
	tol, main := releasetest.Tolerances(t), folder == "want"
	if !main {
		var variant struct{ Tolerances map[string]float64 }
		releasetest.JSON(t, &variant, folder, "variant.json")
		for key, value := range variant.Tolerances {
			tol[key] = value
		}
	}
	// A temporal loss does not see constants over time: the biases have no gradient but rounding.
	unseen := func(name string) bool {
		return strings.HasSuffix(folder, "temporal") && strings.HasSuffix(name, "bias")
	}
	tr := releasedTrainer(t, append(sets, "train.save_features=all")...)
	run, err := tr.Study.Begin(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { run.Close() })

	var val map[string]json.RawMessage
	releasetest.JSON(t, &val, folder, "val.json")
	wantR := releasetest.Array(t, folder, "ridge/val_r.npy") // (epochs, voxels)
	var choice struct {
		Best  int `json:"best_epoch"`
		Score []float64
	}
	releasetest.JSON(t, &choice, folder, "ridge/ridge.json")

	check := func(epoch int) {
		checkFirstBlocks(t, tr, epoch, val[fmt.Sprint(epoch)], tol, main)
		if epoch > 0 && (main || epoch == 2) {
			checkState(t, fmt.Sprintf("after epoch %d", epoch), releasetest.Path(folder, fmt.Sprintf("epoch%d",
				epoch)), tr.values(), tol["state"], unseen)
		}
		want := wantR[epoch*releasetest.Voxels:][:releasetest.Voxels]
		releasetest.Within(t, float32s(want), float32s(tr.valid[0].R), tol["r"],
			fmt.Sprintf("epoch %d: validation r of each voxel", epoch))
	}
	tr.Study.Options.Progress = func(e progress.Event) {
		if e.Phase == "epoch" {
			check(e.Epoch)
		}
	}
	require.NoError(t, tr.start(t.Context(), run))
	for range 2 {
		require.NoError(t, tr.epoch(t.Context(), run))
	}
	p := &tr.Progress
	assert.Equal(t, choice.Best, p.Epochs[p.Best].Epoch)
	for i, e := range p.Epochs {
		assert.InDelta(t, choice.Score[i], e.ValR, tol["r"])
	}
	assert.Equal(t, 36, p.Step)
	var losses []float32
	f, err := os.Open(run.File("metrics.jsonl"))
	require.NoError(t, err)
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var line struct {
			Story string
			Loss  float32
		}
		require.NoError(t, json.Unmarshal(s.Bytes(), &line))
		if line.Story != "" {
			losses = append(losses, line.Loss)
		}
	}
	releasetest.Within(t, float32s(releasetest.Array(t, folder, "losses.npy")), losses, tol["loss"],
		"loss of each step")
	if main {
		checkSavedFeatures(t, run, tol["features"])
	}
}

func float32s(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}

// checkFirstBlocks compares loss and scores of rows 0 to 9 of the validation stories, which the release logs.
func checkFirstBlocks(t *testing.T, tr *Trainer, epoch int, want json.RawMessage, tol map[string]float64, main bool) {
	t.Helper()
	var stories map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(want, &stories))
	worst := 0.
	for _, story := range releasetest.Held[:2] {
		var wanted struct{ Loss, EncPerf float64 }
		require.NoError(t, json.Unmarshal(stories[story], &wanted))
		b := Block{story, 0, 10, []int{0}}
		p, err := tr.pass(t.Context(), b)
		require.NoError(t, err)
		y, err := tr.ReadTargets(t.Context(), b)
		require.NoError(t, err)
		var loss float64
		require.NoError(t, tr.Session.Infer(t.Context(), func(s *torch.Scope) error {
			loss = tr.fidelity(s, 0, s.FromFloat32(p.delayed, 10, 256), y.tuned[0]).Item()
			return nil
		}))
		r, _ := stats.Correlation(p.pred, y.tuned[0], 10, releasetest.Voxels)
		mean := 0.
		for _, v := range r {
			mean += v * 9 / 10 / releasetest.Voxels
		}
		worst = max(worst, math.Abs(wanted.Loss-loss), math.Abs(wanted.EncPerf-mean))
		assert.InDelta(t, wanted.Loss, loss, tol["val"], "epoch %d, %s", epoch, story)
		assert.InDelta(t, wanted.EncPerf, mean, tol["val"], "epoch %d, %s", epoch, story)
		if main {
			releasetest.Within(t, releasetest.Tensor(t, "val_pred.safetensors", fmt.Sprintf("epoch%d.%s", epoch,
				story)), p.pred, tol["val_pred"],
				fmt.Sprintf("epoch %d: predictions of the first rows of %s", epoch, story))
		}
	}
	t.Logf("epoch %d: loss and score of the first ten rows of the validation stories: largest difference %.1e, "+
		"tolerance %.0e", epoch, worst, tol["val"])
}

// checkSavedFeatures compares the features that train.save_features leaves.
func checkSavedFeatures(t *testing.T, run *rundir.Run, tolerance float64) {
	t.Helper()
	for epoch := range 3 {
		rows := releasetest.Features(t, run.Dir, epoch, releasetest.Layer)
		var want, got []float32
		for _, story := range append(append([]string(nil), releasetest.Train...), releasetest.Held...) {
			want = append(want, releasetest.Tensor(t, fmt.Sprintf("features_epoch%d.safetensors", epoch), story)...)
			require.Equal(t, releasetest.Width, rows[story].Cols)
			got = append(got, rows[story].Data...)
		}
		releasetest.Within(t, want, got, tolerance, fmt.Sprintf("features at rows, epoch %d", epoch))
		for layer := 0; layer <= 4 && epoch != 1; layer++ {
			rows := releasetest.Features(t, run.Dir, epoch, layer)
			want := releasetest.Tensor(t, fmt.Sprintf("all_layers_epoch%d.safetensors", epoch),
				fmt.Sprintf("layer.%d", layer))
			releasetest.Within(t, want, rows["wheretheressmoke"].Data, tolerance,
				fmt.Sprintf("features at rows, epoch %d, layer %d", epoch, layer))
		}
	}
}
