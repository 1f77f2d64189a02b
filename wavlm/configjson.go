package wavlm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/hfmodel"
)

const configFile = "config.json"

// field is a key of config.json and the address of its value in a Config.
type field struct {
	key   string
	value any // pointer
}

// fields returns all keys that this package reads and writes.
func (c *Config) fields() []field {
	fs := []field{
		{"model_type", &c.Family},
		{"hidden_size", &c.Hidden}, {"num_hidden_layers", &c.Layers}, {"num_attention_heads", &c.Heads},
		{"intermediate_size", &c.Inner}, {"hidden_act", &c.Act}, {"layer_norm_eps", &c.NormEps},
		{"initializer_range", &c.InitSize},
		{"conv_dim", &c.ConvWidth}, {"conv_kernel", &c.ConvKernel}, {"conv_stride", &c.ConvStride},
		{"conv_bias", &c.ConvBias}, {"feat_extract_activation", &c.ConvAct},
		{c.kernelKey(), &c.PosKernel}, {"num_conv_pos_embedding_groups", &c.PosGroups},
		{"hidden_dropout", &c.Rates.Hidden}, {"attention_dropout", &c.Rates.Attention},
		{"activation_dropout", &c.Rates.Activation}, {"feat_proj_dropout", &c.Rates.Projection},
		{"layerdrop", &c.Rates.LayerDrop},
		{"mask_time_prob", &c.Rates.Time.Prob}, {"mask_time_length", &c.Rates.Time.Length},
		{"mask_time_min_masks", &c.Rates.Time.Min},
		{"mask_feature_prob", &c.Rates.Channels.Prob}, {"mask_feature_length", &c.Rates.Channels.Length},
		{"mask_feature_min_masks", &c.Rates.Channels.Min},
	}
	if c.Family == Data2Vec { // its norms are always the same
		return append(fs, field{"num_conv_pos_embeddings", &c.PosLayers})
	}
	fs = append(fs, field{"do_stable_layer_norm", &c.Stable}, field{"feat_extract_norm", &c.ConvNorm})
	switch c.Family {
	case WavLM:
		fs = append(fs, field{"num_buckets", &c.Buckets}, field{"max_bucket_distance", &c.MaxDistance})
	case HuBERT:
		fs = append(fs, field{"feat_proj_layer_norm", &c.ProjectionNorm}, field{"conv_pos_batch_norm", &c.PosBatchNorm})
	}
	return fs
}

// unsupported lists switches for architectures that this package does not have. They may be absent,
// null or false.
var unsupported = []string{"add_adapter", "adapter_attn_dim"}

// readConfig reads config.json in a model's folder. It ignores unknown keys, of which published
// files have many for other programs. Known keys must have the right type and fit together.
func readConfig(dir string) (Config, error) {
	path := filepath.Join(dir, configFile)
	text, err := hfmodel.ReadText(path)
	if err != nil {
		return Config{}, err
	}
	c, err := parseConfig(text)
	if err != nil {
		f := fault.New(fault.BadData, "read config", path, "%v", err).WithHint("get the model's config.json again")
		if errors.As(err, new(*otherFamily)) {
			f.WithHint("use one of the supported families: %s", families)
		}
		return Config{}, f
	}
	return c, nil
}

// architectures holds the names of transformers' classes.
var architectures = map[Family]string{
	WavLM: "WavLMModel", Wav2Vec2: "Wav2Vec2Model", HuBERT: "HubertModel", Data2Vec: "Data2VecAudioModel",
}

// otherFamily is the error for a family that this package does not run.
type otherFamily struct{ Family }

// relatives describes families that are easily confused with the supported ones.
var relatives = map[Family]string{
	"wav2vec2-bert":      "Wav2Vec2-BERT, which reads spectrograms",
	"wav2vec2-conformer": "Wav2Vec2-Conformer, whose layers differ",
	"unispeech":          "UniSpeech",
	"unispeech-sat":      "UniSpeech-SAT",
	"sew":                "SEW, which works at half the rate",
	"sew-d":              "SEW-D, which works at half the rate",
	"data2vec-text":      "data2vec for text",
	"data2vec-vision":    "data2vec for pictures",
}

func (f *otherFamily) Error() string {
	text := fmt.Sprintf("model_type %q", string(f.Family))
	if name, ok := relatives[f.Family]; ok {
		text += ": this is " + name
	}
	return text + ", want " + families
}

// parseConfig reads the text of a config.json.
func parseConfig(text []byte) (Config, error) {
	values, err := hfmodel.ParseObject(text)
	if err != nil {
		return Config{}, err
	}
	var family Family
	if raw := values["model_type"]; raw == nil {
		return Config{}, errors.New("there is no model_type, want " + families)
	} else if err := json.Unmarshal(raw, &family); err != nil {
		return Config{}, fmt.Errorf("model_type %s, want text", raw)
	}
	if _, ok := architectures[family]; !ok {
		return Config{}, &otherFamily{family}
	}
	c := Default(family)
	var problems []string
	for _, f := range c.fields() {
		if err := hfmodel.Decode(values[f.key], f.value); err != nil {
			problems = append(problems, f.key+" "+err.Error())
		}
	}
	for _, key := range unsupported {
		switch string(values[key]) {
		case "", "null", "false":
		default:
			problems = append(problems, fmt.Sprintf("%s %s is not supported", key, values[key]))
		}
	}
	if len(problems) == 0 {
		problems = c.problems()
	}
	if len(problems) > 0 {
		return Config{}, errors.New(hfmodel.List(problems))
	}
	c.raw = bytes.Clone(text)
	return c, nil
}

// json returns the config.json of c: as it was read, or else made from the fields.
func (c Config) json() []byte {
	if c.raw != nil {
		return bytes.Clone(c.raw)
	}
	values := map[string]any{"architectures": []string{architectures[c.Family]}}
	for _, f := range c.fields() {
		values[f.key] = f.value
	}
	return hfmodel.Indented(values)
}
