package wavlm

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/hfmodel"
	"github.com/brainwavlm/bwlm/speech"
)

// loadMicrosoft reads a WavLM from Microsoft's file: a dictionary of "cfg", the settings of the
// class WavLM in microsoft/unilm, wavlm/WavLM.py, and "model", its state dict with the names of
// fairseq.
func loadMicrosoft(ctx context.Context, path string, opt speech.Options) (*model, error) {
	file, err := ckpt.OpenTorch(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	cfg, normalise, err := microsoftConfig(file.Settings())
	if err != nil {
		return nil, fault.New(fault.BadData, convert, path, "%v", err).
			WithHint("give Microsoft's WavLM-*.pt, or a Hugging Face folder")
	}
	pre := preprocessor{normalise: normalise}
	m, err := microsoftWeights(file, opt).build(ctx, path, cfg, pre, opt)
	if err != nil {
		return nil, err
	}
	m.notes = append(m.notes, "mask_time_prob and similar keys have the defaults of transformers, "+
		"since those of pretraining do not suit fine-tuning")
	return m, nil
}

// microsoftConfig translates cfg. An absent setting has the default of the class WavLMConfig there.
// In fairseq's own checkpoints cfg has parts, of which model and task are read.
func microsoftConfig(all map[string]any) (c Config, normalise bool, err error) {
	s := &cfgReader{}
	cfg, ok := all["cfg"].(map[string]any)
	if _, model := all["model"].(map[string]any); !ok || !model {
		return c, false, errors.New("does not hold cfg and model, as Microsoft's file of a WavLM does")
	}
	s.parts = []map[string]any{cfg}
	if model, ok := cfg["model"].(map[string]any); ok {
		task, _ := cfg["task"].(map[string]any)
		s.parts = []map[string]any{model, task}
	}
	if !s.flag("relative_position_embedding", false) || !s.flag("gru_rel_pos", false) {
		s.problem("relative_position_embedding and gru_rel_pos are not both set, so it is no WavLM")
	}
	c = Default(WavLM)
	c.Layers, c.Hidden = s.int("encoder_layers", 12), s.int("encoder_embed_dim", 768)
	c.Inner, c.Heads = s.int("encoder_ffn_embed_dim", 3072), s.int("encoder_attention_heads", 12)
	c.Act = s.choice("activation_fn", "gelu",
		map[string]string{"gelu": "gelu", "relu": "relu", "gelu_fast": "gelu_new", "gelu_accurate": "gelu_new"})
	c.ConvNorm = s.choice("extractor_mode", "default", map[string]string{"default": "group", "layer_norm": "layer"})
	c.Stable, c.ConvBias = s.flag("layer_norm_first", false), s.flag("conv_bias", false)
	c.PosKernel, c.PosGroups = s.int("conv_pos", 128), s.int("conv_pos_groups", 16)
	c.Buckets, c.MaxDistance = s.int("num_buckets", 320), s.int("max_distance", 1280)
	c.Rates.Hidden, c.Rates.Attention = s.float("dropout", .1), s.float("attention_dropout", .1)
	c.Rates.Activation, c.Rates.Projection = s.float("activation_dropout", 0), s.float("dropout_input", 0)
	c.Rates.LayerDrop = s.float("encoder_layerdrop", 0)
	c.ConvWidth, c.ConvKernel, c.ConvStride = nil, nil, nil
	layers, err := parseConvLayers(s.text("conv_feature_layers", "[(512,10,5)] + [(512,3,2)] * 4 + [(512,2,2)] * 2"))
	if err != nil {
		s.problem("conv_feature_layers: %v", err)
	}
	for _, l := range layers {
		c.ConvWidth = append(c.ConvWidth, l[0])
		c.ConvKernel = append(c.ConvKernel, l[1])
		c.ConvStride = append(c.ConvStride, l[2])
	}
	if n := s.int("expand_attention_head_size", -1); n > 0 {
		s.problem("expand_attention_head_size %d is not supported", n)
	}
	normalise = s.flag("normalize", false)
	problems := s.problems
	if len(problems) == 0 {
		problems = c.problems()
	}
	if len(problems) > 0 {
		return c, false, fmt.Errorf("cfg: %s", hfmodel.List(problems))
	}
	return c, normalise, nil
}

// cfgReader reads values by key and records those of the wrong type.
type cfgReader struct {
	parts    []map[string]any // searched in order
	problems []string
}

func (s *cfgReader) problem(format string, args ...any) {
	s.problems = append(s.problems, fmt.Sprintf(format, args...))
}

// valueOf returns the value of a key, or standard if there is none.
func valueOf[T any](s *cfgReader, key string, standard T) T {
	for _, part := range s.parts {
		value, ok := part[key]
		if !ok {
			continue
		}
		if v, ok := value.(T); ok {
			return v
		}
		s.problem("%s is %v, want a %T", key, value, standard)
		break
	}
	return standard
}

func (s *cfgReader) flag(key string, standard bool) bool     { return valueOf(s, key, standard) }
func (s *cfgReader) text(key string, standard string) string { return valueOf(s, key, standard) }
func (s *cfgReader) int(key string, standard int) int        { return int(valueOf(s, key, int64(standard))) }

// float reads a number, which Python stores as an integer if it was given as one.
func (s *cfgReader) float(key string, standard float64) float64 {
	for _, part := range s.parts {
		if n, ok := part[key].(int64); ok {
			return float64(n)
		}
	}
	return valueOf(s, key, standard)
}

// choice reads a word and translates it.
func (s *cfgReader) choice(key, standard string, words map[string]string) string {
	word := s.text(key, standard)
	if _, ok := words[word]; !ok {
		s.problem("%s %q is not supported", key, word)
	}
	return words[word]
}

// microsoftParts translates the starts of fairseq's names, and layerParts those within a layer.
var (
	microsoftParts = [][2]string{
		{"mask_emb", maskKey},
		{"post_extract_proj.", "feature_projection.projection."},
		{"layer_norm.", "feature_projection.layer_norm."},
		{"encoder.pos_conv.0." + oldSizeKey, "encoder.pos_conv_embed.conv." + sizeKey},
		{"encoder.pos_conv.0." + oldDirectionKey, "encoder.pos_conv_embed.conv." + directionKey},
		{"encoder.pos_conv.0.", "encoder.pos_conv_embed.conv."},
	}
	layerParts = [][2]string{
		{"self_attn.grep_linear.", "attention.gru_rel_pos_linear."},
		{"self_attn.grep_a", "attention.gru_rel_pos_const"},
		{"self_attn.relative_attention_bias.", "attention.rel_attn_embed."},
		{"self_attn.", "attention."},
		{"self_attn_layer_norm.", "layer_norm."},
		{"fc1.", "feed_forward.intermediate_dense."},
		{"fc2.", "feed_forward.output_dense."},
	}
	// Within a convolution. Its norm is the third module of a sequence; a layer norm is the second
	// of three within that.
	convParts = [][2]string{{"0.", "conv."}, {"2.1.", "layer_norm."}, {"2.", "layer_norm."}}
)

// fromMicrosoft returns the name of a parameter that fairseq calls name. Names outside the tables
// are the same.
func fromMicrosoft(name string) string {
	for _, list := range []struct {
		name  string
		parts [][2]string
	}{{"encoder.layers.", layerParts}, {"feature_extractor.conv_layers.", convParts}} {
		if rest, ok := strings.CutPrefix(name, list.name); ok {
			number, part, _ := strings.Cut(rest, ".")
			return list.name + number + "." + replaceStart(part, list.parts)
		}
	}
	return replaceStart(name, microsoftParts)
}

// replaceStart replaces the first start in the table that name has.
func replaceStart(name string, table [][2]string) string {
	for _, pair := range table {
		if rest, ok := strings.CutPrefix(name, pair[0]); ok {
			return pair[1] + rest
		}
	}
	return name
}

// microsoftWeights sorts the keys of Microsoft's file. Tensors outside the encoder were only used
// in pretraining.
func microsoftWeights(file *ckpt.File, opt speech.Options) *weights {
	w := emptyWeights(file, opt)
	for _, key := range file.Names() {
		name, ours := strings.CutPrefix(key, "model.")
		name = fromMicrosoft(name)
		if !ours || !isBackbone(name) {
			w.Unused = append(w.Unused, key)
			continue
		}
		w.Keys[name] = key
	}
	w.NoteUnused("a task")
	return w
}
