package wavlm

import (
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// posConv is the convolution over time that tells the encoder where it is. Its kernel is weight-normalised: each tap
// k has a direction V[:, :, k] and a size g[k].
type posConv struct {
	size, direction *torch.Tensor // (1, 1, K), (E, E/G, K)
	bias            *torch.Tensor // (E)
	groups          int
	act             func(*torch.Tensor) *torch.Tensor
}

// The keys of the weight norm, in the spelling of today.
const (
	sizeKey      = "parametrizations.weight.original0"
	directionKey = "parametrizations.weight.original1"
)

func newPosConv(b *nn.Builder, cfg Config) *posConv {
	b = b.At("pos_conv_embed.conv")
	p := &posConv{groups: cfg.PosGroups, act: activations[cfg.ConvAct]}
	p.bias = b.Param("bias", nn.Zeros, cfg.Hidden)
	p.direction = b.Param(directionKey, nn.FanInUniform, cfg.Hidden, cfg.Hidden/cfg.PosGroups, cfg.PosKernel)
	p.size = b.Param(sizeKey, func(s *torch.Scope, _ []int) *torch.Tensor {
		return norms(s.Use(p.direction)) // so that the kernel starts as V
	}, 1, 1, cfg.PosKernel)
	return p
}

// norms are the 2-norms of the taps of v (E, E/G, K): (1, 1, K).
func norms(v *torch.Tensor) *torch.Tensor { return v.Square().SumKeep(0, 1).Sqrt() }

// kernel is g·V/‖V‖ (E, E/G, K).
func (p *posConv) kernel(s *torch.Scope) *torch.Tensor {
	return s.Use(p.direction).Tidy(func(v *torch.Tensor) *torch.Tensor {
		return v.Mul(v.Scope().Use(p.size).Div(norms(v)))
	})
}

// forward gives what is to be added to h (B, T, E).
func (p *posConv) forward(h *torch.Tensor) *torch.Tensor {
	w := p.kernel(h.Scope())
	y := h.Transpose(1, 2).Conv1d(w, p.bias, 1, w.Dim(2)/2, p.groups) // (B, E, T or T+1)
	return p.act(y.Narrow(2, 0, h.Dim(1))).Transpose(1, 2)            // an even kernel gives one frame too many
}
