package whisper

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/hfmodel"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
)

// Family is the model_type of config.json.
const Family = "whisper"

// config is the architecture of an encoder, from config.json. Letters in brackets are those of shapes in this package.
type config struct {
	hidden    int     // width (E)
	layers    int     // number of layers (N)
	heads     int     // attention heads (H); each is E/H wide (D)
	inner     int     // width inside the feed-forward part (F)
	mels      int     // channels of the spectrogram (M)
	positions int     // frames of a hidden state that have a position: 1500
	act       string  // activation of the feed-forward part
	scaled    bool    // positions are added to the embedding times √E
	initSize  float64 // standard deviation of fresh weights
	rates     speech.Regularise

	raw []byte // config.json as read
}

// activations holds the activation functions that a config.json may name.
var activations = map[string]func(*torch.Tensor) *torch.Tensor{
	"gelu": (*torch.Tensor).GELU, "gelu_new": (*torch.Tensor).GELUTanh, "relu": (*torch.Tensor).ReLU,
}

// standard returns the configuration that transformers uses for keys that config.json lacks: that of tiny.
func standard() config {
	return config{hidden: 384, layers: 4, heads: 6, inner: 1536, mels: 80, positions: 1500, act: "gelu", initSize: .02}
}

// fields returns the keys that are read.
func (c *config) fields() []hfmodel.Field {
	return []hfmodel.Field{
		{Key: "d_model", Value: &c.hidden}, {Key: "encoder_layers", Value: &c.layers},
		{Key: "encoder_attention_heads", Value: &c.heads}, {Key: "encoder_ffn_dim", Value: &c.inner},
		{Key: "num_mel_bins", Value: &c.mels}, {Key: "max_source_positions", Value: &c.positions},
		{Key: "activation_function", Value: &c.act}, {Key: "scale_embedding", Value: &c.scaled},
		{Key: "init_std", Value: &c.initSize}, {Key: "dropout", Value: &c.rates.Hidden},
		{Key: "attention_dropout", Value: &c.rates.Attention}, {Key: "activation_dropout", Value: &c.rates.Activation},
		{Key: "encoder_layerdrop", Value: &c.rates.LayerDrop},
	}
}

// readConfig reads config.json in a model's folder.
func readConfig(dir string) (config, error) {
	path := filepath.Join(dir, hfmodel.ConfigFile)
	text, err := hfmodel.ReadText(path)
	if err != nil {
		return config{}, err
	}
	c, err := parseConfig(text)
	if err != nil {
		return c, fault.New(fault.BadData, "read config", path, "%v", err).WithHint("get the model's config.json again")
	}
	return c, nil
}

// parseConfig reads the text of a config.json. Unknown keys are ignored.
func parseConfig(text []byte) (config, error) {
	values, err := hfmodel.ParseObject(text)
	if err != nil {
		return config{}, err
	}
	c := standard()
	var problems []string
	for _, f := range c.fields() {
		if err := hfmodel.Decode(values[f.Key], f.Value); err != nil {
			problems = append(problems, f.Key+" "+err.Error())
		}
	}
	if len(problems) == 0 {
		problems = c.problems()
	}
	if len(problems) > 0 {
		return c, errors.New(hfmodel.List(problems))
	}
	c.raw = text
	return c, nil
}

// Limits of a configuration, far above all published models.
const (
	maxLayers = 1000
	maxWidth  = 1 << 20
)

// problems lists why no model can be built; each entry begins with a key of config.json.
func (c config) problems() (list []string) {
	want := func(ok bool, format string, args ...any) {
		if !ok {
			list = append(list, fmt.Sprintf(format, args...))
		}
	}
	for _, n := range []struct {
		key         string
		value, most int
	}{{"d_model", c.hidden, maxWidth}, {"encoder_layers", c.layers, maxLayers}, {"encoder_ffn_dim", c.inner, maxWidth},
		{"encoder_attention_heads", c.heads, maxWidth}, {"max_source_positions", c.positions, maxWidth},
		{"num_mel_bins", c.mels, 512}} {
		want(n.value >= 1 && n.value <= n.most, "%s %d, want 1 to %d", n.key, n.value, n.most)
	}
	want(c.heads < 1 || c.hidden%c.heads == 0, "d_model %d is no multiple of encoder_attention_heads %d", c.hidden,
		c.heads)
	want(activations[c.act] != nil, "activation_function %q, want gelu, gelu_new or relu", c.act)
	want(!c.scaled, "scale_embedding true is not supported")
	want(c.initSize >= 0 && c.initSize < 1e3, "init_std %g, want at least 0", c.initSize)
	for _, p := range []struct {
		key   string
		value float64
	}{{"dropout", c.rates.Hidden}, {"attention_dropout", c.rates.Attention},
		{"activation_dropout", c.rates.Activation}, {"encoder_layerdrop", c.rates.LayerDrop}} {
		want(p.value >= 0 && p.value <= 1, "%s %g, want 0 to 1", p.key, p.value)
	}
	return list
}
