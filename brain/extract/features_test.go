package extract_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/extract"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/npy"
	"github.com/brainwavlm/bwlm/speech"
)

// TestFeaturesAreThoseOfEachWindow runs every window by itself through the whole model.
func TestFeaturesAreThoseOfEachWindow(t *testing.T) {
	m, clip := studytest.GoldenModel(t, filepath.Join(studytest.Goldens, "base", "peft", "lora_qkv")),
		studytest.GoldenClip(t)
	for _, pooling := range []experiment.Pooling{"first", "last", "mean"} {
		found, err := extract.Features(t.Context(), m.Model, clip,
			extract.Options{WindowSeconds: .2, StrideSeconds: .04, Pooling: pooling, Layers: []int{3, 0, 2}})
		require.NoError(t, err)
		windows := design.Windows(len(clip), 16000, .2, .04)
		require.Len(t, windows, 12)
		assert.Equal(t, design.FeatureTimes(windows), found.Times)
		assert.Equal(t, []int{3, 0, 2}, found.Layers)
		for i, w := range windows {
			hidden, err := m.Model.HiddenStates(t.Context(), clip[w.Start:w.End], 3, 0, 2)
			require.NoError(t, err)
			for l, h := range hidden {
				studytest.CloseTo(t, studytest.OneVector(h, pooling), found.Vectors[l].Row(i), 2e-5,
					"%s, window %d, layer %d", pooling, i, l)
			}
		}
	}
}

// TestFeaturesAreThoseOfTraining: bit-identical to the reader of a study.
func TestFeaturesAreThoseOfTraining(t *testing.T) {
	m, clip := studytest.GoldenModel(t, ""), studytest.GoldenClip(t)
	opt := extract.Options{WindowSeconds: .2, StrideSeconds: .02, Layers: []int{1, 2}, Normalise: "window"}
	found, err := extract.Features(t.Context(), m.Model, clip, opt)
	require.NoError(t, err)
	spec, err := opt.Model(m.Model)
	require.NoError(t, err)
	r := windows.ClipReader(m.Model, spec, experiment.Default().Train.UnitWindows)
	require.True(t, r.Frozen.Normalise)
	r.Frozen.Cache = windows.NewCache(1<<30, nil, nil)
	defer r.Frozen.Cache.Close()
	stim := &windows.Stimulus{Name: "story", Samples: windows.InMemory(clip),
		Windows: design.Windows(len(clip), 16000, .2, .02)}
	stim.Own(spec)
	want, err := r.Features(t.Context(), stim, []int{1, 2})
	require.NoError(t, err)
	for i, x := range want {
		assert.Equal(t, npy.Matrix{Rows: len(stim.Windows), Cols: 48, Data: x}, found.Vectors[i])
	}
}

func TestFeaturesNormalise(t *testing.T) {
	m, clip := studytest.GoldenModel(t, ""), studytest.GoldenClip(t)
	read := func(m *extract.SpeechModel, normalise experiment.Normalise, samples []float32) []float32 {
		found, err := extract.Features(t.Context(), m.Model, samples,
			extract.Options{WindowSeconds: .5, StrideSeconds: .5, Normalise: normalise, Layers: []int{2}})
		require.NoError(t, err)
		return found.Vectors[0].Data
	}
	plain, normed := read(m, "none", clip), read(m, "none", speech.Normalise(clip))
	require.NotEqual(t, plain, normed)
	assert.Equal(t, plain, read(m, "auto", clip), "this model's folder does not ask for it")
	assert.Equal(t, normed, read(m, "story", clip))
	studytest.CloseTo(t, normed, read(m, "window", clip), 1e-6)
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(filepath.Join(studytest.Goldens, "base"))))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "preprocessor_config.json"), []byte(`{"do_normalize": true}`),
		0o600))
	asking, err := extract.OpenModel(t.Context(), dir, "", speech.Options{Device: torchtest.Device()})
	require.NoError(t, err)
	defer asking.Close()
	assert.Equal(t, normed, read(asking, "auto", clip))
}

func TestFeaturesDefaultsAndProgress(t *testing.T) {
	m := studytest.GoldenModel(t, "")
	var told []int
	found, err := extract.Features(t.Context(), m.Model, make([]float32, 16000),
		extract.Options{UnitWindows: 1, Progress: func(done, windows int) {
			assert.Equal(t, 4, windows)
			told = append(told, done)
		}})
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2, 3, 4}, told)
	assert.Equal(t, []float64{.25, .5, .75, 1}, found.Times)
	assert.Equal(t, []int{0, 1, 2, 3}, found.Layers)
	for _, x := range found.Vectors {
		assert.Equal(t, [2]int{4, 48}, [2]int{x.Rows, x.Cols})
	}
}

func TestFeaturesRefuse(t *testing.T) {
	m, clip := studytest.GoldenModel(t, ""), studytest.GoldenClip(t)
	infinite := append([]float32{0, float32(math.Inf(1))}, clip...)
	for _, c := range []struct {
		samples []float32
		opt     extract.Options
		kind    fault.Kind
		want    string
	}{
		{clip, extract.Options{Layers: []int{0, 4}}, fault.Usage,
			"read features: layers: there is no hidden state 4, the model has 0 to 3"},
		{clip, extract.Options{Layers: []int{-1}}, fault.Usage,
			"read features: layers: there is no hidden state -1, the model has 0 to 3"},
		{clip, extract.Options{Pooling: "cls"}, fault.Usage,
			`read features: pooling: "cls", want last, first, mean or index:N`},
		{clip, extract.Options{Normalise: "yes"}, fault.Usage,
			`read features: normalise: "yes", want auto, story, window or none`},
		{clip, extract.Options{WindowSeconds: -1}, fault.Usage,
			"read features: window: -1 s, want more than 0 and at most 3600"},
		{clip, extract.Options{StrideSeconds: math.NaN()}, fault.Usage,
			"read features: stride: NaN s, want at least one sample (6.25e-05) and at most 3600"},
		{clip, extract.Options{StrideSeconds: 1e-9}, fault.Usage,
			"read features: stride: 1e-09 s, want at least one sample (6.25e-05) and at most 3600"},
		{infinite, extract.Options{}, fault.BadData, "read features: sample 1 is +Inf"},
		{clip[:300], extract.Options{}, fault.BadData, "read features: 0.0187 s of audio give no window of 4 s every " +
			"0.25 s; give longer audio, or a shorter stride"},
	} {
		_, err := extract.Features(t.Context(), m.Model, c.samples, c.opt)
		require.Error(t, err)
		assert.Equal(t, c.kind, fault.KindOf(err))
		assert.Equal(t, c.want, err.Error())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := extract.Features(ctx, m.Model, clip, extract.Options{StrideSeconds: .1})
	assert.ErrorIs(t, err, context.Canceled)
}

func TestOpenSpeechModelRefuses(t *testing.T) {
	base := filepath.Join(studytest.Goldens, "base")
	_, err := extract.OpenModel(t.Context(), "nowhere", base, speech.Options{})
	assert.Equal(t, fault.Missing, fault.KindOf(err))
	assert.ErrorContains(t, err, "nowhere")
	_, err = extract.OpenModel(t.Context(), base, "nowhere", speech.Options{})
	assert.Equal(t, fault.Missing, fault.KindOf(err))
	_, err = extract.OpenModel(t.Context(), filepath.Join(studytest.Goldens, "odd"),
		filepath.Join(base, "peft", "lora_qkv"), speech.Options{})
	assert.Equal(t, fault.BadData, fault.KindOf(err), "an adapter of another model")
}
