package wavlm

import (
	"math"

	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// encoder is the transformer over frames.
type encoder struct {
	projectionNorm nn.Layer // nil in some HuBERTs
	projection     nn.Linear
	maskEmbed      *torch.Tensor // (E); nil in models that were never masked
	positions      positions
	norm           nn.Layer
	layers         []*layer
	cfg            Config
}

func newEncoder(b *nn.Builder, cfg Config) *encoder {
	e := &encoder{cfg: cfg}
	if cfg.masked() {
		uniform := func(s *torch.Scope, shape []int) *torch.Tensor { return s.Uniform(0, 1, shape...) }
		e.maskEmbed = b.Param(maskKey, uniform, cfg.Hidden)
	}
	at := b.At("feature_projection")
	if cfg.ProjectionNorm {
		at.LayerNorm(&e.projectionNorm, "layer_norm", cfg.convOut(), cfg.NormEps)
	}
	at.Linear(&e.projection, "projection", cfg.convOut(), cfg.Hidden)
	at = b.At("encoder")
	e.positions = newPositions(at, cfg)
	at.LayerNorm(&e.norm, "layer_norm", cfg.Hidden, cfg.NormEps)
	for i := range cfg.Layers {
		e.layers = append(e.layers, newLayer(at.At("layers").Index(i), cfg, i))
	}
	return e
}

const maskKey = "masked_spec_embed"

// masked reports whether the model has the vector that stands for masked frames, as in transformers.
func (c *Config) masked() bool { return c.Rates.Time.Prob > 0 || c.Rates.Channels.Prob > 0 }

// forward returns the hidden states 0 to upTo, each (B, T, E), of features (B, T, C). State 0 is
// the encoder's input with positions, state l the output of the l-th layer. Layers above upTo do
// not run. A layer that layer drop skips returns its input.
func (e *encoder) forward(features *torch.Tensor, upTo int, p speech.Pass) []*torch.Tensor {
	if upTo < 0 || upTo > len(e.layers) {
		torch.Failf("wavlm encoder", "there is no hidden state %d, the last is %d", upTo, len(e.layers))
	}
	valid := e.padding(features.Scope(), p.Lengths, features.Dim(0), features.Dim(1))
	embedding := features.Scope().Part(speech.PartEmbedding)
	h := features.Scoped(func(x *torch.Tensor) *torch.Tensor { return e.embed(x, valid, p) })
	embedding()
	return e.run(h, 0, upTo, valid, p)
}

// forwardFrom returns the hidden states from to upTo, each (B, T, E), of hidden state from (B, T,
// E). They are bit-identical to those of forward, unless p draws random numbers below or wants a
// norm after a last state that is h itself. p.MaskTime has no effect.
func (e *encoder) forwardFrom(h *torch.Tensor, from, upTo int, p speech.Pass) []*torch.Tensor {
	if from < 0 || upTo < from || upTo > len(e.layers) {
		torch.Failf("wavlm encoder", "hidden states %d to %d, the model has 0 to %d", from, upTo, len(e.layers))
	}
	return e.run(h, from, upTo, e.padding(h.Scope(), p.Lengths, h.Dim(0), h.Dim(1)), p)
}

// run returns the hidden states from to upTo, given the first of them.
func (e *encoder) run(h *torch.Tensor, from, upTo int, valid *padding, p speech.Pass) []*torch.Tensor {
	hidden := []*torch.Tensor{h}
	if upTo == from {
		hidden[0] = setting{frames: p.Last}.pick(h)
		return hidden
	}
	s := h.Scope()
	c := setting{mask: valid.keyMask(s), rates: p.Regularise}
	if table := e.layers[0].attention.table; table != nil {
		c.position = table.forward(s, h.Dim(1))
	}
	dropped := e.dropped(s, p.Regularise.LayerDrop)
	for i, l := range e.layers[from:upTo] {
		if from+i == upTo-1 {
			c.frames = p.Last
		}
		end := s.Part(speech.PartNorms, from+i)
		h = h.Scoped(func(h *torch.Tensor) *torch.Tensor {
			if dropped[from+i] {
				return c.pick(h)
			}
			return l.forward(h, c)
		})
		end()
		hidden = append(hidden, h)
	}
	if upTo == len(e.layers) && e.cfg.Stable && p.Final == speech.PostNorm {
		hidden[upTo-from] = e.norm.Forward(h)
	}
	return hidden
}

// normed returns the features (B, T, C) after the projection's norm, which transformers calls
// extract_features.
func (e *encoder) normed(features *torch.Tensor) *torch.Tensor {
	if e.projectionNorm == nil {
		return features
	}
	return e.projectionNorm.Forward(features)
}

// embed returns hidden state 0 (B, T, E) of features (B, T, C).
func (e *encoder) embed(features *torch.Tensor, valid *padding, p speech.Pass) *torch.Tensor {
	h := e.projection.Forward(e.normed(features)).Dropout(p.Regularise.Projection) // (B, T, E)
	h = e.augment(h, valid, p)
	if valid != nil {
		h = h.MaskedFill(valid.pad, 0)
	}
	h = h.Add(e.positions.forward(h))
	if !e.cfg.Stable {
		h = e.norm.Forward(h)
	}
	return h.Dropout(p.Regularise.Hidden)
}

// augment masks frames and channels of h (B, T, E) (SpecAugment, Park et al. 2019).
func (e *encoder) augment(h *torch.Tensor, valid *padding, p speech.Pass) *torch.Tensor {
	s := h.Scope()
	b, t, c := h.Dim(0), h.Dim(1), h.Dim(2)
	random := s.Mode().Dropout
	time, spans := p.MaskTime, p.Regularise.Time
	if time == nil && random && spans.Prob > 0 {
		if e.cfg.Family == HuBERT {
			valid = nil // the reference ignores padding there
		}
		time = drawSpans(spans, randomOf(s), t, valid.lengthsOr(b, t))
	}
	if time != nil {
		if e.maskEmbed == nil {
			torch.Failf("wavlm encoder", "frames cannot be masked: this model has no %s", maskKey)
		}
		mask := s.FromBools(flatten(time, b, t), b, t, 1)
		h = mask.Where(e.maskEmbed, h)
	}
	if spans := p.Regularise.Channels; random && spans.Prob > 0 {
		masks := drawSpans(spans, randomOf(s), c, (*padding)(nil).lengthsOr(b, c))
		h = h.MaskedFill(s.FromBools(flatten(masks, b, c), b, 1, c), 0)
	}
	return h
}

// dropped returns which layers a pass skips, by the layers' numbers in the model.
func (e *encoder) dropped(s *torch.Scope, rate float64) []bool {
	out := make([]bool, len(e.layers))
	if rate == 0 || !s.Mode().Dropout {
		return out
	}
	for i, u := range s.Uniform(0, 1, len(out)).Float32s() {
		out[i] = float64(u) < rate
	}
	if e.cfg.Family == WavLM {
		out[0] = false // it owns the position table
	}
	return out
}

// padding describes which frames of a batch are padding.
type padding struct {
	lengths []int
	pad     *torch.Tensor // (B, T, 1), Bool
	keys    []float32     // (B, T), 0 or -inf
}

// padding returns nil if there is none.
func (e *encoder) padding(s *torch.Scope, lengths []int, b, t int) *padding {
	if lengths == nil {
		return nil
	}
	if len(lengths) != b {
		torch.Failf("wavlm encoder", "%d lengths for a batch of %d clips", len(lengths), b)
	}
	pad, keys := make([]bool, b*t), make([]float32, b*t)
	any := false
	for i, n := range lengths {
		if n < 1 || n > t {
			torch.Failf("wavlm encoder", "clip %d has %d real frames, want 1 to %d", i, n, t)
		}
		for j := n; j < t; j++ {
			any, pad[i*t+j], keys[i*t+j] = true, true, float32(math.Inf(-1))
		}
	}
	if !any {
		return nil
	}
	return &padding{lengths, s.FromBools(pad, b, t, 1), keys}
}

// keyMask returns the mask that is added to the scores (B, H, T, T): (B, 1, 1, T), or nil.
func (p *padding) keyMask(s *torch.Scope) *torch.Tensor {
	if p == nil {
		return nil
	}
	b := len(p.lengths)
	return s.FromFloat32(p.keys, b, 1, 1, len(p.keys)/b)
}

// lengthsOr returns the real lengths, or b times n where nothing is padded.
func (p *padding) lengthsOr(b, n int) []int {
	if p != nil {
		return p.lengths
	}
	all := make([]int, b)
	for i := range all {
		all[i] = n
	}
	return all
}

// flatten returns the elements of b rows of n.
func flatten(rows [][]bool, b, n int) []bool {
	var out []bool
	for _, row := range rows {
		out = append(out, row...)
	}
	if len(rows) != b || len(out) != b*n {
		torch.Failf("wavlm encoder", "a mask of %d rows and %d elements, want %d rows of %d", len(rows), len(out), b, n)
	}
	return out
}
