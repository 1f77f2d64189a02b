package wavlm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/sniff"
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
	text, err := readText(path)
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
	"whisper":            "Whisper, which reads spectrograms and writes text",
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
	values, err := parseObject(text)
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
		if err := decode(values[f.key], f.value); err != nil {
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
		return Config{}, errors.New(list(problems))
	}
	c.raw = bytes.Clone(text)
	return c, nil
}

// decode sets *to to the JSON value. Absent values and null leave it unchanged.
func decode(raw json.RawMessage, to any) error {
	if raw == nil || string(raw) == "null" {
		return nil
	}
	if err := json.Unmarshal(raw, to); err != nil {
		want := map[string]string{"*int": "a whole number", "*float64": "a number", "*bool": "true or false",
			"*[]int": "a list of whole numbers"}
		kind, ok := want[fmt.Sprintf("%T", to)]
		if !ok {
			kind = "text"
		}
		return fmt.Errorf("%s, want %s", raw, kind)
	}
	return nil
}

// parseObject reads a JSON object. Unlike encoding/json for structs it distinguishes upper and
// lower case, and it refuses duplicate keys.
func parseObject(text []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil, errors.New("is not a JSON object")
	}
	values := map[string]json.RawMessage{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, syntax(err)
		}
		name := key.(string) // the decoder accepts nothing else as a key
		if _, twice := values[name]; twice {
			return nil, fmt.Errorf("key %q stands twice", name)
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, syntax(err)
		}
		values[name] = raw
	}
	if _, err := d.Token(); err != nil {
		return nil, syntax(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is something after the JSON object")
	}
	return values, nil
}

func syntax(err error) error { return fmt.Errorf("is not valid JSON: %w", err) }

// json returns the config.json of c: as it was read, or else made from the fields.
func (c Config) json() []byte {
	if c.raw != nil {
		return bytes.Clone(c.raw)
	}
	values := map[string]any{"architectures": []string{architectures[c.Family]}}
	for _, f := range c.fields() {
		values[f.key] = f.value
	}
	return indented(values)
}

// indented returns JSON with sorted keys, as transformers writes it. Its values are numbers, text,
// lists and parsed JSON.
func indented(values any) []byte {
	text, err := json.MarshalIndent(values, "", "  ")
	if err != nil {
		panic(err) // NaN in a Config, which problems excludes
	}
	return append(text, '\n')
}

// maxText is far more than any configuration has.
const maxText = 16 << 20

// readText reads a small file of JSON, and names what it is if it is something else.
func readText(path string) ([]byte, error) {
	text, err := inputfile.Read("read", path, maxText)
	if err != nil {
		return nil, err
	}
	if err := sniff.Other("read", path, sniff.Bytes(text), "JSON", sniff.JSON); err != nil {
		return nil, err
	}
	return text, nil
}

// most is the number of problems that an error lists.
const most = 10

// list returns up to ten problems on one line.
func list(problems []string) string {
	if n := len(problems) - most; n > 0 {
		problems = append(append([]string{}, problems[:most]...), fmt.Sprintf("and %d more", n))
	}
	return strings.Join(problems, "; ")
}
