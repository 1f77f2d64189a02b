package wavlm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

func TestConfigOfPublishedModels(t *testing.T) {
	// Base+ lacks max_bucket_distance, and all published files have keys that concern other
	// programs.
	c, err := parseConfig([]byte(`{"model_type": "wavlm", "num_buckets": 320, "layerdrop": 0.05,
		"activation_dropout": 0.0,
		"mask_channel_prob": 0.0, "no_mask_time_overlap": false, "num_feat_extract_layers": 7, "tdnn_dim": [512, 512],
		"add_adapter": false, "output_hidden_size": null, "gradient_checkpointing": false, "torch_dtype": "float32"}`))
	require.NoError(t, err)
	want := Default(WavLM)
	want.Rates.LayerDrop, want.Rates.Activation, want.raw = .05, 0, c.raw
	assert.Equal(t, want, c)
	assert.Equal(t, 800, c.MaxDistance)
	assert.Equal(t, 64, c.headWidth())
	assert.Equal(t, 512, c.convOut())

}

func TestConfigGoldens(t *testing.T) {
	for _, name := range append(wavlms, relations...) {
		c, err := readConfig(filepath.Join(goldens, name))
		require.NoError(t, err, name)
		text, err := os.ReadFile(filepath.Join(goldens, name, configFile))
		require.NoError(t, err)
		assert.Equal(t, text, c.json(), "kept as read")

		made := c
		made.raw = nil
		again, err := parseConfig(made.json())
		require.NoError(t, err)
		again.raw = nil
		assert.Equal(t, made, again, "a made config.json says the same")
	}
}

func TestConfigRefuses(t *testing.T) {
	for text, why := range map[string]string{
		``:                          "is not a JSON object",
		`[]`:                        "is not a JSON object",
		`{"model_type": "wavlm"`:    "is not valid JSON",
		`{"model_type": "wavlm"} x`: "after the JSON object",
		`{"model_type": "wavlm", "model_type": "hubert"}`: `key "model_type" stands twice`,
		`{}`:                      "there is no model_type",
		`{"Model_Type": "wavlm"}`: "there is no model_type",
		`{"model_type": 3}`:       "model_type 3, want text",
		`{"model_type": "bert"}`:  `model_type "bert", want wavlm, wav2vec2, hubert or data2vec-audio`,
		`{"model_type": "wavlm", "hidden_size": "768"}`:          `hidden_size "768", want a whole number`,
		`{"model_type": "wavlm", "hidden_size": 768.5}`:          "hidden_size 768.5, want a whole number",
		`{"model_type": "wavlm", "hidden_size": 0}`:              "hidden_size 0, want 1 to",
		`{"model_type": "wavlm", "hidden_size": 1e30}`:           "hidden_size 1e30, want a whole number",
		`{"model_type": "wavlm", "num_hidden_layers": -1}`:       "num_hidden_layers -1",
		`{"model_type": "wavlm", "num_hidden_layers": 99999999}`: "num_hidden_layers 99999999",
		`{"model_type": "wavlm", ` +
			`"num_attention_heads": 7}`: "hidden_size 768 is no multiple of num_attention_heads 7",
		`{"model_type": "wavlm", ` +
			`"num_conv_pos_embedding_groups": 7}`: "hidden_size 768 is no multiple of num_conv_pos_embedding_groups 7",
		`{"model_type": "wavlm", "num_buckets": 318}`: "num_buckets 318 is no multiple of 4",
		`{"model_type": "wavlm", ` +
			`"max_bucket_distance": 80}`: "max_bucket_distance 80, want more than num_buckets/4 = 80",
		`{"model_type": "wavlm", "conv_dim": [512]}`: "have 1, 7 and 7 entries",
		`{"model_type": "wavlm", ` +
			`"conv_dim": [], "conv_kernel": [], "conv_stride": []}`: "have 0, 0 and 0 entries",
		`{"model_type": "wavlm", "conv_stride": [5,2,2,2,2,2,0]}`: "conv_stride 0, want 1",
		`{"model_type": "wavlm", ` +
			`"conv_stride": [5,2,2,2,2,2,1000000], "conv_kernel": [10,3,3,3,3,2,1000000]}`: "samples for a frame",
		`{"model_type": "wavlm", "conv_bias": 1}`:        "conv_bias 1, want true or false",
		`{"model_type": "wavlm", "conv_dim": 512}`:       "conv_dim 512, want a list of whole numbers",
		`{"model_type": "wavlm", "hidden_act": "swish"}`: `hidden_act "swish", want gelu`,
		`{"model_type": "wavlm", ` +
			`"feat_extract_norm": "batch"}`: `feat_extract_norm "batch", want group or layer`,
		`{"model_type": "wavlm", "layer_norm_eps": 0}`:       "layer_norm_eps 0",
		`{"model_type": "wavlm", "initializer_range": -1}`:   "initializer_range -1",
		`{"model_type": "wavlm", "hidden_dropout": 1.5}`:     "hidden_dropout 1.5, want 0 to 1",
		`{"model_type": "wavlm", "mask_time_length": 0}`:     "mask_time_length 0, want at least 1",
		`{"model_type": "wavlm", "mask_time_min_masks": -1}`: "mask_time_min_masks -1",
		`{"model_type": "wavlm", "add_adapter": true}`:       "add_adapter true is not supported",
		`{"model_type": "wav2vec2", "adapter_attn_dim": 16}`: "adapter_attn_dim 16 is not supported",
		`{"model_type": "data2vec-audio", ` +
			`"num_conv_pos_embeddings": 0}`: "num_conv_pos_embeddings 0, want 1",
		`{"model_type": "data2vec-audio", ` +
			`"conv_pos_kernel_size": 0}`: "conv_pos_kernel_size 0, want 1",
		`{"model_type": "unispeech"}`: `model_type "unispeech": this is UniSpeech, ` +
			`want wavlm, wav2vec2, hubert or data2vec-audio`,
		`{"model_type": "wav2vec2-bert", ` +
			`"hidden_act": "swish"}`: `model_type "wav2vec2-bert": this is Wav2Vec2-BERT`,
	} {
		_, err := parseConfig([]byte(text))
		assert.ErrorContains(t, err, why, text)
	}
}

func TestConfigFileErrors(t *testing.T) {
	dir := t.TempDir()
	_, err := readConfig(dir)
	assert.Equal(t, fault.Missing, fault.KindOf(err))
	path := filepath.Join(dir, configFile)
	require.NoError(t, os.WriteFile(path, []byte(`{"model_type": "wavlm", "hidden_size": 0, "num_hidden_layers": 0}`),
		0o600))
	_, err = readConfig(dir)
	assert.Equal(t, fault.BadData, fault.KindOf(err))
	assert.ErrorContains(t, err, path)
	assert.ErrorContains(t, err, "hidden_size 0")
	assert.ErrorContains(t, err, "num_hidden_layers 0", "all problems at once")
	require.NoError(t, os.WriteFile(path, []byte(`{"model_type": "sew"}`), 0o600))
	_, err = readConfig(dir)
	assert.Equal(t, fault.BadData, fault.KindOf(err))
	assert.ErrorContains(t, err, `: model_type "sew": this is SEW, which works at half the rate, want wavlm`)
	assert.ErrorContains(t, err, "; use one of the supported families: wavlm")
	require.NoError(t, os.WriteFile(path, []byte(strings.Repeat(" ", 16<<20+1)), 0o600))
	_, err = readConfig(dir)
	assert.Equal(t, fault.BadData, fault.KindOf(err))
}

// FuzzParseConfig: whatever is accepted can be built.
func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(`{"model_type": "wavlm", "hidden_size": 48, "num_attention_heads": 4, "conv_dim": [8], ` +
		`"conv_kernel": [10], "conv_stride": [5]}`))
	f.Add([]byte(`{"model_type": "data2vec-audio", "feat_extract_norm": "group", "conv_pos_kernel_size": 5}`))
	f.Add([]byte(`{"model_type": "hubert", "feat_proj_layer_norm": false, "mask_time_prob": 1e-9}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := parseConfig(text)
		if err != nil {
			return
		}
		n := c.MinSamples()
		assert.Equal(t, 1, c.Frames(n))
		assert.Equal(t, 0, c.Frames(n-1))
		assert.Positive(t, c.headWidth())
		made := c
		made.raw = nil
		_, err = parseConfig(made.json())
		assert.NoError(t, err)
	})
}
