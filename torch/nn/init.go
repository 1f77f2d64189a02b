package nn

import (
	"math"

	"github.com/brainwavlm/bwlm/torch"
)

// Init returns the initial values of a parameter of a new model.
type Init func(s *torch.Scope, shape []int) *torch.Tensor

// Zeros sets all elements to 0.
func Zeros(s *torch.Scope, shape []int) *torch.Tensor { return s.Zeros(shape...) }

// Ones sets all elements to 1.
func Ones(s *torch.Scope, shape []int) *torch.Tensor { return s.Full(1, shape...) }

// Normal draws from the normal distribution with mean 0.
func Normal(sd float64) Init {
	return func(s *torch.Scope, shape []int) *torch.Tensor { return s.Normal(0, sd, shape...) }
}

// Uniform draws from the uniform distribution on [-limit, limit).
func Uniform(limit float64) Init {
	return func(s *torch.Scope, shape []int) *torch.Tensor { return s.Uniform(-limit, limit, shape...) }
}

// FanInUniform is Uniform(1/√fan_in): kaiming_uniform with a = √5, with which PyTorch's layers
// start. The fan-in is the product of all dimensions but the first.
func FanInUniform(s *torch.Scope, shape []int) *torch.Tensor {
	return Uniform(1/math.Sqrt(float64(fanIn(shape))))(s, shape)
}

// KaimingNormal draws from N(0, 2/fan_in), for layers before a rectifier (He et al. 2015).
func KaimingNormal(s *torch.Scope, shape []int) *torch.Tensor {
	return s.Normal(0, math.Sqrt(2/float64(fanIn(shape))), shape...)
}

// XavierUniform draws uniformly with variance 2/(in+out) (Glorot and Bengio 2010).
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

// Fresh is the source of a new model. It applies each parameter's Init.
type Fresh struct{}

// Tensor returns the result of init.
func (Fresh) Tensor(s *torch.Scope, _ string, shape []int, init Init) (*torch.Tensor, error) {
	return init(s, shape), nil
}
