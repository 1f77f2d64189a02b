package peft

import (
	"errors"

	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// NormTuning trains copies of layers as they are, meant for norms (Zhao et al. 2023, arXiv 2312.11420); PEFT's
// LN_TUNING.
type NormTuning struct{}

const keyCopy = "ln_tuning_layers."

// Type is LN_TUNING.
func (m *NormTuning) Type() string { return "LN_TUNING" }

func (m *NormTuning) defaults() *NormTuning { return &NormTuning{} }

// Keys are the copies of weight and bias.
func (m *NormTuning) Keys() []string { return []string{keyCopy + "weight", keyCopy + "bias"} }

// Options are those of LNTuningConfig.
func (m *NormTuning) Options(c *Config) []Option {
	return []Option{{Key: "exclude_modules", At: &c.ExcludeModules}}
}

// Validate has nothing to refuse.
func (m *NormTuning) Validate() error { return nil }

// Wrap puts a copy in the layer's place.
func (m *NormTuning) Wrap(site *Site) (Layer, error) {
	if site.Below != site.Plain {
		return nil, errors.New("another adapter is on this layer, of which the copy would know nothing")
	}
	c := &copied{}
	take := func(name string, p *torch.Tensor) *torch.Tensor {
		if p == nil {
			return nil
		}
		return site.Param(keyCopy+name, func(s *torch.Scope, _ []int) *torch.Tensor { return s.Use(p).Clone() }, p.Shape()...)
	}
	switch l := site.Plain.(type) {
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

// Look cannot tell without the layer that was copied.
func (m *NormTuning) Look(Tensors) Facts { return Facts{Dead: Unknown} }

// copied is a layer with parameters of its own.
type copied struct {
	layer        nn.Layer
	weight, bias *torch.Tensor
}

// Forward runs the copy.
func (c *copied) Forward(x *torch.Tensor) *torch.Tensor { return c.layer.Forward(x) }

// Merge is the copy's parameters.
func (c *copied) Merge(rows Rows, w, b *torch.Tensor) (*torch.Tensor, *torch.Tensor) {
	s := w.Scope()
	if c.bias != nil {
		b = rows.Of(s.Use(c.bias)).To(torch.Float64)
	}
	return rows.Of(s.Use(c.weight)).To(torch.Float64), b
}

// Effect is a replacement.
func (c *copied) Effect() Effect { return Replaces }

func (c *copied) String() string { return "copy" }
