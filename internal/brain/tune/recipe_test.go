package tune_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/releasetest"
	"github.com/brainwavlm/bwlm/npy"
)

// planted is a training in which a tuned epoch wins: the untuned model reads one frame of windows of noise-like
// features, and responses follow the loudness of two tones. It keeps every epoch.
func planted(t *testing.T, change func(*experiment.Experiment)) *study.Study {
	return studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Data.Train, e.Data.Val, e.Data.Test = []string{"one", "two"}, []string{"val"}, []string{"test"}
		e.Train.EpochBy, e.Eval.ReuseAlphas, e.Train.Order, e.Train.LastBlock = "story_mean", true, "listed", "keep"
		e.Eval.Intercept, e.Eval.Chunks, e.Eval.Ties, e.Eval.ZScore, e.Data.ZScore = false, "whole", "smaller",
			"story", "none"
		e.Readout.Bias, e.Train.KeepEpochs, e.Train.SaveFeatures, e.Train.Epochs = "uniform", true, "layer", 3
		if change != nil {
			change(e)
		}
	})
}

// TestATunedEpochThatWinsIsChosenByTheAlphasOfEpochZeroAndScoredByItsOwn: the epochs are scored again from what the run
// keeps of each.
func TestATunedEpochThatWinsIsChosenByTheAlphasOfEpochZeroAndScoredByItsOwn(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole training, or a golden of one")
	}
	st := planted(t, nil)
	run, p := studytest.MustFit(t, st)
	require.Positive(t, p.Best, "planted so that tuning helps: %v", p.Epochs)
	subject := st.Subjects[0]
	var alphas [][]float64
	own := map[int][]float64{}
	for epoch, e := range p.Epochs {
		tuned, err := st.LoadAdapter(t.Context(), run.File(fmt.Sprintf("epochs/%d/adapter", epoch)))
		require.NoError(t, err)
		f, err := encoding.Read(t.Context(), st, st.Reader(tuned.Model), "", st.StoriesOf(study.Splits...), 2)
		require.NoError(t, err)
		scores, err := encoding.Validation(t.Context(), st, f, [][]int{subject.Columns()}, alphas, nil)
		require.NoError(t, err)
		if alphas == nil {
			alphas = [][]float64{scores[0].Alphas}
		}
		mean, _ := stats.Mean(scores[0].R, scores[0].Constant, nil)
		assert.InDelta(t, mean, e.ValR, 1e-6, "epoch %d", epoch)
		assert.LessOrEqual(t, e.ValR, p.Epochs[p.Best].ValR)

		again, err := encoding.Predict(t.Context(), st, st.Subjects, f, study.Test)
		require.NoError(t, err)
		own[epoch] = again[0].Alphas

		saved := releasetest.Features(t, run.Dir, epoch, 2)
		for _, story := range st.Stories {
			x, channels, err := encoding.Represent(t.Context(), st, tuned, story)
			require.NoError(t, err)
			assert.Equal(t, npy.Matrix{Rows: st.Stimuli[story].Rows, Cols: channels, Data: x}, saved[story],
				"epoch %d, %s", epoch, story)
		}
		tuned.Close()
		assert.FileExists(t, run.File(fmt.Sprintf("epochs/%d/readout/ada.safetensors", epoch)))
	}
	same := func(a, b string) {
		one, err := os.ReadFile(run.File(a))
		require.NoError(t, err)
		other, err := os.ReadFile(run.File(b))
		require.NoError(t, err)
		assert.Equal(t, one, other, "%s, %s", a, b)
	}
	same("adapter/adapter_model.safetensors", fmt.Sprintf("epochs/%d/adapter/adapter_model.safetensors", p.Best))
	same("readout/ada.safetensors", fmt.Sprintf("epochs/%d/readout/ada.safetensors", p.Best))

	_, err := evaluate.EvaluateRun(t.Context(), st, run)
	require.NoError(t, err)
	a, err := npy.Read(run.File("eval/test/ada/tuned_alpha.npy"))
	require.NoError(t, err)
	got, err := a.Float32()
	require.NoError(t, err)
	differ := 0
	for v, alpha := range got {
		assert.InEpsilon(t, own[p.Best][v], alpha, 1e-6)
		if alphas[0][v] != own[p.Best][v] {
			differ++
		}
	}
	assert.Positive(t, differ, "the chosen epoch has alphas of its own")
}

// TestAStoppedTrainingComparesWithTheSameAlphas, which its checkpoint holds.
func TestAStoppedTrainingComparesWithTheSameAlphas(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole training, or a golden of one")
	}
	dir := t.TempDir()
	require.NoError(t, studytest.TinyModel(t.Context(), filepath.Join(dir, "model")))
	exp := func(out string) *experiment.Experiment {
		e := studytest.Resumed(dir, filepath.Join(dir, out))
		e.Eval.ReuseAlphas, e.Train.EpochBy, e.Train.Order = true, "story_mean", "listed"
		return e
	}
	require.NoError(t, studytest.TrainOnce(t.Context(), exp("whole"), study.Options{}))
	ctx, watch := studytest.StopAt(t.Context(), "tune", 8)
	require.ErrorIs(t, studytest.TrainOnce(ctx, exp("stopped"), study.Options{Progress: watch}), studytest.ErrStop)
	require.NoError(t, studytest.TrainOnce(t.Context(), exp("stopped"), study.Options{}))
	studytest.Same(t, studytest.Outcome(t, filepath.Join(dir, "whole")), filepath.Join(dir, "stopped"),
		"stopped at step 8")
}

func TestInitialValuesAreTaken(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	st := planted(t, nil)
	run, p := studytest.MustFit(t, st)
	require.Positive(t, p.Best)
	next := planted(t, func(e *experiment.Experiment) {
		e.Adapter.Init, e.Readout.Init = run.File("adapter"), run.File("readout/{subject}.safetensors")
	})
	tr, err := tune.NewTrainer(t.Context(), next)
	require.NoError(t, err)
	defer tr.Close()
	for name, path := range map[string]string{"adapter.": "adapter/adapter_model.safetensors",
		"readout.ada.": "readout/ada.safetensors"} {
		f, err := ckpt.Open(run.File(path))
		require.NoError(t, err)
		n := 0
		for param, value := range tr.Params() {
			for _, in := range []string{"base_model.model." + param[min(len(name), len(param)):], param[min(len(name),
				len(param)):]} {
				if _, ok := f.Info(in); ok && param[:min(len(name), len(param))] == name {
					want, err := f.Float32(in)
					require.NoError(t, err)
					assert.Equal(t, want, value.Float32s(), param)
					n++
				}
			}
		}
		assert.Positive(t, n, path)
		require.NoError(t, f.Close())
	}
	m, err := next.Manifest(t.Context())
	require.NoError(t, err)
	for _, file := range []string{"adapter/adapter_model.safetensors", "adapter/adapter_config.json",
		"readout/ada.safetensors"} {
		assert.True(t, slices.ContainsFunc(m.Inputs,
			func(in results.ManifestInput) bool { return in.Path == run.File(file) }), "the manifest has %s", file)
	}
	for _, c := range []struct {
		change func(*experiment.Experiment)
		want   string
	}{
		{func(e *experiment.Experiment) { e.Adapter.Init, e.Adapter.R = run.File("adapter"), 2 },
			"has rank 4 and alpha 4 (rslora: false), the experiment 2 and 4 (false)"},
		{func(e *experiment.Experiment) { e.Adapter.Init, e.Adapter.Alpha = run.File("adapter"), 8 },
			"the experiment 4 and 8"},
		{func(e *experiment.Experiment) {
			e.Adapter.Init, e.Adapter.Targets = run.File("adapter"), []string{"attention"}
		}, "there is no encoder.layers.0.attention.out_proj.lora_A.weight"},
		{func(e *experiment.Experiment) { e.Adapter.Init = "nowhere" }, "nowhere"},
		{func(e *experiment.Experiment) {
			e.Readout.Init, e.Readout.Bottleneck = run.File("readout/ada.safetensors"), 5
		}, "has shape [6 32], the readout of ada [5 32]"},
		{func(e *experiment.Experiment) {
			e.Readout.Init, e.Data.ROI = run.File("readout/ada.safetensors"), []string{"front"}
		}, "the readout of ada"},
		{func(e *experiment.Experiment) { e.Readout.Init = "none.safetensors" }, "none.safetensors"},
	} {
		bad := planted(t, c.change)
		_, err := tune.NewTrainer(t.Context(), bad)
		require.ErrorContains(t, err, c.want)
	}
}

func TestUniformBiasesAreThoseOfPyTorch(t *testing.T) {
	for _, c := range []struct {
		bias string
		zero bool
	}{{"zeros", true}, {"uniform", false}} {
		st := planted(t, func(e *experiment.Experiment) { e.Readout.Bias = c.bias })
		tr, err := tune.NewTrainer(t.Context(), st)
		require.NoError(t, err)
		for name, limit := range map[string]float64{"readout.ada.bottleneck.bias": 1 / 5.656854,
			"readout.ada.linear.bias": 1 / 2.449489} {
			for param, value := range tr.Params() {
				if param != name {
					continue
				}
				most := value.MaxAbs()
				assert.Equal(t, c.zero, most == 0, name)
				assert.LessOrEqual(t, most, limit)
				assert.True(t, c.zero || most > limit/2, name)
			}
		}
		tr.Close()
	}
}

// changedParams lists the parts of the model that a training in mode full changed.
func changedParams(t *testing.T, before, after string) map[string]bool {
	t.Helper()
	a, err := ckpt.OpenModel(before)
	require.NoError(t, err)
	defer a.Close()
	b, err := ckpt.OpenModel(after)
	require.NoError(t, err)
	defer b.Close()
	out := map[string]bool{}
	for _, name := range a.Names() {
		x, err := a.Float32(name)
		require.NoError(t, err)
		y, err := b.Float32(name)
		require.NoError(t, err)
		out[name] = !slices.Equal(x, y)
	}
	return out
}

func TestFullTuningTrainsTheConvolutionsIfAsked(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole training, or a golden of one")
	}
	const conv = "feature_extractor.conv_layers.3.conv.weight"
	for _, convolutions := range []bool{false, true} {
		st := planted(t, func(e *experiment.Experiment) {
			e.Train.Mode, e.Train.LR, e.Train.Convolutions, e.Train.Epochs = "full", 1e-3, convolutions, 1
			e.Train.SaveFeatures = "all"
		})
		run, _ := studytest.MustFit(t, st)
		changed := changedParams(t, st.Experiment.Model.Path, run.File("epochs/1/model"))
		assert.Equal(t, convolutions, changed[conv])
		assert.True(t, changed["encoder.layers.0.attention.q_proj.weight"])

		exp := *st.Experiment
		exp.Model.Path = run.File("epochs/1/model")
		tuned, err := study.OpenModel(t.Context(), &exp, true)
		require.NoError(t, err)
		saved := releasetest.Features(t, run.Dir, 1, 0)
		x, err := st.Reader(tuned).Features(t.Context(), st.Stimuli["test"], []int{0})
		require.NoError(t, err)
		got := st.Stimuli["test"].Design.Weights.Apply(x[0], 16)
		studytest.CloseTo(t, saved["test"].Data, got, 2e-5, "a model that is read again has the front end of its "+
			"training")
		tuned.Close()
	}
}

func TestReinitialisedLayersStartAtRandom(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	st := planted(t, func(e *experiment.Experiment) {
		e.Train.Mode, e.Train.LR, e.Model.ReinitLayers, e.Train.Epochs = "full", 1e-12, []int{1}, 1
	})
	run, _ := studytest.MustFit(t, st)
	off := map[string]float64{}
	a, err := ckpt.OpenModel(st.Experiment.Model.Path)
	require.NoError(t, err)
	defer a.Close()
	b, err := ckpt.OpenModel(run.File("epochs/0/model"))
	require.NoError(t, err)
	defer b.Close()
	for _, layer := range []string{"0", "1", "2"} {
		name := "encoder.layers." + layer + ".feed_forward.output_dense.weight"
		x, err := a.Float32(name)
		require.NoError(t, err)
		y, err := b.Float32(name)
		require.NoError(t, err)
		for i := range x {
			off[layer] = max(off[layer], float64(x[i]-y[i]))
		}
	}
	assert.Zero(t, off["0"])
	assert.Zero(t, off["2"])
	assert.Greater(t, off["1"], .1)
	_, err = studytest.TryTiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Train.Mode, e.Model.ReinitLayers = "full", []int{2}
	})
	require.ErrorContains(t, err, "layer 2 is never run when hidden state 2 is read")
}
