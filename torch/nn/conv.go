package nn

import "github.com/brainwavlm/bwlm/torch"

// Conv is a convolution over time.
type Conv struct {
	Weight                  *torch.Tensor // (Cout, Cin/Groups, K)
	Bias                    *torch.Tensor // (Cout), or nil
	Stride, Padding, Groups int
}

// Forward maps x (B, Cin, T) to (B, Cout, T').
func (c *Conv) Forward(x *torch.Tensor) *torch.Tensor {
	return x.Conv1d(c.Weight, c.Bias, c.Stride, c.Padding, c.Groups)
}

// Conv puts a convolution of one group in the slot, with parameters name.weight and, unless
// init.NoBias, name.bias. Both ends are padded with zeros.
func (b *Builder) Conv(slot *Layer, name string, in, out, kernel, stride, padding int, init LinearInit) {
	at := b.At(name)
	c := &Conv{Weight: at.Param("weight", init.Weight, out, in, kernel), Stride: stride, Padding: padding, Groups: 1}
	if !init.NoBias {
		c.Bias = at.Param("bias", init.Bias, out)
	}
	put(at, slot, c)
}
