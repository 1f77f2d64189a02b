package nn

import "github.com/brainwavlm/bwlm/torch"

// LayerNorm normalises the last dimension.
type LayerNorm struct {
	Weight, Bias *torch.Tensor // (C)
	Eps          float64
}

// LayerNorm builds a layer norm over width channels.
func (b *Builder) LayerNorm(name string, width int, eps float64) *LayerNorm {
	at := b.At(name)
	return &LayerNorm{at.Param("weight", Ones, width), at.Param("bias", Zeros, width), eps}
}

// Forward normalises x (..., C).
func (n *LayerNorm) Forward(x *torch.Tensor) *torch.Tensor {
	return x.LayerNorm(n.Weight, n.Bias, n.Eps)
}

// GroupNorm normalises groups of channels over time.
type GroupNorm struct {
	Weight, Bias *torch.Tensor // (C)
	Groups       int
	Eps          float64
}

// GroupNorm builds a group norm over width channels.
func (b *Builder) GroupNorm(name string, groups, width int, eps float64) *GroupNorm {
	at := b.At(name)
	return &GroupNorm{at.Param("weight", Ones, width), at.Param("bias", Zeros, width), groups, eps}
}

// Forward normalises x (B, C, T).
func (n *GroupNorm) Forward(x *torch.Tensor) *torch.Tensor {
	return x.GroupNorm(n.Groups, n.Weight, n.Bias, n.Eps)
}
