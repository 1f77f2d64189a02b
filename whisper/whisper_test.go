package whisper

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
)

const goldens = "../testdata/whisper"

// open loads the golden model.
func open(t *testing.T, opt speech.Options) *model {
	t.Helper()
	before := torch.Live()
	opt.Device = torchtest.Device()
	m, err := Load(t.Context(), filepath.Join(goldens, "model"), opt)
	require.NoError(t, err)
	t.Cleanup(func() {
		m.Close()
		assert.Equal(t, before, torch.Live(), "tensors left behind")
	})
	return m.(*model)
}

// golden reads the tensors of a file.
func golden(t *testing.T, name string) func(key string) (values []float32, shape []int) {
	t.Helper()
	file, err := ckpt.Open(filepath.Join(goldens, name+".safetensors"))
	require.NoError(t, err)
	t.Cleanup(func() { file.Close() })
	return func(key string) ([]float32, []int) {
		info, ok := file.Info(key)
		require.True(t, ok, key)
		if info.DType != ckpt.F32 {
			whole, err := file.Int64(key)
			require.NoError(t, err)
			var out []float32
			for _, n := range whole {
				out = append(out, float32(n))
			}
			return out, info.Shape
		}
		values, err := file.Float32(key)
		require.NoError(t, err)
		return values, info.Shape
	}
}

// near wants values within a share of the largest.
func near(t *testing.T, want, got []float32, share float64, what ...any) {
	t.Helper()
	require.Len(t, got, len(want), what...)
	largest := 0.0
	for _, x := range want {
		largest = max(largest, float64(x), -float64(x))
	}
	require.Positive(t, largest)
	assert.InDeltaSlice(t, want, got, share*largest, what...)
}

// rowsOf returns some rows of a matrix.
func rowsOf(values []float32, width int, rows []float32) (out []float32) {
	for _, r := range rows {
		out = append(out, values[int(r)*width:(int(r)+1)*width]...)
	}
	return out
}

// transposed turns (mels, frames) into (frames, mels).
func transposed(values []float32, shape []int) []float32 {
	out := make([]float32, len(values))
	for i, x := range values {
		out[i%shape[1]*shape[0]+i/shape[1]] = x
	}
	return out
}

func TestFilters(t *testing.T) {
	want, shape := golden(t, "filters")("mel_filters")
	got := melFilters(80)
	for i, x := range got {
		require.InDelta(t, want[i%bins*shape[1]+i/bins], x, 1e-8, "%d", i)
	}
}

// states computes the front end's output and all hidden states, the last one also after the final norm.
func states(t *testing.T, m speech.Encoder, samples []float32) (mel []float32, hidden [][]float32, normed []float32) {
	t.Helper()
	require.NoError(t, m.Session().Infer(t.Context(), func(s *torch.Scope) error {
		frames := m.FrontEnd(s.FromFloat32(samples, 1, len(samples)))
		n, channels := m.FrameShape(0, len(samples))
		assert.Equal(t, []int{1, n, channels}, frames.Shape())
		mel = frames.Float32s()
		last := m.Architecture().Layers
		for l, h := range m.Forward(frames, 0, last, speech.Pass{}) {
			n, width := m.FrameShape(l+1, len(samples))
			assert.Equal(t, []int{1, n, width}, h.Shape())
			hidden = append(hidden, h.Float32s())
		}
		normed = m.Forward(frames, 0, last, speech.Pass{Final: speech.PostNorm})[last].Float32s()
		return nil
	}))
	return mel, hidden, normed
}

func TestStatesAreThoseOfTransformers(t *testing.T) {
	padded, alone := open(t, speech.Options{}), open(t, speech.Options{Context: speech.ContextWindow})
	for _, name := range []string{"short", "window"} {
		read := golden(t, name)
		samples, _ := read("samples")
		frames, _ := read("frames")
		mel, hidden, normed := states(t, padded, samples)
		want, shape := read("logmel")
		at, _ := read("logmel_frames")
		near(t, transposed(want, shape), rowsOf(mel, 80, at), 1e-4, name)
		for l, h := range hidden {
			want, _ := read("padded.hidden_states." + string(rune('0'+l)))
			near(t, want, rowsOf(h, 32, frames), 1e-4, "%s %d", name, l)
		}
		want, _ = read("padded.last_norm")
		near(t, want, rowsOf(normed, 32, frames), 1e-4, name)

		mel, hidden, normed = states(t, alone, samples)
		want, shape = read("alone.logmel")
		near(t, transposed(want, shape), mel, 1e-4, name)
		for l, h := range hidden {
			want, _ := read("alone.hidden_states." + string(rune('0'+l)))
			near(t, want, h, 1e-4, "%s %d alone", name, l)
		}
		want, _ = read("alone.last_norm")
		near(t, want, normed, 1e-4, name)
	}
}

func TestAdapterAndGradientsAreThoseOfPEFT(t *testing.T) {
	m := open(t, speech.Options{})
	adapter, err := peft.Load(filepath.Join(goldens, "adapter"))
	require.NoError(t, err)
	defer adapter.Close()
	view, err := m.WithAdapter(t.Context(), adapter)
	require.NoError(t, err)
	assert.Len(t, view.Adapted(), 6)
	assert.Equal(t, 1, m.FrozenDepth(view.Adapted()...))
	read := golden(t, "lora")
	samples, _ := golden(t, "window")("samples")
	want, shape := read("hidden_states.2")
	adapter.Stores()[0].Train(nil)
	require.NoError(t, view.Session().Train(t.Context(), 0, func(s *torch.Scope) error {
		h := view.Forward(view.FrontEnd(s.FromFloat32(samples, 1, len(samples))), 0, 2, speech.Pass{})[2]
		h = h.Narrow(1, 0, shape[0])
		near(t, want, h.Float32s(), 1e-4)
		target := make([]float32, len(want))
		for i := range target {
			target[i] = float32(math.Sin(float64(i)))
		}
		h.Sub(s.FromFloat32(target, 1, shape[0], shape[1])).Square().Mean().Backward()
		seen := 0
		for name, p := range adapter.Stores()[0].Params() {
			key := "grad.base_model.model." + strings.Replace(name, ".weight", ".default.weight", 1)
			if !p.HasGrad() {
				assert.Contains(t, name, "layers.2.", "above the state that is read")
				continue
			}
			want, _ := read(key)
			near(t, want, p.Grad(s).Float32s(), 1e-3, name)
			seen++
		}
		assert.Equal(t, 8, seen)
		return nil
	}))
}

// TestFramesOfPaddingAreNoFramesOfTheRecording: with padding of 30 s a clip's vectors are those of the clip padded by
// hand.
func TestFramesOfPaddingAreNoFramesOfTheRecording(t *testing.T) {
	m := open(t, speech.Options{})
	samples, _ := golden(t, "short")("samples")
	found, err := m.HiddenStates(t.Context(), samples, 0, 3)
	require.NoError(t, err)
	assert.Equal(t, []int{len(samples) / 320, 32}, []int{found[1].Rows, found[1].Cols})
	long, err := m.HiddenStates(t.Context(), append(slices.Clone(samples), make([]float32, 5*16000)...), 3)
	require.NoError(t, err)
	assert.Equal(t, found[1].Data, long[0].Data[:len(found[1].Data)])
}

func TestFamilyRules(t *testing.T) {
	m := open(t, speech.Options{})
	arch := m.Architecture()
	assert.InDelta(t, 1, arch.Time(50), 1e-9)
	assert.Equal(t, []int{0, 1, 1, 2, 1500}, []int{m.Frames(399), m.Frames(400), m.Frames(639), m.Frames(640),
		m.Frames(480000)})
	_, err := m.HiddenStates(t.Context(), make([]float32, 399))
	faulttest.Require(t, fault.BadData, err, "want at least 400")
	_, err = m.HiddenStates(t.Context(), make([]float32, 480_320))
	faulttest.Require(t, fault.BadData, err, "the model hears 30 s", "windows")
	for _, n := range []speech.Normalisation{speech.NormaliseStory, speech.NormaliseWindow, "x"} {
		_, err := m.Normalisation(n)
		faulttest.Require(t, fault.Usage, err, "want auto or none")
	}
	assert.Equal(t, []int{4, 3, 1, 0, 3}, []int{m.FrozenDepth(), m.FrozenDepth("layers.2.fc1"),
		m.FrozenDepth("layers.2.fc1", "layers.0.self_attn.q_proj"), m.FrozenDepth("conv1.weight"),
		m.FrozenDepth("layer_norm.weight")})
	assert.Len(t, m.LinearLayers(), 3*6)
	assert.False(t, m.TrainedInFull(positionsKey))
	assert.Len(t, m.Notes(), 1)
	assert.Contains(t, m.Notes()[0], "they belong to the decoder")
}

func TestSavedModelsAreReadAgain(t *testing.T) {
	m := open(t, speech.Options{})
	dir := filepath.Join(t.TempDir(), "saved")
	require.NoError(t, m.Save(t.Context(), dir))
	again, err := Load(t.Context(), dir, speech.Options{})
	require.NoError(t, err)
	defer again.Close()
	a, err := m.Identity()
	require.NoError(t, err)
	b, err := again.Identity()
	require.NoError(t, err)
	assert.Len(t, a, 64)
	assert.Equal(t, a, b)
	was, err := ckpt.OpenModel(filepath.Join(goldens, "model"))
	require.NoError(t, err)
	defer was.Close()
	is, err := ckpt.OpenModel(dir)
	require.NoError(t, err)
	defer is.Close()
	assert.ElementsMatch(t, was.Names(), is.Names(), "the decoder is copied")
	random, err := m.Random(t.Context(), speech.Options{Seed: 1})
	require.NoError(t, err)
	defer random.Close()
	require.NoError(t, random.Save(t.Context(), dir+"2"))
	third, err := Load(t.Context(), dir+"2", speech.Options{})
	require.NoError(t, err)
	third.Close()
}

func TestFoldersThatAreNoWhisperAreRefused(t *testing.T) {
	for want, change := range map[string]func(dir string){
		"there are no keys of an encoder": func(dir string) {
			require.NoError(t, ckpt.Write(filepath.Join(dir, "model.safetensors"),
				[]ckpt.Tensor{ckpt.NewTensor("decoder.x", []int{1}, []float32{1})}, nil))
		},
		"feature_size 128, and num_mel_bins is 80": func(dir string) {
			edit(t, filepath.Join(dir, "preprocessor_config.json"), `"feature_size": 80`, `"feature_size": 128`)
		},
		"d_model 32 is no multiple of encoder_attention_heads 5": func(dir string) {
			edit(t, filepath.Join(dir, "config.json"), `"encoder_attention_heads": 4`, `"encoder_attention_heads": 5`)
		},
		"scale_embedding true is not supported": func(dir string) {
			edit(t, filepath.Join(dir, "config.json"), `"scale_embedding": false`, `"scale_embedding": true`)
		},
		"conv1.weight: shape (32, 80, 3), want (32, 128, 3)": func(dir string) {
			edit(t, filepath.Join(dir, "config.json"), `"num_mel_bins": 80`, `"num_mel_bins": 128`)
			edit(t, filepath.Join(dir, "preprocessor_config.json"), `"feature_size": 80`, `"feature_size": 128`)
		},
	} {
		dir := filepath.Join(t.TempDir(), "model")
		require.NoError(t, os.CopyFS(dir, os.DirFS(filepath.Join(goldens, "model"))))
		change(dir)
		_, err := Load(t.Context(), dir, speech.Options{})
		faulttest.Require(t, fault.BadData, err, want)
	}
	_, err := Load(t.Context(), filepath.Join(t.TempDir(), "none"), speech.Options{})
	faulttest.Require(t, fault.Missing, err, "config.json")
}

func edit(t *testing.T, path, from, to string) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(text), from)
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(text), from, to, 1)), 0o600))
}
