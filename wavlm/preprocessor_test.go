package wavlm

import (
	"os"
	"path/filepath"
	"strings"
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

// Case: Wav2Vec2Processor.save_pretrained of transformers 5 writes processor_config.json alone.
func TestPreprocessorWithinAProcessor(t *testing.T) {
	const nested = `{"feature_extractor": {"do_normalize": %s, "sampling_rate": 16000},
		"processor_class": "Wav2Vec2Processor"}`
	yes, no := strings.Replace(nested, "%s", "true", 1), strings.Replace(nested, "%s", "false", 1)
	for name, c := range map[string]struct {
		processor, preprocessor string
		want                    bool
	}{
		"alone, normalising":                      {yes, "", true},
		"alone, not normalising":                  {no, "", false},
		"beside another file, which it overrides": {no, `{"do_normalize": true}`, false},
		"of transformers 4, beside the other": {
			`{"processor_class": "Wav2Vec2Processor"}`, `{"do_normalize": true}`, true},
		"with a null": {`{"feature_extractor": null}`, `{"do_normalize": true}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "processor_config.json"), []byte(c.processor), 0o600))
			if c.preprocessor != "" {
				require.NoError(t, os.WriteFile(filepath.Join(dir, preprocessorFile), []byte(c.preprocessor), 0o600))
			}
			p, err := readPreprocessor(dir, Default(WavLM))
			require.NoError(t, err)
			assert.Equal(t, c.want, p.normalise)
			assert.Empty(t, p.note)
			require.NoError(t, os.WriteFile(filepath.Join(dir, preprocessorFile), p.raw, 0o600))
			require.NoError(t, os.Remove(filepath.Join(dir, "processor_config.json")))
			again, err := readPreprocessor(dir, Default(WavLM))
			require.NoError(t, err, "what is saved can be read")
			assert.Equal(t, c.want, again.normalise)
		})
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "processor_config.json")
	for text, why := range map[string]string{
		`{"feature_extractor": {"sampling_rate": 8000}}`: "sampling_rate 8000, want 16000",
		`{"feature_extractor": `:                         "JSON",
	} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := readPreprocessor(dir, Default(WavLM))
		assert.ErrorContains(t, err, why)
		assert.ErrorContains(t, err, path)
		assert.Equal(t, fault.BadData, fault.KindOf(err))
	}
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Symlink("nowhere", path))
	_, err := readPreprocessor(dir, Default(WavLM))
	assert.Equal(t, fault.Missing, fault.KindOf(err), "a dangling link is a file that was not fetched")
}
