package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/wavlm"
)

const goldens = "../../testdata/golden"

// TestSpeechScripts are the scripts about speech models: $GOLDEN is the folder of the reference,
// clip.wav half a second of sound.
func TestSpeechScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("many processes that load models")
	}
	golden, err := filepath.Abs(goldens)
	require.NoError(t, err)
	clip := goldenClip(t, "base")
	testscript.Run(t, testscript.Params{Dir: "testdata/speech", RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("GOLDEN", golden)
			return audio.WriteWAV(filepath.Join(e.WorkDir, "clip.wav"), clip, audio.Rate, audio.Float32)
		}})
}

// goldenClip is the longer of the reference's waveforms.
func goldenClip(t *testing.T, variant string) []float32 {
	return goldenValues(t, filepath.Join(goldens, variant, "io.safetensors"), "input_values")[:8000]
}

func goldenValues(t *testing.T, path, name string) []float32 {
	t.Helper()
	f, err := ckpt.Open(path)
	require.NoError(t, err)
	defer f.Close()
	x, err := f.Float32(name)
	require.NoError(t, err)
	return x
}

// variant copies a golden model without what says how to prepare its waveform, and adds a line that says it.
func variant(t *testing.T, name string, normalise bool) string {
	t.Helper()
	dir := t.TempDir()
	for _, file := range []string{"config.json", "model.safetensors"} {
		b, err := os.ReadFile(filepath.Join(goldens, name, file))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), b, 0o600))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "preprocessor_config.json"),
		fmt.Appendf(nil, `{"do_normalize": %t}`, normalise), 0o600))
	return dir
}

// wav writes samples as they are.
func wav(t *testing.T, samples []float32) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clip.wav")
	require.NoError(t, audio.WriteWAV(path, samples, audio.Rate, audio.Float32))
	return path
}

// features runs the command and opens what it wrote.
func features(t *testing.T, args ...string) (*ckpt.File, featuresAnswer) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "f.safetensors")
	code, stdout, stderr := call(t, append([]string{"features", "--json", "--device", "cpu", "--out", out}, args...)...)
	require.Zero(t, code, stderr)
	var answer featuresAnswer
	require.NoError(t, json.Unmarshal([]byte(stdout), &answer), "nothing but the object: %s", stdout)
	assert.Equal(t, 1, answer.Schema)
	assert.Equal(t, out, answer.Out)
	f, err := ckpt.Open(out)
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	return f, answer
}

// near compares a tensor of a file with what it must be.
func near(t *testing.T, want []float32, f *ckpt.File, name string, tol float64) {
	t.Helper()
	got, err := f.Float32(name)
	require.NoError(t, err)
	require.Len(t, got, len(want), name)
	off := 0.
	for i := range want {
		off = max(off, math.Abs(float64(got[i])-float64(want[i])))
	}
	assert.LessOrEqual(t, off, tol, name)
}

func TestFeaturesEqualTheReference(t *testing.T) {
	for name, layers := range map[string]int{"base": 3, "large": 3, "odd": 2} {
		f, answer := features(t, "--model", variant(t, name, false), wav(t, goldenClip(t, name)))
		assert.Len(t, f.Names(), layers+1)
		assert.Len(t, answer.Layers, layers+1)
		assert.InDelta(t, .5, answer.Seconds, 1e-9)
		for l := range layers + 1 {
			key := fmt.Sprintf("hidden_states.%d", l)
			want := goldenValues(t, filepath.Join(goldens, name, "io.safetensors"), "clip0/"+key)
			near(t, want, f, key, 1e-4)
			info, _ := f.Info(key)
			assert.Equal(t, []int{answer.Frames, answer.Channels}, info.Shape)
			assert.Equal(t, ckpt.F32, info.DType)
		}
	}
}

func TestFeaturesWithAnAdapterEqualTheReference(t *testing.T) {
	clip := wav(t, goldenClip(t, "base"))
	base := filepath.Join(goldens, "base")
	for _, adapter := range []string{"lora_qkv", "rslora_qv", "lora_pattern", "lora_layers", "lora_all_linear_excl"} {
		dir := filepath.Join(base, "peft", adapter)
		f, _ := features(t, "--model", base, "--adapter", dir, "--layers", "3", clip)
		assert.Equal(t, []string{"hidden_states.3"}, f.Names())
		want := goldenValues(t, filepath.Join(dir, "expected.safetensors"), "last_hidden_state") // (2, 24, 48)
		near(t, want[:24*48], f, "hidden_states.3", 1e-4)
		assert.Equal(t, map[string]string{"model": base, "adapter": dir, "audio": clip}, f.Metadata())
	}
}

// TestFeaturesPrepareTheWaveform as the model's folder says.
func TestFeaturesPrepareTheWaveform(t *testing.T) {
	clip := goldenClip(t, "base")
	f, _ := features(t, "--model", variant(t, "base", true), wav(t, clip))
	g, _ := features(t, "--model", variant(t, "base", false), wav(t, speech.Normalise(clip)))
	for _, name := range f.Names() {
		want, err := g.Float32(name)
		require.NoError(t, err)
		near(t, want, f, name, 1e-5)
	}
}

// TestFeaturesOfWindows cuts the windows out of the audio and reads each by itself.
func TestFeaturesOfWindows(t *testing.T) {
	clip := goldenClip(t, "base")
	model := filepath.Join(goldens, "base")
	for _, pooling := range []experiment.Pooling{"first", "last", "mean"} {
		f, answer := features(t, "--model", model, "--layers", "2,0", "--windows", "0.2", "--stride", "0.15",
			"--pooling", string(pooling), wav(t, clip))
		assert.Equal(t, featuresAnswer{1, answer.Out, []int{0, 2}, 0, 3, 48, .5}, answer)
		assert.ElementsMatch(t, []string{"features.0", "features.2", "times"}, f.Names())
		times, err := f.Float64("times")
		require.NoError(t, err)
		info, _ := f.Info("times")
		assert.Equal(t, ckpt.F64, info.DType)
		assert.InDeltaSlice(t, []float64{.15, .3, .45}, times, 1e-12)
		ends := []int{2400, 4800, 7200}
		var want []float32
		for _, end := range ends {
			one, part := features(t, "--model", model, "--layers", "2", wav(t, clip[max(0, end-3200):end]))
			h, err := one.Float32("hidden_states.2")
			require.NoError(t, err)
			switch pooling {
			case "first":
				h = h[:48]
			case "last":
				h = h[len(h)-48:]
			default:
				mean := make([]float32, 48)
				for i, x := range h {
					mean[i%48] += x / float32(part.Frames)
				}
				h = mean
			}
			want = append(want, h...)
		}
		near(t, want, f, "features.2", 2e-5)
		assert.Equal(t, map[string]string{"model": model, "audio": f.Metadata()["audio"], "window_seconds": "0.2",
			"stride_seconds": "0.15",
			"pooling":        string(pooling)}, f.Metadata())
	}
}

func TestFeaturesWarnOfLongAudio(t *testing.T) {
	cfg := wavlm.Default(wavlm.WavLM).Geometry()
	assert.InDelta(t, 5.2e9, float64(cfg.PairBytes(120*16000)), .2e9, "as measured")
	assert.InDelta(t, 14.3e9, float64(cfg.PairBytes(200*16000)), .2e9, "as measured")
	assert.Zero(t, wavlm.Default(wavlm.HuBERT).Geometry().PairBytes(200*16000))
	assert.Equal(t, "121 s of audio in one pass take about 5.3 GB of memory; --windows takes little, however long "+
		"the audio is",
		longClipWarning(cfg.PairBytes(121*16000), &featuresAnswer{Seconds: 121}))
}

func TestFeaturesOfAWhisperDependOnTheContext(t *testing.T) {
	if testing.Short() {
		t.Skip("pads to 30 s; make test runs it")
	}
	model := filepath.Join("..", "..", "..", "shared", "golden", "whisper", "model")
	if _, err := os.Stat(model); err != nil {
		t.Skip("there is no ", model)
	}
	clip := wav(t, goldenClip(t, "base"))
	read := func(args ...string) []float32 {
		f, answer := features(t, append(args, "--model", model, "--layers", "1", clip)...)
		assert.Equal(t, 8000/320, answer.Frames, "the padding has no frames")
		x, err := f.Float32("hidden_states.1")
		require.NoError(t, err)
		return x
	}
	padded := read("--context", "30s")
	assert.Equal(t, padded, read(), "30s is a Whisper's own choice")
	assert.NotEqual(t, padded, read("--context", "window"))
}
