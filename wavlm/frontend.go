package wavlm

import (
	"math"

	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// convEps is the epsilon of the norms between convolutions, which config.json cannot change.
const convEps = 1e-5

// frontEnd is the stack of convolutions that turns a waveform into frames.
type frontEnd struct {
	layers []*convLayer
	cfg    Config
}

// convLayer is a convolution, a norm in some layers, and an activation.
type convLayer struct {
	conv         nn.Layer
	group, layer nn.Layer // one of these norms, or none
	act          func(*torch.Tensor) *torch.Tensor
}

func newFrontEnd(b *nn.Builder, cfg Config) *frontEnd {
	f := &frontEnd{cfg: cfg}
	b = b.At("feature_extractor.conv_layers")
	in := 1
	for i, out := range cfg.ConvWidth {
		f.layers = append(f.layers, newConvLayer(b.Index(i), cfg, i, in, out))
		in = out
	}
	return f
}

func newConvLayer(b *nn.Builder, cfg Config, i, in, out int) *convLayer {
	k := cfg.ConvKernel[i]
	l := &convLayer{act: activations[cfg.ConvAct]}
	b.Conv(&l.conv, "conv", in, out, k, cfg.ConvStride[i], 0,
		nn.LinearInit{Weight: nn.KaimingNormal, Bias: nn.Uniform(1 / math.Sqrt(float64(in*k))), NoBias: !cfg.ConvBias})
	switch {
	case cfg.ConvNorm == "layer":
		b.LayerNorm(&l.layer, "layer_norm", out, convEps)
	case i == 0:
		b.GroupNorm(&l.group, "layer_norm", out, out, convEps)
	}
	return l
}

// forward maps waveforms (B, S) to features (B, T, C) with T = Config.Frames(S), at least 1.
func (f *frontEnd) forward(wave *torch.Tensor) *torch.Tensor {
	if n := wave.Dim(-1); f.cfg.Frames(n) < 1 {
		torch.Failf("wavlm front end", "a waveform of %d samples is too short, want at least %d", n, f.cfg.MinSamples())
	}
	defer wave.Scope().Part(speech.PartFrontEnd)()
	return wave.Scoped(func(x *torch.Tensor) *torch.Tensor {
		x = x.Unsqueeze(1) // (B, 1, S)
		for _, l := range f.layers {
			x = x.Scoped(l.forward) // (B, Cout, T')
		}
		return x.Transpose(1, 2).Contiguous() // (B, T, C)
	})
}

func (l *convLayer) forward(x *torch.Tensor) *torch.Tensor {
	x = l.conv.Forward(x)
	switch {
	case l.group != nil:
		x = l.group.Forward(x)
	case l.layer != nil:
		x = l.layer.Forward(x.Transpose(1, 2)).Transpose(1, 2)
	}
	return l.act(x)
}
