package nn

import (
	"math"

	"github.com/brainwavlm/bwlm/torch"
)

// Layer is all that a model knows of a layer that may be adapted.
type Layer interface {
	Forward(x *torch.Tensor) *torch.Tensor
}

// Linear is a slot of a linear layer, which maps x (..., in) to (..., out).
type Linear = Layer

// Dense is the plain linear layer x·Wᵀ + b.
type Dense struct {
	Weight *torch.Tensor // (out, in)
	Bias   *torch.Tensor // (out), or nil
}

// Forward multiplies in the type of x, of the weight or the scope's compute type, whichever is narrower, and gives x's
// type back.
func (d *Dense) Forward(x *torch.Tensor) *torch.Tensor {
	compute := torch.BFloat16
	if x.DType() != compute && d.Weight.DType() != compute {
		if compute = x.Scope().Mode().Compute; compute == torch.Float32 {
			return x.Linear(d.Weight, d.Bias)
		}
	}
	s := x.Scope()
	bias := d.Bias
	if bias != nil {
		bias = s.Attach(bias).ToType(compute)
	}
	return x.ToType(compute).Linear(s.Attach(d.Weight).ToType(compute), bias).ToType(x.DType())
}

// ToCompute is x in the scope's compute type: what follows stays in it, with one rounding here instead of one at each layer.
func ToCompute(x *torch.Tensor) *torch.Tensor {
	if compute := x.Scope().Mode().Compute; compute != torch.Float32 {
		return x.ToType(compute)
	}
	return x
}

// In is the width of the input.
func (d *Dense) In() int { return d.Weight.Dim(1) }

// Out is the width of the output.
func (d *Dense) Out() int { return d.Weight.Dim(0) }

// Init of a linear layer's weight and bias.
type LinearInit struct {
	Weight, Bias Init
	NoBias       bool
}

// Linear puts a linear layer with bias in the slot: parameters name.weight and name.bias. The default start is
// PyTorch's.
func (b *Builder) Linear(slot *Linear, name string, in, out int, init ...LinearInit) {
	how := LinearInit{}
	if len(init) > 0 {
		how = init[0]
	}
	if how.Weight == nil {
		how.Weight = FanInUniform
	}
	if how.Bias == nil {
		how.Bias = Uniform(1 / math.Sqrt(float64(in)))
	}
	at := b.At(name)
	d := &Dense{Weight: at.Param("weight", how.Weight, out, in)}
	if !how.NoBias {
		d.Bias = at.Param("bias", how.Bias, out)
	}
	put(at, slot, d)
}
