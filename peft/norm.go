package peft

import (
	"errors"

	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// NormTuning trains copies of layers, usually norms (Zhao et al. 2023, arXiv 2312.11420). It is
// PEFT's LN_TUNING.
type NormTuning struct{}

const keyCopy = "ln_tuning_layers."

func (m *NormTuning) peftType() string { return "LN_TUNING" }

func (m *NormTuning) defaults() *NormTuning { return &NormTuning{} }

func (m *NormTuning) keys() []string { return []string{keyCopy + "weight", keyCopy + "bias"} }

// options returns those of LNTuningConfig.
func (m *NormTuning) options(c *Config) []option {
	return []option{{key: "exclude_modules", at: &c.ExcludeModules}}
}

func (m *NormTuning) validate() error { return nil }

// wrap replaces the layer by a copy.
func (m *NormTuning) wrap(target *targetLayer) (adaptedLayer, error) {
	if target.below != target.plain {
		return nil, errors.New("another adapter is on this layer, of which the copy would know nothing")
	}
	c := &copied{}
	take := func(name string, p *torch.Tensor) *torch.Tensor {
		if p == nil {
			return nil
		}
		return target.param(keyCopy+name, func(s *torch.Scope, _ []int) *torch.Tensor { return s.Attach(p).Clone() },
			p.Shape()...)
	}
	switch l := target.plain.(type) {
	case *nn.LayerNorm:
		c.weight, c.bias = take("weight", l.Weight), take("bias", l.Bias)
		c.layer = &nn.LayerNorm{Weight: c.weight, Bias: c.bias, Eps: l.Eps}
	case *nn.GroupNorm:
		c.weight, c.bias = take("weight", l.Weight), take("bias", l.Bias)
		c.layer = &nn.GroupNorm{Weight: c.weight, Bias: c.bias, Groups: l.Groups, Eps: l.Eps}
	case *nn.Dense:
		c.weight, c.bias = take("weight", l.Weight), take("bias", l.Bias)
		c.layer = &nn.Dense{Weight: c.weight, Bias: c.bias}
	case *nn.Conv:
		twin := *l
		c.weight, c.bias = take("weight", l.Weight), take("bias", l.Bias)
		twin.Weight, twin.Bias = c.weight, c.bias
		c.layer = &twin
	default:
		return nil, errors.New("is no layer that can be copied")
	}
	return c, nil
}

// inspect needs the layer that was copied to decide.
func (m *NormTuning) inspect(parameters) inspection { return inspection{state: Unknown} }

// copied is a layer with parameters of its own.
type copied struct {
	layer        nn.Layer
	weight, bias *torch.Tensor
}

// Forward runs the copy.
func (c *copied) Forward(x *torch.Tensor) *torch.Tensor { return c.layer.Forward(x) }

// merge returns the copy's parameters.
func (c *copied) merge(rows rowRange, w, b *torch.Tensor) (*torch.Tensor, *torch.Tensor) {
	s := w.Scope()
	if c.bias != nil {
		b = rows.of(s.Attach(c.bias)).ToType(torch.Float64)
	}
	return rows.of(s.Attach(c.weight)).ToType(torch.Float64), b
}

func (c *copied) effect() effect { return replaces }

func (c *copied) String() string { return "copy" }
