package extract_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/extract"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/speech"
)

// hiddenOf is the last hidden state of the golden clip.
func hiddenOf(t *testing.T, m *extract.SpeechModel) []float32 {
	t.Helper()
	h, err := m.Model.HiddenStates(t.Context(), studytest.GoldenClip(t), 3)
	require.NoError(t, err)
	return h[0].Data
}

func TestMergeGivesTheAdaptedModel(t *testing.T) {
	base := filepath.Join(studytest.Goldens, "base")
	for _, name := range []string{"lora_qkv", "rslora_qv", "lora_pattern", "lora_layers", "lora_all_linear_excl",
		"dora_attn", "lora_bias_mts", "lora_bias_B", "lora_conv"} {
		t.Run(name, func(t *testing.T) {
			adapter := filepath.Join(base, "peft", name)
			dir := t.TempDir()
			merged, err := extract.Merge(t.Context(), extract.MergeOptions{Model: base,
				Adapters: extract.Adapters{Dirs: []string{adapter}}, Out: filepath.Join(dir, "out")})
			require.NoError(t, err)
			assert.NotEmpty(t, merged.Modules)
			assert.Less(t, merged.MaxRounding, 1e-6)
			entries, err := os.ReadDir(dir)
			require.NoError(t, err)
			assert.Len(t, entries, 1, "nothing beside the folder")

			m, err := extract.OpenModel(t.Context(), filepath.Join(dir, "out"), "", speech.Options{})
			require.NoError(t, err)
			defer m.Close()
			got := hiddenOf(t, m)
			studytest.CloseTo(t, hiddenOf(t, studytest.GoldenModel(t, adapter)), got, 1e-5)
			plain := hiddenOf(t, studytest.GoldenModel(t, ""))
			assert.NotEqual(t, plain, got, "the adapter changes something")

			expected, err := ckpt.Open(filepath.Join(adapter, "expected.safetensors"))
			require.NoError(t, err)
			defer expected.Close()
			want, err := expected.Float32("merged/last_hidden_state") // (2, 24, 48)
			require.NoError(t, err)
			studytest.CloseTo(t, want[:24*48], got, 1e-4)
		})
	}
}

func TestMergeCopiesThePreprocessor(t *testing.T) {
	base := t.TempDir()
	require.NoError(t, os.CopyFS(base, os.DirFS(filepath.Join(studytest.Goldens, "base"))))
	text := []byte(`{"do_normalize": true, "sampling_rate": 16000, "return_attention_mask": false}`)
	require.NoError(t, os.WriteFile(filepath.Join(base, "preprocessor_config.json"), text, 0o600))
	out := filepath.Join(t.TempDir(), "out")
	_, err := extract.Merge(t.Context(), extract.MergeOptions{Model: base,
		Adapters: extract.Adapters{Dirs: []string{filepath.Join(base, "peft", "rslora_qv")}}, Out: out})
	require.NoError(t, err)
	got, err := os.ReadFile(filepath.Join(out, "preprocessor_config.json"))
	require.NoError(t, err)
	assert.Equal(t, text, got)
	readme, err := os.ReadFile(filepath.Join(out, "README.md"))
	require.NoError(t, err)
	assert.Contains(t, string(readme), "rslora, 6 places")
}

func TestMergeRefusesWhatIsThere(t *testing.T) {
	base := filepath.Join(t.TempDir(), "base")
	require.NoError(t, os.CopyFS(base, os.DirFS(filepath.Join(studytest.Goldens, "base"))))
	opt := extract.MergeOptions{Model: base, Adapters: extract.Adapters{Dirs: []string{filepath.Join(base, "peft",
		"lora_qkv")}}, Out: filepath.Join(t.TempDir(), "out")}
	refused := func(kind fault.Kind, want string) {
		t.Helper()
		_, err := extract.Merge(t.Context(), opt)
		require.Error(t, err)
		assert.Equal(t, kind, fault.KindOf(err))
		assert.ErrorContains(t, err, want)
	}
	_, err := extract.Merge(t.Context(), opt)
	require.NoError(t, err)
	refused(fault.Exists, "exists already")

	opt.Force = true
	opt.Adapters.Dirs = []string{filepath.Join(base, "peft", "rslora_qv")}
	merged, err := extract.Merge(t.Context(), opt)
	require.NoError(t, err)
	assert.Len(t, merged.Modules, 6)
	readme, err := os.ReadFile(filepath.Join(opt.Out, "README.md"))
	require.NoError(t, err)
	assert.Contains(t, string(readme), "rslora_qv")

	precious := filepath.Join(opt.Out, "thesis.tex")
	require.NoError(t, os.WriteFile(precious, nil, 0o600))
	refused(fault.Exists, "holds thesis.tex")
	assert.FileExists(t, precious)

	opt.Out = precious
	refused(fault.Exists, "is not a folder")
	opt.Out = base
	refused(fault.Usage, "is what is to be merged")
	opt.Out = filepath.Join(base, "no", "parent")
	refused(fault.IO, "make its folder first")
	opt.Out, opt.Adapters.Dirs = filepath.Join(t.TempDir(), "out"), []string{"nowhere"}
	refused(fault.Missing, "nowhere")
	assert.NoDirExists(t, opt.Out)
}
