package wavlm

import (
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// linearInit is how linear layers of the encoder start.
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

func newLayer(b *nn.Builder, cfg Config, i int) *layer {
	l := &layer{stable: cfg.Stable}
	l.attention = newAttention(b.At("attention"), cfg, i)
	b.LayerNorm(&l.norm, "layer_norm", cfg.Hidden, cfg.NormEps)
	l.feed = newFeedForward(b.At("feed_forward"), cfg)
	b.LayerNorm(&l.finalNorm, "final_layer_norm", cfg.Hidden, cfg.NormEps)
	return l
}

// forward maps h (B, T, E) to (B, T, E).
func (l *layer) forward(h *torch.Tensor, c setting) *torch.Tensor {
	if l.stable { // norms come first
		h = h.Add(l.attention.forward(l.norm.Forward(h), c).Dropout(c.rates.Hidden))
		return h.Add(l.feed.forward(l.finalNorm.Forward(h), c.rates))
	}
	h = l.norm.Forward(h.Add(l.attention.forward(h, c).Dropout(c.rates.Hidden)))
	return l.finalNorm.Forward(h.Add(l.feed.forward(h, c.rates)))
}

// feedForward is the part that treats each frame by itself.
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

// forward maps x (B, T, E) to (B, T, E) by way of (B, T, F).
func (f *feedForward) forward(x *torch.Tensor, r Regularise) *torch.Tensor {
	defer x.Scope().Part(PartFeedForward)()
	return f.out.Forward(f.act(f.in.Forward(x)).Dropout(r.Activation)).Dropout(r.Hidden)
}
