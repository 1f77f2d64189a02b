package whisper

import (
	"math"

	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

const normEps = 1e-5

// encoder is two convolutions and a transformer over log-mel frames.
type encoder struct {
	conv1, conv2 nn.Layer
	positions    *torch.Tensor // (positions, E), sinusoids that are not trained
	layers       []*layer
	norm         nn.Layer
	cfg          config
}

func newEncoder(b *nn.Builder, cfg config) *encoder {
	e := &encoder{cfg: cfg}
	init := nn.LinearInit{Weight: nn.Normal(cfg.initSize), Bias: nn.Zeros}
	b.Conv(&e.conv1, "conv1", cfg.mels, cfg.hidden, 3, 1, 1, init)
	b.Conv(&e.conv2, "conv2", cfg.hidden, cfg.hidden, 3, 2, 1, init)
	e.positions = b.Param(positionsKey, sinusoids, cfg.positions, cfg.hidden)
	for i := range cfg.layers {
		e.layers = append(e.layers, newLayer(b.At("layers").Index(i), cfg))
	}
	b.LayerNorm(&e.norm, "layer_norm", cfg.hidden, normEps)
	return e
}

// sinusoids returns the positions of a fresh model, (positions, E): sines, then cosines, of geometric frequencies.
func sinusoids(s *torch.Scope, shape []int) *torch.Tensor {
	length, width := shape[0], shape[1]
	out, half := make([]float32, length*width), width/2
	for t := range length {
		for k := range half {
			angle := float64(t) * math.Exp(-math.Log(10_000)*float64(k)/float64(max(half-1, 1)))
			out[t*width+k], out[t*width+half+k] = float32(math.Sin(angle)), float32(math.Cos(angle))
		}
	}
	return s.FromFloat32(out, length, width)
}

// embed returns hidden state 0 (B, T/2, E) of log-mel frames (B, T, M).
func (e *encoder) embed(mel *torch.Tensor, p speech.Pass) *torch.Tensor {
	h := e.conv1.Forward(mel.Transpose(1, 2)).GELU()
	h = e.conv2.Forward(h).GELU().Transpose(1, 2) // (B, T/2, E)
	if h.Dim(1) > e.cfg.positions {
		torch.Failf("whisper encoder", "%d frames, the model has %d positions", h.Dim(1), e.cfg.positions)
	}
	return h.Add(h.Scope().Attach(e.positions).Narrow(0, 0, h.Dim(1))).Dropout(p.Regularise.Hidden)
}

// run returns the hidden states from to upTo, given the first of them.
func (e *encoder) run(h *torch.Tensor, from, upTo int, p speech.Pass) []*torch.Tensor {
	if from < 0 || upTo < from || upTo > len(e.layers) {
		torch.Failf("whisper encoder", "hidden states %d to %d, the model has 0 to %d", from, upTo, len(e.layers))
	}
	hidden := []*torch.Tensor{h}
	if upTo == from {
		hidden[0] = setting{frames: p.Last}.pick(h)
		return hidden
	}
	s := h.Scope()
	c := setting{rates: p.Regularise, mask: keyMask(s, p.Lengths, h.Dim(0), h.Dim(1))}
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
	if upTo == len(e.layers) && p.Final == speech.PostNorm {
		hidden[upTo-from] = e.norm.Forward(h)
	}
	return hidden
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
	return out
}

// keyMask returns the mask that is added to the scores (B, H, T, T) of clips of some lengths: (B, 1, 1, T), or nil.
func keyMask(s *torch.Scope, lengths []int, b, t int) *torch.Tensor {
	if lengths == nil {
		return nil
	}
	if len(lengths) != b {
		torch.Failf("whisper encoder", "%d lengths for a batch of %d clips", len(lengths), b)
	}
	keys := make([]float32, b*t)
	for i, n := range lengths {
		if n < 1 || n > t {
			torch.Failf("whisper encoder", "clip %d has %d real frames, want 1 to %d", i, n, t)
		}
		for j := n; j < t; j++ {
			keys[i*t+j] = float32(math.Inf(-1))
		}
	}
	return s.FromFloat32(keys, b, 1, 1, t)
}

// layer is one layer of the encoder, with its norms before its parts.
type layer struct {
	q, k, v, out        nn.Linear
	in, down            nn.Linear // of the feed-forward part
	attentionNorm, norm nn.Layer
	act                 func(*torch.Tensor) *torch.Tensor
	heads               int
	scale               float64
}

func newLayer(b *nn.Builder, cfg config) *layer {
	l := &layer{heads: cfg.heads, scale: 1 / math.Sqrt(float64(cfg.hidden/cfg.heads)), act: activations[cfg.act]}
	init := nn.LinearInit{Weight: nn.Normal(cfg.initSize), Bias: nn.Zeros}
	bare := init
	bare.NoBias = true
	at := b.At("self_attn")
	at.Linear(&l.k, "k_proj", cfg.hidden, cfg.hidden, bare)
	at.Linear(&l.v, "v_proj", cfg.hidden, cfg.hidden, init)
	at.Linear(&l.q, "q_proj", cfg.hidden, cfg.hidden, init)
	at.Linear(&l.out, "out_proj", cfg.hidden, cfg.hidden, init)
	b.LayerNorm(&l.attentionNorm, "self_attn_layer_norm", cfg.hidden, normEps)
	b.Linear(&l.in, "fc1", cfg.hidden, cfg.inner, init)
	b.Linear(&l.down, "fc2", cfg.inner, cfg.hidden, init)
	b.LayerNorm(&l.norm, "final_layer_norm", cfg.hidden, normEps)
	return l
}

// linears returns the linear layers whose matrices are large.
func (l *layer) linears() []nn.Linear { return []nn.Linear{l.q, l.k, l.v, l.out, l.in, l.down} }

// setting holds what all layers of one pass share.
type setting struct {
	mask   *torch.Tensor // (B, 1, 1, T), 0 or -inf, or nil
	rates  speech.Regularise
	frames []int // that a layer returns; nil: all
}

// pick returns those frames of h (B, T, E).
func (c setting) pick(h *torch.Tensor) *torch.Tensor {
	if c.frames == nil {
		return h
	}
	return h.IndexSelect(1, c.frames)
}

// forward maps h (B, T, E) to (B, N, E), N being the frames of the setting or T. The residual stream and the norms are
// in Float32 even where the parts compute in a narrower type.
func (l *layer) forward(h *torch.Tensor, c setting) *torch.Tensor {
	h = sum(c.pick(h), l.attend(l.attentionNorm.Forward(h), c).Dropout(c.rates.Hidden))
	return sum(h, l.feed(l.norm.Forward(h), c.rates).Dropout(c.rates.Hidden))
}

// sum returns h + y in the type of h.
func sum(h, y *torch.Tensor) *torch.Tensor { return h.Add(y.ToType(h.DType())) }

// attend maps x (B, T, E) to (B, N, E) by multi-head self-attention.
func (l *layer) attend(x *torch.Tensor, c setting) *torch.Tensor {
	defer x.Scope().Part(speech.PartAttention)()
	x = nn.ToCompute(x)
	queries := c.pick(x)
	q, k, v := l.split(l.q.Forward(queries)), l.split(l.k.Forward(x)), l.split(l.v.Forward(x)) // (B, H, N or T, D)
	y := q.GatedAttention(k, v, torch.Attention{KeyMask: c.mask, Scale: l.scale, Dropout: c.rates.Attention})
	return l.out.Forward(y.Transpose(1, 2).Reshape(queries.Dim(0), queries.Dim(1), -1))
}

// split separates the heads of x (B, T, E): (B, H, T, D).
func (l *layer) split(x *torch.Tensor) *torch.Tensor {
	return x.Reshape(x.Dim(0), x.Dim(1), l.heads, -1).Transpose(1, 2)
}

// feed maps each frame of x (B, T, E) separately.
func (l *layer) feed(x *torch.Tensor, r speech.Regularise) *torch.Tensor {
	defer x.Scope().Part(speech.PartFeedForward)()
	return l.down.Forward(l.act(l.in.Forward(nn.ToCompute(x))).Dropout(r.Activation))
}
