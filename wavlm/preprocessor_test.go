package wavlm

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/speech"
)

func TestNormalise(t *testing.T) {
	g := openGolden(t, "tables", "normalize.safetensors")
	want := g.values("with_mask/input_values") // (2, 1600), the second clip padded with 0
	for i, raw := range []string{"raw0", "raw1"} {
		got := speech.Normalise(g.values(raw))
		near(t, raw, want[i*1600:i*1600+len(got)], got, 2e-5, 0)
	}
	assert.Equal(t, []float32{0, 0}, speech.Normalise([]float32{.25, .25}))
	assert.Empty(t, speech.Normalise(nil))
}

func TestPreprocessor(t *testing.T) {
	group, layer := Default(WavLM), Default(WavLM)
	layer.ConvNorm = "layer"
	dir := t.TempDir()
	p, err := readPreprocessor(dir, group)
	require.NoError(t, err)
	assert.False(t, p.normalise)
	assert.Contains(t, p.note, "there is no preprocessor_config.json: the waveform is used as it is")
	p, err = readPreprocessor(dir, layer)
	require.NoError(t, err)
	assert.True(t, p.normalise)
	assert.Contains(t, p.note, "the waveform is normalised, since feat_extract_norm is layer")

	write := func(text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, preprocessorFile), []byte(text), 0o600))
	}
	for text, want := range map[string]bool{
		`{"do_normalize": true, "sampling_rate": 16000, "feature_size": 1, "return_attention_mask": true, ` +
			`"padding_value": 0.0}`: true,
		`{"do_normalize": false}`: false,
		`{}`:                      true,
	} {
		write(text)
		p, err = readPreprocessor(dir, group)
		require.NoError(t, err, text)
		assert.Equal(t, want, p.normalise, text)
		assert.Empty(t, p.note)
	}
	for text, why := range map[string]string{
		`{"do_normalize": "yes"}`:   `do_normalize "yes", want true or false`,
		`{"sampling_rate": 8000}`:   "sampling_rate 8000, want 16000",
		`{"feature_size": 80}`:      "feature_size 80, want 1",
		`{"padding_value": -1.0}`:   "padding_value -1, want 0",
		`not JSON`:                  "is not a JSON object",
		`{"do_normalize": true, 3}`: "is not valid JSON",
	} {
		write(text)
		_, err = readPreprocessor(dir, group)
		assert.ErrorContains(t, err, why)
		assert.Equal(t, fault.BadData, fault.KindOf(err))
	}
}
