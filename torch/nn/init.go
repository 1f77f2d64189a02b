package nn

import (
	"math"

	"github.com/brainwavlm/bwlm/torch"
)

// Init makes the first values of a parameter of a fresh model.
type Init func(s *torch.Scope, shape []int) *torch.Tensor

// Zeros is 0 everywhere.
func Zeros(s *torch.Scope, shape []int) *torch.Tensor { return s.Zeros(shape...) }

// Ones is 1 everywhere.
func Ones(s *torch.Scope, shape []int) *torch.Tensor { return s.Full(1, shape...) }

// Normal is the normal distribution with mean 0.
func Normal(sd float64) Init {
	return func(s *torch.Scope, shape []int) *torch.Tensor { return s.Normal(0, sd, shape...) }
}

// Uniform is the uniform distribution on [-limit, limit).
func Uniform(limit float64) Init {
	return func(s *torch.Scope, shape []int) *torch.Tensor { return s.Uniform(-limit, limit, shape...) }
}

// FanInUniform is Uniform(1/√fan_in), which is kaiming_uniform with a = √5, the start of PyTorch's layers. The
// fan-in is the size of all dimensions but the first.
func FanInUniform(s *torch.Scope, shape []int) *torch.Tensor {
	return Uniform(1/math.Sqrt(float64(fanIn(shape))))(s, shape)
}

// KaimingNormal is N(0, 2/fan_in), for layers before a rectifier (He et al. 2015).
func KaimingNormal(s *torch.Scope, shape []int) *torch.Tensor {
	return s.Normal(0, math.Sqrt(2/float64(fanIn(shape))), shape...)
}

// XavierUniform is uniform with variance 2/(in+out) (Glorot & Bengio 2010).
func XavierUniform(s *torch.Scope, shape []int) *torch.Tensor {
	return Uniform(math.Sqrt(6/float64(shape[0]+fanIn(shape))))(s, shape)
}

func fanIn(shape []int) int {
	n := 1
	for _, d := range shape[1:] {
		n *= d
	}
	return n
}

// Fresh is the source of a model that starts from scratch.
type Fresh struct{}

// Tensor applies the parameter's Init.
func (Fresh) Tensor(s *torch.Scope, _ string, shape []int, init Init) (*torch.Tensor, error) {
	return init(s, shape), nil
}
