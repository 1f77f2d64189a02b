package wavlm

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/hfmodel"
	"github.com/brainwavlm/bwlm/speech"
)

// TestSave: what transformers wrote is written back byte for byte, so it is what transformers
// reads.
func TestSave(t *testing.T) {
	for _, name := range append(wavlms, relations...) {
		m := variant(t, name)
		dir := filepath.Join(t.TempDir(), "saved")
		require.NoError(t, m.Save(t.Context(), dir))
		for _, file := range []string{configFile, "model.safetensors"} {
			want, err := os.ReadFile(filepath.Join(goldens, name, file))
			require.NoError(t, err)
			got, err := os.ReadFile(filepath.Join(dir, file))
			require.NoError(t, err)
			assert.True(t, string(want) == string(got), "%s/%s differs", name, file)
		}
		assert.NoFileExists(t, filepath.Join(dir, preprocessorFile), "there was none")
		assert.Equal(t, fault.Exists, fault.KindOf(m.Save(t.Context(), dir)))
	}
}

func TestSaveKeepsSpellingAndPreprocessor(t *testing.T) {
	noLeak(t)
	from := folder(t, "base", tensors(t, "base", "model_weight_g_v.safetensors"))
	preprocessor := []byte(`{"do_normalize": false, "sampling_rate": 16000}`)
	require.NoError(t, os.WriteFile(filepath.Join(from, preprocessorFile), preprocessor, 0o600))
	m, err := loadFolder(t.Context(), from, speech.Options{})
	require.NoError(t, err)
	defer m.Close()
	dir := filepath.Join(t.TempDir(), "saved")
	require.NoError(t, m.Save(t.Context(), dir))
	got, err := os.ReadFile(filepath.Join(dir, preprocessorFile))
	require.NoError(t, err)
	assert.Equal(t, preprocessor, got)
	want, err := os.ReadFile(filepath.Join(goldens, "base", "model_weight_g_v.safetensors"))
	require.NoError(t, err)
	got, err = os.ReadFile(filepath.Join(dir, "model.safetensors"))
	require.NoError(t, err)
	assert.True(t, string(want) == string(got), "the old spelling is kept")
}

// TestSaveSaysFloat32: the saved weights are f32, whatever config.json said of those that were
// read.
func TestSaveSaysFloat32(t *testing.T) {
	m := variant(t, "base")
	for dtype, want := range map[string]string{`"float16"`: "float32", `"float32"`: "float32", `null`: ""} {
		c, err := parseConfig([]byte(`{"model_type": "wavlm", "torch_dtype": ` + dtype + `, "vocab_size": 32}`))
		require.NoError(t, err)
		again, err := hfmodel.ParseObject((&model{geometry: geometry{c}}).configForFloat32())
		require.NoError(t, err)
		var got string
		require.NoError(t, hfmodel.Decode(again["torch_dtype"], &got))
		assert.Equal(t, want, got)
		assert.Equal(t, "32", string(again["vocab_size"]))
	}
	assert.Equal(t, m.Config.json(), m.configForFloat32())
}

// TestSaveFresh: a model made here can be saved and loaded.
func TestSaveFresh(t *testing.T) {
	noLeak(t)
	m := tiny(t, speech.Options{Seed: 3})
	dir := filepath.Join(t.TempDir(), "fresh")
	require.NoError(t, m.Save(t.Context(), dir))
	again, err := loadFolder(t.Context(), dir, speech.Options{})
	require.NoError(t, err)
	defer again.Close()
	for name, p := range m.Store().Params() {
		assert.Equal(t, p.Float32s(), again.Store().Param(name).Float32s(), name)
	}
}
