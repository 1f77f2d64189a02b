package wavlm

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/hfmodel"
	"github.com/brainwavlm/bwlm/speech"
)

const microsoftFiles = "../testdata/weights/microsoft"

// TestConvertMicrosoft: the weights of the goldens, under Microsoft's names, become the goldens
// again.
func TestConvertMicrosoft(t *testing.T) {
	for _, name := range []string{"base", "large"} {
		t.Run(name, func(t *testing.T) {
			noLeak(t)
			out := filepath.Join(t.TempDir(), "out")
			made, err := Convert(t.Context(), ConvertOptions{In: filepath.Join(microsoftFiles, name+".pt"), Out: out})
			require.NoError(t, err)
			entries, err := os.ReadDir(out)
			require.NoError(t, err)
			require.Len(t, entries, 3)

			want, got := tensors(t, name, "model.safetensors"), openFile(t, out, hfmodel.WeightsFile)
			assert.Equal(t, len(want), made.Tensors)
			assert.ElementsMatch(t, sortedKeys(want), got.file.Names())
			parameters := 0
			for key, tensor := range want {
				assert.Equal(t, tensor.Shape, got.shape(key), key)
				assert.Equal(t, values(tensor), got.values(key), key)
				parameters += len(values(tensor))
			}
			assert.Equal(t, parameters, made.Parameters)

			m, err := loadFolder(t.Context(), out, speech.Options{})
			require.NoError(t, err)
			defer m.Close()
			assert.Equal(t, name == "large", m.preprocessor.normalise)
			assert.Empty(t, m.preprocessor.note, "preprocessor_config.json is there")
			assert.Empty(t, m.notes)
			sameHidden(t, m, openGolden(t, name, "io.safetensors"))

			c, err := readConfig(filepath.Join(goldens, name))
			require.NoError(t, err)
			c.raw, c.Rates = nil, m.Config.Rates
			converted := m.Config
			converted.raw = nil
			assert.Equal(t, c, converted)
			assert.Equal(t, .05, converted.Rates.LayerDrop)
			assert.Equal(t, .1, converted.Rates.Projection)
			assert.Contains(t, string(m.Config.json()), `"WavLMModel"`)
		})
	}
}

func sortedKeys(all map[string]ckpt.Tensor) (keys []string) {
	for key := range all {
		keys = append(keys, key)
	}
	return keys
}

func openFile(t *testing.T, path ...string) golden {
	t.Helper()
	file, err := ckpt.Open(filepath.Join(path...))
	require.NoError(t, err)
	t.Cleanup(func() { file.Close() })
	return golden{t, file}
}

// TestConvertFolder: a folder with a pickle becomes one with safetensors in f32.
func TestConvertFolder(t *testing.T) {
	noLeak(t)
	out := filepath.Join(t.TempDir(), "out")
	opt := ConvertOptions{In: "../testdata/weights/f16/bin", Out: out}
	made, err := Convert(t.Context(), opt)
	require.NoError(t, err)
	assert.Equal(t, 2, made.Config.Layers)
	m, err := loadFolder(t.Context(), out, speech.Options{})
	require.NoError(t, err)
	defer m.Close()
	sameHidden(t, m, openGolden(t, "../weights/f16/io.safetensors"))
	text, err := os.ReadFile(filepath.Join(out, configFile))
	require.NoError(t, err)
	assert.Contains(t, string(text), `"dtype": "float32"`)

	// What is there is left alone, unless it is a converted model and force is on.
	_, err = Convert(t.Context(), opt)
	assert.Equal(t, fault.Exists, fault.KindOf(err))
	assert.ErrorContains(t, err, "set Force")
	opt.Force, opt.In = true, filepath.Join(microsoftFiles, "base.pt")
	made, err = Convert(t.Context(), opt)
	require.NoError(t, err)
	assert.Equal(t, 3, made.Config.Layers)
	require.NoError(t, os.WriteFile(filepath.Join(out, "notes.txt"), nil, 0o600))
	_, err = Convert(t.Context(), opt)
	assert.Equal(t, fault.Exists, fault.KindOf(err))
	assert.ErrorContains(t, err, "holds notes.txt")
	require.NoError(t, os.Remove(filepath.Join(out, "notes.txt")))
	opt.In = out
	_, err = Convert(t.Context(), opt)
	assert.Equal(t, fault.Usage, fault.KindOf(err))

	// A conversion that fails leaves what was there, and nothing else.
	opt.In = filepath.Join(goldens, "containers/bin/ok_zip.bin")
	_, err = Convert(t.Context(), opt)
	assert.Equal(t, fault.BadData, fault.KindOf(err))
	again, err := loadFolder(t.Context(), out, speech.Options{})
	require.NoError(t, err)
	again.Close()
	entries, err := os.ReadDir(filepath.Dir(out))
	require.NoError(t, err)
	assert.Len(t, entries, 1)
	opt.In = "nowhere"
	_, err = Convert(t.Context(), opt)
	assert.Equal(t, fault.Missing, fault.KindOf(err))
}

func microsoftSettings() map[string]any {
	return map[string]any{"relative_position_embedding": true, "gru_rel_pos": true}
}

// TestMicrosoftConfig: what cfg lacks has the defaults of microsoft/unilm; what cannot be had is
// refused.
func TestMicrosoftConfig(t *testing.T) {
	cfg := microsoftSettings()
	whole := map[string]any{"cfg": cfg, "model": map[string]any{}}
	c, normalise, err := microsoftConfig(whole)
	require.NoError(t, err)
	want := Default(WavLM)
	want.MaxDistance, want.Rates.Activation, want.Rates.LayerDrop = 1280, 0, 0
	assert.Equal(t, want, c)
	assert.False(t, normalise)

	cfg["dropout"], cfg["activation_fn"] = int64(0), "relu"
	parts := map[string]any{"cfg": map[string]any{"model": cfg, "task": map[string]any{"normalize": true}},
		"model": map[string]any{}}
	c, normalise, err = microsoftConfig(parts)
	require.NoError(t, err)
	assert.Equal(t, "relu", c.Act)
	assert.Zero(t, c.Rates.Hidden)
	assert.True(t, normalise, "fairseq keeps it in the task")

	for key, c := range map[string]struct {
		value any
		want  string
	}{
		"gru_rel_pos":                 {false, "it is no WavLM"},
		"relative_position_embedding": {nil, "relative_position_embedding is <nil>, want a bool"},
		"activation_fn":               {"glu", `activation_fn "glu" is not supported`},
		"extractor_mode":              {"x", `extractor_mode "x" is not supported`},
		"encoder_layers":              {"12", "encoder_layers is 12, want a int64"},
		"encoder_embed_dim":           {int64(0), "hidden_size 0, want 1"},
		"dropout":                     {"much", "dropout is much, want a float64"},
		"conv_feature_layers":         {"eval('x')", "conv_feature_layers: want ["},
		"expand_attention_head_size":  {int64(64), "expand_attention_head_size 64 is not supported"},
	} {
		bad := maps.Clone(microsoftSettings())
		bad[key] = c.value
		_, _, err := microsoftConfig(map[string]any{"cfg": bad, "model": map[string]any{}})
		assert.ErrorContains(t, err, c.want, key)
	}
	for _, all := range []map[string]any{{}, {"cfg": cfg}, {"model": map[string]any{}},
		{"cfg": int64(1), "model": map[string]any{}}} {
		_, _, err := microsoftConfig(all)
		assert.ErrorContains(t, err, "does not hold cfg and model")
	}
}

func TestParseConvLayers(t *testing.T) {
	for text, want := range map[string][][3]int{
		"[(512,10,5)] + [(512,3,2)] * 4 + [(512,2,2)] * 2": {{512, 10, 5}, {512, 3, 2}, {512, 3, 2}, {512, 3, 2},
			{512, 3, 2}, {512, 2, 2}, {512, 2, 2}},
		" [ ( 8 , 3 , 2 ),(9,2,1)]*1 ": {{8, 3, 2}, {9, 2, 1}},
		"[(1,1,1)] * 0 + [(2,2,2)]":    {{2, 2, 2}},
	} {
		got, err := parseConvLayers(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got)
	}
	for _, text := range []string{
		"", "[]", "[(1,2)]", "[(1,2,3,4)]", "[(1,2,3)", "[(1,2,3)] +", "[(1,2,3)] x", "[(1,2,3)] * -1", "[(-1,2,3)]",
		"[(1.5,2,3)]",
		"[(1,2,3)] * 65", "[(99999999999999999999,2,3)]", "__import__('os')",
		"[(1,2,3)] * 64 + [(1,2,3)] * 64 + [(1,2,3)]",
	} {
		_, err := parseConvLayers(text)
		assert.Error(t, err, text)
	}
}

// Any text is refused, or gives a bounded list.
func FuzzParseConvLayers(f *testing.F) {
	f.Add("[(512,10,5)] + [(512,3,2)] * 4 + [(512,2,2)] * 2")
	f.Fuzz(func(t *testing.T, text string) {
		layers, err := parseConvLayers(text)
		if err == nil {
			assert.LessOrEqual(t, len(layers), 2*maxConvLayers)
		}
	})
}

// TestConvertInterrupted: a conversion that is called off leaves nothing.
func TestConvertInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	for _, in := range []string{filepath.Join(microsoftFiles, "base.pt"), "../testdata/weights/f16/bin"} {
		_, err := Convert(ctx, ConvertOptions{In: in, Out: filepath.Join(dir, "out")})
		assert.ErrorIs(t, err, context.Canceled)
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		assert.Empty(t, entries)
	}
}
