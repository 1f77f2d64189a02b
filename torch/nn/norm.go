package nn

import "github.com/brainwavlm/bwlm/torch"

// LayerNorm normalises the last dimension.
type LayerNorm struct {
	Weight, Bias *torch.Tensor // (C)
	Eps          float64
}

// LayerNorm puts a layer norm over width channels in the slot, with parameters name.weight and
// name.bias.
func (b *Builder) LayerNorm(slot *Layer, name string, width int, eps float64) {
	at := b.At(name)
	put(at, slot, &LayerNorm{at.Param("weight", Ones, width), at.Param("bias", Zeros, width), eps})
}

// Forward normalises x (..., C).
func (n *LayerNorm) Forward(x *torch.Tensor) *torch.Tensor {
	return x.LayerNorm(n.Weight, n.Bias, n.Eps)
}

// GroupNorm normalises each group of channels over the channels and time.
type GroupNorm struct {
	Weight, Bias *torch.Tensor // (C)
	Groups       int
	Eps          float64
}

// GroupNorm puts a group norm over width channels in the slot, with parameters name.weight and
// name.bias.
func (b *Builder) GroupNorm(slot *Layer, name string, groups, width int, eps float64) {
	at := b.At(name)
	put(at, slot, &GroupNorm{at.Param("weight", Ones, width), at.Param("bias", Zeros, width), groups, eps})
}

// Forward normalises x (B, C, T).
func (n *GroupNorm) Forward(x *torch.Tensor) *torch.Tensor {
	return x.GroupNorm(n.Groups, n.Weight, n.Bias, n.Eps)
}
