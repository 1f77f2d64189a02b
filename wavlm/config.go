package wavlm

import (
	"fmt"
	"math"
	"strings"

	"github.com/brainwavlm/bwlm/speech"
)

// Family is a kind of encoder: model_type of config.json.
type Family string

// The families that this package runs.
const (
	WavLM    Family = "wavlm"
	Wav2Vec2 Family = "wav2vec2"
	HuBERT   Family = "hubert"
	Data2Vec Family = "data2vec-audio"
)

const families = "wavlm, wav2vec2, hubert or data2vec-audio"

// prefix returns the start of the encoder's keys in the checkpoint of a task.
func (f Family) prefix() string { return strings.ReplaceAll(string(f), "-", "_") + "." }

// Config is the architecture of a model, from config.json. Letters in brackets are those of shapes
// in this package.
type Config struct {
	Family Family

	Hidden   int     // width of the encoder (E)
	Layers   int     // number of layers (N)
	Heads    int     // number of attention heads (H); each is E/H wide (D)
	Inner    int     // width inside the feed-forward part (F)
	Act      string  // activation of the feed-forward part: gelu, gelu_new, relu or selu
	NormEps  float64 // epsilon of all layer norms outside the front end
	Stable   bool    // norms before the sub-layers and one at the end (Large); false: after the sub-layers
	InitSize float64 // standard deviation of fresh linear weights

	ConvWidth  []int  // channels of each convolution of the front end; the last is C
	ConvKernel []int  // kernel of each
	ConvStride []int  // stride of each
	ConvBias   bool   // they have biases
	ConvNorm   string // group: group norm after the first; layer: layer norm after each
	ConvAct    string // activation after each

	ProjectionNorm bool // layer norm before the projection; false in some HuBERTs only

	PosKernel    int  // kernel of the positional convolution (K)
	PosGroups    int  // its groups (G)
	PosLayers    int  // number of positional convolutions, data2vec only
	PosBatchNorm bool // it has a batch norm and no weight norm; some HuBERTs only

	Buckets     int // buckets of relative positions, WavLM only
	MaxDistance int // from this distance on all positions share a bucket

	Rates speech.Regularise // of the model's training; they are not applied by default

	raw []byte // config.json as read
}

// Default returns the configuration that transformers 5.23.0 uses for keys that config.json lacks.
// For WavLM it is the architecture of Base.
func Default(f Family) Config {
	c := Config{
		Family: f, Hidden: 768, Layers: 12, Heads: 12, Inner: 3072, Act: "gelu", NormEps: 1e-5, InitSize: .02,
		ConvWidth:  []int{512, 512, 512, 512, 512, 512, 512},
		ConvKernel: []int{10, 3, 3, 3, 3, 2, 2},
		ConvStride: []int{5, 2, 2, 2, 2, 2, 2},
		ConvNorm:   "group", ConvAct: "gelu", ProjectionNorm: true,
		PosKernel: 128, PosGroups: 16, Buckets: 320, MaxDistance: 800,
		Rates: speech.Regularise{
			Hidden: .1, Attention: .1, Activation: .1, LayerDrop: .1,
			Time: speech.Spans{Prob: .05, Length: 10, Min: 2}, Channels: speech.Spans{Length: 10},
		},
	}
	if f == Data2Vec {
		c.ConvNorm, c.PosKernel, c.PosLayers = "layer", 19, 5
	}
	return c
}

// Limits of a configuration, far above all published models, so that no product overflows.
const (
	maxLayers = 1000
	maxWidth  = 1 << 20
	maxFrame  = 3600 * speech.SampleRate // samples behind one frame
)

// kernelKey returns the key of PosKernel, which differs between families.
func (c Config) kernelKey() string {
	if c.Family == Data2Vec {
		return "conv_pos_kernel_size"
	}
	return "num_conv_pos_embeddings"
}

// problems lists why no model can be built with the configuration; each entry begins with a key of
// config.json.
func (c Config) problems() (list []string) {
	want := func(ok bool, format string, args ...any) {
		if !ok {
			list = append(list, fmt.Sprintf(format, args...))
		}
	}
	switch c.Family {
	case WavLM, Wav2Vec2, HuBERT:
	case Data2Vec:
		want(c.PosLayers >= 1 && c.PosLayers <= maxLayers, "num_conv_pos_embeddings %d, want 1 to %d", c.PosLayers,
			maxLayers)
		want(c.ConvNorm == "layer" && !c.Stable,
			"a data2vec-audio has layer norm in its front end, and none at the end")
	default:
		want(false, "model_type %q, want %s", c.Family, families)
	}
	width := func(key string, n int) bool {
		ok := n >= 1 && n <= maxWidth
		want(ok, "%s %d, want 1 to %d", key, n, maxWidth)
		return ok
	}
	hidden := width("hidden_size", c.Hidden)
	width("intermediate_size", c.Inner)
	want(c.Layers >= 1 && c.Layers <= maxLayers, "num_hidden_layers %d, want 1 to %d", c.Layers, maxLayers)
	if width("num_attention_heads", c.Heads) && hidden {
		want(c.Hidden%c.Heads == 0, "hidden_size %d is no multiple of num_attention_heads %d", c.Hidden, c.Heads)
	}
	width(c.kernelKey(), c.PosKernel)
	if width("num_conv_pos_embedding_groups", c.PosGroups) && hidden {
		want(c.Hidden%c.PosGroups == 0, "hidden_size %d is no multiple of num_conv_pos_embedding_groups %d", c.Hidden,
			c.PosGroups)
	}
	n := len(c.ConvWidth)
	want(n >= 1 && n == len(c.ConvKernel) && n == len(c.ConvStride),
		"conv_dim, conv_kernel and conv_stride have %d, %d and %d entries, want equally many",
		n, len(c.ConvKernel), len(c.ConvStride))
	sane := n == len(c.ConvKernel) && n == len(c.ConvStride)
	for _, list := range []struct {
		key string
		n   []int
	}{{"conv_dim", c.ConvWidth}, {"conv_kernel", c.ConvKernel}, {"conv_stride", c.ConvStride}} {
		for _, n := range list.n {
			sane = width(list.key, n) && sane
		}
	}
	want(!sane || c.MinSamples() <= maxFrame, "conv_kernel and conv_stride need more than %d samples for a frame",
		maxFrame)
	want(c.ConvNorm == "group" || c.ConvNorm == "layer", "feat_extract_norm %q, want group or layer", c.ConvNorm)
	for _, act := range []struct{ key, name string }{{"hidden_act", c.Act}, {"feat_extract_activation", c.ConvAct}} {
		want(activations[act.name] != nil, "%s %q, want gelu, gelu_new, relu or selu", act.key, act.name)
	}
	want(c.NormEps > 0 && c.NormEps < 1, "layer_norm_eps %g, want between 0 and 1", c.NormEps)
	want(c.InitSize >= 0 && !math.IsInf(c.InitSize, 0), "initializer_range %g, want at least 0", c.InitSize)
	if c.Family == WavLM && width("num_buckets", c.Buckets) {
		want(c.Buckets%4 == 0, "num_buckets %d is no multiple of 4", c.Buckets)
		want(c.MaxDistance > c.Buckets/4, "max_bucket_distance %d, want more than num_buckets/4 = %d", c.MaxDistance,
			c.Buckets/4)
	}
	return append(list, ratesProblems(c.Rates)...)
}
