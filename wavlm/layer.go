package wavlm

import (
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// linearInit returns the initialisation of the encoder's linear layers.
func (c Config) linearInit() nn.LinearInit {
	return nn.LinearInit{Weight: nn.Normal(c.InitSize), Bias: nn.Zeros}
}

// layer is one layer of the encoder.
type layer struct {
	attention       *attention
	norm, finalNorm nn.Layer
	feed            *feedForward
	stable          bool
}

// linears returns the linear layers whose matrices are large.
func (l *layer) linears() []nn.Linear {
	a, f := l.attention, l.feed
	return []nn.Linear{a.q, a.k, a.v, a.out, f.in, f.out}
}

func newLayer(b *nn.Builder, cfg Config, i int) *layer {
	l := &layer{stable: cfg.Stable}
	l.attention = newAttention(b.At("attention"), cfg, i)
	b.LayerNorm(&l.norm, "layer_norm", cfg.Hidden, cfg.NormEps)
	l.feed = newFeedForward(b.At("feed_forward"), cfg)
	b.LayerNorm(&l.finalNorm, "final_layer_norm", cfg.Hidden, cfg.NormEps)
	return l
}

// forward maps h (B, T, E) to (B, N, E), N being the frames of the setting or T. The residual
// stream and the norms are in Float32 even where the sub-layers compute in a narrower type.
func (l *layer) forward(h *torch.Tensor, c setting) *torch.Tensor {
	if l.stable { // norms come first
		h = sum(c.pick(h), l.attention.forward(l.norm.Forward(h), c).Dropout(c.rates.Hidden))
		return sum(h, l.feed.forward(l.finalNorm.Forward(h), c.rates))
	}
	h = l.norm.Forward(sum(c.pick(h), l.attention.forward(h, c).Dropout(c.rates.Hidden)))
	return l.finalNorm.Forward(sum(h, l.feed.forward(h, c.rates)))
}

// sum returns h + y in the type of h.
func sum(h, y *torch.Tensor) *torch.Tensor { return h.Add(y.ToType(h.DType())) }

// feedForward is the part that maps each frame separately.
type feedForward struct {
	in, out nn.Linear
	act     func(*torch.Tensor) *torch.Tensor
}

func newFeedForward(b *nn.Builder, cfg Config) *feedForward {
	f := &feedForward{act: activations[cfg.Act]}
	b.Linear(&f.in, "intermediate_dense", cfg.Hidden, cfg.Inner, cfg.linearInit())
	b.Linear(&f.out, "output_dense", cfg.Inner, cfg.Hidden, cfg.linearInit())
	return f
}

// forward maps x (B, T, E) to (B, T, F) and back to (B, T, E) in the scope's compute type.
func (f *feedForward) forward(x *torch.Tensor, r speech.Regularise) *torch.Tensor {
	defer x.Scope().Part(speech.PartFeedForward)()
	x = nn.ToCompute(x)
	return f.out.Forward(f.act(f.in.Forward(x)).Dropout(r.Activation)).Dropout(r.Hidden)
}
