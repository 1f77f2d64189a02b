package nn

import (
	"math"

	"github.com/brainwavlm/bwlm/torch"
)

// Layer is a layer of a model. An adapter may replace it.
type Layer interface {
	Forward(x *torch.Tensor) *torch.Tensor
}

// Linear is the slot of a linear layer, which maps x (..., in) to (..., out).
type Linear = Layer

// Dense is the linear layer x·Wᵀ + b.
type Dense struct {
	Weight *torch.Tensor // (out, in)
	Bias   *torch.Tensor // (out), or nil
}

// Forward multiplies in the narrowest of the types of x and the weight and the scope's compute
// type. The result has the type of x.
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

// ToCompute returns x in the scope's compute type, so that x is rounded once, not in each of the
// layers that follow.
func ToCompute(x *torch.Tensor) *torch.Tensor {
	if compute := x.Scope().Mode().Compute; compute != torch.Float32 {
		return x.ToType(compute)
	}
	return x
}

// In returns the width of the input.
func (d *Dense) In() int { return d.Weight.Dim(1) }

// Out returns the width of the output.
func (d *Dense) Out() int { return d.Weight.Dim(0) }

// LinearInit has the initial values of a linear layer.
type LinearInit struct {
	Weight, Bias Init // nil means PyTorch's
	NoBias       bool
}

// Linear puts a linear layer in the slot, with parameters name.weight and, unless NoBias,
// name.bias. Without init it starts like PyTorch's.
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
