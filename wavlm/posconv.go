package wavlm

import (
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// positions tell the encoder where its frames are. The result of forward is added to h, both (B, T,
// E).
type positions interface {
	forward(h *torch.Tensor) *torch.Tensor
}

// newPositions builds the positions of the family.
func newPositions(b *nn.Builder, cfg Config) positions {
	b = b.At("pos_conv_embed")
	switch {
	case cfg.Family == Data2Vec:
		return newConvStack(b, cfg)
	case cfg.PosBatchNorm:
		return newBatchNormConv(b, cfg)
	}
	return newPosConv(b.At("conv"), cfg)
}

// sameConv convolves h (B, E, T) with w (E, E/G, K) and returns T frames.
func sameConv(h, w, bias *torch.Tensor, groups int) *torch.Tensor {
	y := h.Conv1d(w, bias, 1, w.Dim(2)/2, groups) // (B, E, T or T+1)
	return y.Narrow(2, 0, h.Dim(2))               // an even kernel returns one frame too many
}

// posConv is one convolution over time with a weight-normalised kernel: each tap k has a direction
// V[:, :, k] and a size g[k].
type posConv struct {
	size, direction *torch.Tensor // (1, 1, K), (E, E/G, K)
	bias            *torch.Tensor // (E)
	groups          int
	act             func(*torch.Tensor) *torch.Tensor
}

// The keys of the weight norm in torch.nn.utils.parametrizations.
const (
	sizeKey      = "parametrizations.weight.original0"
	directionKey = "parametrizations.weight.original1"
)

func newPosConv(b *nn.Builder, cfg Config) *posConv {
	p := &posConv{groups: cfg.PosGroups, act: activations[cfg.ConvAct]}
	p.bias = b.Param("bias", nn.Zeros, cfg.Hidden)
	p.direction = b.Param(directionKey, nn.FanInUniform, cfg.Hidden, cfg.Hidden/cfg.PosGroups, cfg.PosKernel)
	p.size = b.Param(sizeKey, func(s *torch.Scope, _ []int) *torch.Tensor {
		return norms(s.Attach(p.direction)) // so that the kernel is V at first
	}, 1, 1, cfg.PosKernel)
	return p
}

// norms returns the 2-norms of the taps of v (E, E/G, K): (1, 1, K).
func norms(v *torch.Tensor) *torch.Tensor { return v.Square().SumKeep(0, 1).Sqrt() }

// kernel returns g·V/‖V‖ (E, E/G, K).
func (p *posConv) kernel(s *torch.Scope) *torch.Tensor {
	return s.Attach(p.direction).Scoped(func(v *torch.Tensor) *torch.Tensor {
		return v.Mul(v.Scope().Attach(p.size).Div(norms(v)))
	})
}

func (p *posConv) forward(h *torch.Tensor) *torch.Tensor {
	y := sameConv(h.Transpose(1, 2), p.kernel(h.Scope()), p.bias, p.groups) // (B, E, T)
	return p.act(y).Transpose(1, 2)
}

// plainConv is a convolution whose kernel is a parameter.
type plainConv struct {
	weight, bias *torch.Tensor // (E, E/G, K), (E)
	groups       int
}

func newPlainConv(b *nn.Builder, cfg Config) plainConv {
	b = b.At("conv")
	return plainConv{
		weight: b.Param("weight", nn.FanInUniform, cfg.Hidden, cfg.Hidden/cfg.PosGroups, cfg.PosKernel),
		bias:   b.Param("bias", nn.Zeros, cfg.Hidden),
		groups: cfg.PosGroups,
	}
}

// forward maps h (B, E, T) to (B, E, T).
func (c plainConv) forward(h *torch.Tensor) *torch.Tensor {
	return sameConv(h, c.weight, c.bias, c.groups)
}

// convStack is data2vec's positions: several convolutions, each with a layer norm without
// parameters after it.
type convStack struct {
	layers []plainConv
	act    func(*torch.Tensor) *torch.Tensor
}

func newConvStack(b *nn.Builder, cfg Config) *convStack {
	c := &convStack{act: activations[cfg.ConvAct]}
	for i := range cfg.PosLayers {
		c.layers = append(c.layers, newPlainConv(b.At("layers").Index(i), cfg))
	}
	return c
}

func (c *convStack) forward(h *torch.Tensor) *torch.Tensor {
	for _, l := range c.layers {
		y := l.forward(h.Transpose(1, 2)).Transpose(1, 2) // (B, T, E)
		h = c.act(y.LayerNorm(nil, nil, convEps))
	}
	return h
}

// batchNormConv is the positions of some HuBERTs: a batch norm, then a plain convolution. The batch
// norm uses the statistics of the checkpoint in training, too, since those of a few clips are
// noise.
type batchNormConv struct {
	weight, bias, mean, variance *torch.Tensor // (E)
	conv                         plainConv
	act                          func(*torch.Tensor) *torch.Tensor
}

func newBatchNormConv(b *nn.Builder, cfg Config) *batchNormConv {
	at, e := b.At("batch_norm"), cfg.Hidden
	return &batchNormConv{
		weight: at.Param("weight", nn.Ones, e), bias: at.Param("bias", nn.Zeros, e),
		mean: at.Param("running_mean", nn.Zeros, e), variance: at.Param("running_var", nn.Ones, e),
		conv: newPlainConv(b, cfg), act: activations[cfg.ConvAct],
	}
}

func (c *batchNormConv) forward(h *torch.Tensor) *torch.Tensor {
	s := h.Scope()
	spread := s.Attach(c.variance).Detach().AddScalar(convEps).Sqrt()
	h = h.Sub(s.Attach(c.mean).Detach()).Div(spread).Mul(c.weight).Add(c.bias)
	return c.act(c.conv.forward(h.Transpose(1, 2))).Transpose(1, 2)
}
