package peft

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// IA3 multiplies what comes out of a linear layer by a trained vector, bias included, or, where the layer is one of
// FeedForward, what goes into it (Liu et al. 2022, arXiv 2205.05638).
type IA3 struct {
	FeedForward Modules
}

const keyIA3 = "ia3_l"

// Type is IA3.
func (m *IA3) Type() string { return "IA3" }

func (m *IA3) defaults() *IA3 { return &IA3{} }

// Keys is the vector.
func (m *IA3) Keys() []string { return []string{keyIA3} }

// Options are those of IA3Config.
func (m *IA3) Options(c *Config) []Option {
	return slices.Concat([]Option{{Key: "feedforward_modules", At: (*someModules)(&m.FeedForward)}, {Key: "exclude_modules", At: &c.ExcludeModules}},
		inert(true, "init_ia3_weights"), inert(false, "fan_in_fan_out"))
}

// Validate refuses an expression that does not compile.
func (m *IA3) Validate() error {
	_, err := m.expression()
	return err
}

func (m *IA3) expression() (*regexp.Regexp, error) {
	return compile("feedforward_modules", `^(?:`, m.FeedForward.Pattern, `)$`)
}

// feedForward says whether the layer at path is one of FeedForward, of which PEFT takes an entry for any ending, be it
// in the middle of a word (peft 0.21, tuners/ia3/model.py).
func (m *IA3) feedForward(path string) bool {
	if m.FeedForward.Pattern != "" {
		expr, err := m.expression()
		return err == nil && expr.MatchString(path)
	}
	return slices.ContainsFunc(m.FeedForward.List, func(end string) bool { return strings.HasSuffix(path, end) })
}

// Wrap puts the vector before or behind a linear layer.
func (m *IA3) Wrap(site *Site) (Layer, error) {
	base, ok := site.Plain.(*nn.Dense)
	if !ok {
		return nil, errors.New("is not a linear layer")
	}
	l := &ia3{below: site.Below, before: m.feedForward(site.Name)}
	if l.before {
		l.factor = site.Param(keyIA3, nn.Ones, 1, base.In())
	} else {
		l.factor = site.Param(keyIA3, nn.Ones, base.Out(), 1)
	}
	return l, nil
}

// Look finds a vector of ones dead.
func (m *IA3) Look(t Tensors) Facts {
	if v, ok := t(keyIA3); ok && v.all(1) {
		return Facts{Dead: Dead}
	}
	return Facts{}
}

// ia3 is a linear layer with a factor.
type ia3 struct {
	below  nn.Layer
	before bool
	factor *torch.Tensor // (1, in) before the layer, (out, 1) behind it
}

// Forward maps x (..., in) to l·(W x + b) or W (l·x) + b (..., out).
func (l *ia3) Forward(x *torch.Tensor) *torch.Tensor {
	factor := x.Scope().Use(l.factor).Reshape(-1)
	if l.before {
		return l.below.Forward(x.To(l.factor.DType()).Mul(factor).To(x.DType()))
	}
	y := l.below.Forward(x)
	return y.Mul(factor).To(y.DType())
}

// Merge multiplies the rows and the bias, or the columns.
func (l *ia3) Merge(rows Rows, w, b *torch.Tensor) (*torch.Tensor, *torch.Tensor) {
	factor := w.Scope().Use(l.factor).To(torch.Float64)
	if !l.before {
		factor = rows.Of(factor)
	}
	if b != nil && !l.before {
		b = b.Mul(factor.Reshape(-1))
	}
	return w.Mul(factor), b
}

// Effect is a factor.
func (l *ia3) Effect() Effect { return Multiplies }

func (l *ia3) String() string {
	if l.before {
		return "input"
	}
	return "output"
}

// scaled moves the factors from 1: they are all there is in a layer.
func (m *IA3) scaled(_ string, data []float32, f float64) ([]float32, error) {
	out := make([]float32, len(data))
	for i, v := range data {
		out[i] = float32(1 + f*(float64(v)-1))
	}
	return out, nil
}
