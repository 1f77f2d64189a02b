package brain

import (
	"context"
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/ckpt"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/wavlm"
)

const goldens = "../testdata/golden"

// goldenModel is a small WavLM with the reference's weights, with an adapter or without, freed after the test.
func goldenModel(t *testing.T, adapter string) *SpeechModel {
	t.Helper()
	m, err := OpenSpeechModel(t.Context(), filepath.Join(goldens, "base"), adapter, wavlm.Options{Device: torchtest.Device()})
	require.NoError(t, err)
	t.Cleanup(m.Close)
	return m
}

// goldenClip is the longer of the reference's waveforms: half a second.
func goldenClip(t *testing.T) []float32 {
	t.Helper()
	f, err := ckpt.Open(filepath.Join(goldens, "base", "io.safetensors"))
	require.NoError(t, err)
	defer f.Close()
	x, err := f.Float32("input_values") // (2, 8000)
	require.NoError(t, err)
	return x[:8000]
}

// closeTo fails unless got and want agree to within tol.
func closeTo(t *testing.T, want, got []float32, tol float64, about ...any) {
	t.Helper()
	require.Len(t, got, len(want), about...)
	off := 0.
	for i := range want {
		off = max(off, math.Abs(float64(want[i])-float64(got[i])))
	}
	assert.LessOrEqual(t, off, tol, about...)
}

// TestFeaturesAreThoseOfEachWindow runs every window by itself through the whole model.
func TestFeaturesAreThoseOfEachWindow(t *testing.T) {
	m, clip := goldenModel(t, filepath.Join(goldens, "base", "peft", "lora_qkv")), goldenClip(t)
	for _, pooling := range []experiment.Pooling{"first", "last", "mean"} {
		found, err := Features(t.Context(), m.Model, clip, WindowOptions{WindowSeconds: .2, StrideSeconds: .04, Pooling: pooling, Layers: []int{3, 0, 2}})
		require.NoError(t, err)
		windows := design.Windows(len(clip), 16000, .2, .04)
		require.Len(t, windows, 12)
		assert.Equal(t, design.FeatureTimes(windows), found.Times)
		assert.Equal(t, []int{3, 0, 2}, found.Layers)
		c := found.Channels
		for i, w := range windows {
			hidden, err := m.Model.HiddenStates(t.Context(), clip[w.Start:w.End], 3, 0, 2)
			require.NoError(t, err)
			for l, h := range hidden {
				closeTo(t, oneVector(h, c, pooling), found.Vectors[l][i*c:(i+1)*c], 2e-5, "%s, window %d, layer %d", pooling, i, l)
			}
		}
	}
}

func oneVector(h []float32, channels int, pooling experiment.Pooling) []float32 {
	switch pooling {
	case "first":
		return h[:channels]
	case "last":
		return h[len(h)-channels:]
	}
	mean := make([]float32, channels)
	for i, x := range h {
		mean[i%channels] += x / float32(len(h)/channels)
	}
	return mean
}

// TestFeaturesAreThoseOfTraining: the same bits as the reader of a study.
func TestFeaturesAreThoseOfTraining(t *testing.T) {
	m, clip := goldenModel(t, ""), goldenClip(t)
	opt := WindowOptions{WindowSeconds: .2, StrideSeconds: .02, Layers: []int{1, 2}, Normalise: "window"}
	found, err := Features(t.Context(), m.Model, clip, opt)
	require.NoError(t, err)
	spec, err := opt.model(m.Model.Config)
	require.NoError(t, err)
	r := clipReader(m.Model, spec, 0)
	require.True(t, r.frozen.normalise)
	r.frozen.cache = newCache(1<<30, nil, nil)
	defer r.frozen.cache.close()
	stim := &stimulus{name: "story", samples: clip, windows: design.Windows(len(clip), 16000, .2, .02)}
	stim.own(spec)
	want, err := r.features(t.Context(), stim, []int{1, 2})
	require.NoError(t, err)
	assert.Equal(t, want, found.Vectors)
}

func TestFeaturesNormalise(t *testing.T) {
	m, clip := goldenModel(t, ""), goldenClip(t)
	read := func(normalise experiment.Normalise, samples []float32) []float32 {
		found, err := Features(t.Context(), m.Model, samples, WindowOptions{WindowSeconds: .5, StrideSeconds: .5, Normalise: normalise, Layers: []int{2}})
		require.NoError(t, err)
		return found.Vectors[0]
	}
	plain, normed := read("none", clip), read("none", wavlm.Normalise(clip))
	require.NotEqual(t, plain, normed)
	assert.Equal(t, plain, read("auto", clip), "this model's folder does not ask for it")
	assert.Equal(t, normed, read("story", clip))
	closeTo(t, normed, read("window", clip), 1e-6)
	m.Model.Preprocessor.Normalise = true
	assert.Equal(t, normed, read("auto", clip))
}

func TestFeaturesDefaultsAndProgress(t *testing.T) {
	m := goldenModel(t, "")
	var told []int
	found, err := Features(t.Context(), m.Model, make([]float32, 16000), WindowOptions{BatchBytes: 1, Progress: func(done, windows int) {
		assert.Equal(t, 4, windows)
		told = append(told, done)
	}})
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2, 3, 4}, told)
	assert.Equal(t, []float64{.25, .5, .75, 1}, found.Times)
	assert.Equal(t, []int{0, 1, 2, 3}, found.Layers)
	for _, x := range found.Vectors {
		assert.Len(t, x, 4*48)
	}
}

func TestFeaturesRefuse(t *testing.T) {
	m, clip := goldenModel(t, ""), goldenClip(t)
	infinite := append([]float32{0, float32(math.Inf(1))}, clip...)
	for _, c := range []struct {
		samples []float32
		opt     WindowOptions
		kind    fault.Kind
		want    string
	}{
		{clip, WindowOptions{Layers: []int{0, 4}}, fault.Usage, "read features: layers: there is no hidden state 4, the model has 0 to 3"},
		{clip, WindowOptions{Layers: []int{-1}}, fault.Usage, "read features: layers: there is no hidden state -1, the model has 0 to 3"},
		{clip, WindowOptions{Pooling: "cls"}, fault.Usage, `read features: pooling: "cls", want last, first or mean`},
		{clip, WindowOptions{Normalise: "yes"}, fault.Usage, `read features: normalise: "yes", want auto, story, window or none`},
		{clip, WindowOptions{WindowSeconds: -1}, fault.Usage, "read features: window: -1 s, want more than 0 and at most 3600"},
		{clip, WindowOptions{StrideSeconds: math.NaN()}, fault.Usage, "read features: stride: NaN s, want at least one sample (6.25e-05) and at most 3600"},
		{clip, WindowOptions{StrideSeconds: 1e-9}, fault.Usage, "read features: stride: 1e-09 s, want at least one sample (6.25e-05) and at most 3600"},
		{infinite, WindowOptions{}, fault.BadData, "read features: sample 1 is +Inf"},
		{clip[:300], WindowOptions{}, fault.BadData, "read features: 0.0187 s of audio give no window of 4 s every 0.25 s; give longer audio, or a shorter stride"},
	} {
		_, err := Features(t.Context(), m.Model, c.samples, c.opt)
		require.Error(t, err)
		assert.Equal(t, c.kind, fault.KindOf(err))
		assert.Equal(t, c.want, err.Error())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Features(ctx, m.Model, clip, WindowOptions{StrideSeconds: .1})
	assert.ErrorIs(t, err, context.Canceled)
}

func TestOpenSpeechModelRefuses(t *testing.T) {
	base := filepath.Join(goldens, "base")
	_, err := OpenSpeechModel(t.Context(), "nowhere", base, wavlm.Options{})
	assert.Equal(t, fault.Missing, fault.KindOf(err))
	assert.ErrorContains(t, err, "nowhere")
	_, err = OpenSpeechModel(t.Context(), base, "nowhere", wavlm.Options{})
	assert.Equal(t, fault.Missing, fault.KindOf(err))
	_, err = OpenSpeechModel(t.Context(), filepath.Join(goldens, "odd"), filepath.Join(base, "peft", "lora_qkv"), wavlm.Options{})
	assert.Equal(t, fault.BadData, fault.KindOf(err), "an adapter of another model")
}
