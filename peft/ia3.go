package peft

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// IA3 multiplies the output of a linear layer, bias included, by a trained vector. In layers of
// FeedForward it multiplies the input instead (Liu et al. 2022, arXiv 2205.05638).
type IA3 struct {
	FeedForward Modules
}

const keyIA3 = "ia3_l"

func (m *IA3) peftType() string { return "IA3" }

func (m *IA3) defaults() *IA3 { return &IA3{} }

func (m *IA3) keys() []string { return []string{keyIA3} }

// options returns those of IA3Config.
func (m *IA3) options(c *Config) []option {
	return slices.Concat([]option{{key: "feedforward_modules", at: (*someModules)(&m.FeedForward)},
		{key: "exclude_modules", at: &c.ExcludeModules}},
		inert(true, "init_ia3_weights"), inert(false, "fan_in_fan_out"))
}

// validate refuses an expression that does not compile.
func (m *IA3) validate() error {
	_, err := m.expression()
	return err
}

func (m *IA3) expression() (*regexp.Regexp, error) {
	return compile("feedforward_modules", `^(?:`, m.FeedForward.Pattern, `)$`)
}

// feedForward reports whether the layer at path is one of FeedForward. As in PEFT, an entry matches
// every path that ends with it, even within a word (peft 0.21, tuners/ia3/model.py).
func (m *IA3) feedForward(path string) bool {
	if m.FeedForward.Pattern != "" {
		expr, err := m.expression()
		return err == nil && expr.MatchString(path)
	}
	return slices.ContainsFunc(m.FeedForward.List, func(end string) bool { return strings.HasSuffix(path, end) })
}

// wrap puts the vector before or after a linear layer.
func (m *IA3) wrap(target *targetLayer) (adaptedLayer, error) {
	base, ok := target.plain.(*nn.Dense)
	if !ok {
		return nil, errors.New("is not a linear layer")
	}
	l := &ia3{below: target.below, before: m.feedForward(target.name)}
	if l.before {
		l.factor = target.param(keyIA3, nn.Ones, 1, base.In())
	} else {
		l.factor = target.param(keyIA3, nn.Ones, base.Out(), 1)
	}
	return l, nil
}

// inspect finds a layer inactive if its vector is all ones.
func (m *IA3) inspect(t parameters) inspection {
	if v, ok := t(keyIA3); ok && v.all(1) {
		return inspection{state: Inactive}
	}
	return inspection{}
}

// ia3 is a linear layer with a factor.
type ia3 struct {
	below  nn.Layer
	before bool
	factor *torch.Tensor // (1, in) before the layer, (out, 1) after it
}

// Forward maps x (..., in) to l·(W x + b) or W (l·x) + b (..., out).
func (l *ia3) Forward(x *torch.Tensor) *torch.Tensor {
	factor := x.Scope().Attach(l.factor).Reshape(-1)
	if l.before {
		return l.below.Forward(x.ToType(l.factor.DType()).Mul(factor).ToType(x.DType()))
	}
	y := l.below.Forward(x)
	return y.Mul(factor).ToType(y.DType())
}

// merge multiplies the rows and the bias, or the columns.
func (l *ia3) merge(rows rowRange, w, b *torch.Tensor) (*torch.Tensor, *torch.Tensor) {
	factor := w.Scope().Attach(l.factor).ToType(torch.Float64)
	if !l.before {
		factor = rows.of(factor)
	}
	if b != nil && !l.before {
		b = b.Mul(factor.Reshape(-1))
	}
	return w.Mul(factor), b
}

func (l *ia3) effect() effect { return multiplies }

func (l *ia3) String() string {
	if l.before {
		return "input"
	}
	return "output"
}

// scaled scales the distance of the factors from 1.
func (m *IA3) scaled(_ string, data []float32, f float64) ([]float32, error) {
	out := make([]float32, len(data))
	for i, v := range data {
		out[i] = float32(1 + f*(float64(v)-1))
	}
	return out, nil
}
