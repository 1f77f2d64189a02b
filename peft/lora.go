package peft

import (
	"math"

	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// LoRA is a linear layer with a low-rank addition.
type LoRA struct {
	Path    string // in the model
	Base    *nn.Dense
	A       *torch.Tensor // (r, in)
	B       *torch.Tensor // (out, r)
	Scale   float64       // s, alpha/r or alpha/√r
	Dropout float64       // on the input of A, where the scope's mode has dropout

	owner *Adapter
}

// Forward maps x (..., in) to W x + b + s·B(A(dropout(x))) (..., out), in the type of x. The addition is computed in
// the type of A and B, Float32, whatever type the base multiplies in, as PEFT does. While the adapter is merged, the
// base has the addition in it and is all there is.
func (l *LoRA) Forward(x *torch.Tensor) *torch.Tensor {
	y := l.Base.Forward(x)
	if l.owner.merged {
		return y
	}
	low := x.To(l.A.DType()).Dropout(l.Dropout).Linear(l.A, nil).Scale(l.Scale) // (..., r), where scaling costs least
	return y.Add(low.Linear(l.B, nil).To(y.DType()))
}

// Delta is what merging adds to the base weight: s·B·A (out, in), in Float64.
func (l *LoRA) Delta(s *torch.Scope) *torch.Tensor {
	return s.Use(l.B).To(torch.Float64).MatMul(s.Use(l.A).To(torch.Float64)).Scale(l.Scale)
}

// Rank is r.
func (l *LoRA) Rank() int { return l.A.Dim(0) }

// Params is the number of trainable numbers.
func (l *LoRA) Params() int { return l.A.Len() + l.B.Len() }

// startOfA is how A starts; B starts at zero (peft 0.21, tuners/lora/layer.py, reset_lora_parameters).
func (c *Config) startOfA(rank int) nn.Init {
	if c.InitLoraWeights == InitGaussian {
		return nn.Normal(1 / float64(rank))
	}
	return nn.FanInUniform
}

// scale is the factor of a pair.
func (c *Config) scale(rank int, alpha float64) float64 {
	if c.UseRSLoRA {
		return alpha / math.Sqrt(float64(rank))
	}
	return alpha / float64(rank)
}
