package peft

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// VeRA adds to a linear layer y = W x + b + λ_b·B(λ_d·(A x)), where A and B are random, frozen and the same for all
// layers, each of which takes as many columns of A and rows of B as it needs (Kopiczko et al. 2024, arXiv 2310.11454).
type VeRA struct {
	R       int
	Dropout float64 // on the input of A, where the scope's mode has dropout
	Start   float64 // of λ_d; 0 means .1
	Key     int     // projection_prng_key, by which PEFT tells apart adapters with other A and B
}

// Keys of VeRA.
const (
	keyLambdaB = "vera_lambda_b"
	keyLambdaD = "vera_lambda_d"
	sharedA    = "vera_A"
	sharedB    = "vera_B"
)

// Type is VERA.
func (m *VeRA) Type() string { return "VERA" }

func (m *VeRA) defaults() *VeRA { return &VeRA{R: 256, Start: .1} }

// Keys are the two vectors.
func (m *VeRA) Keys() []string { return []string{keyLambdaB, keyLambdaD} }

// Options are those of VeraConfig.
func (m *VeRA) Options(c *Config) []Option {
	return slices.Concat([]Option{
		{Key: "r", At: &m.R},
		{Key: "vera_dropout", At: (*Fraction)(&m.Dropout)},
		{Key: "d_initial", At: &m.Start},
		{Key: "projection_prng_key", At: &m.Key},
		{Key: "save_projection", At: saved{}},
		{Key: "bias", At: biasValue{&c.Bias, "vera_only"}},
	}, c.layers(), inert(true, "init_weights"), inert(false, "fan_in_fan_out"))
}

// saved is the option save_projection, which has to be true.
type saved struct{}

// ReadJSON refuses files without A and B.
func (saved) ReadJSON(raw json.RawMessage) error {
	if string(raw) != "true" {
		return errors.New("such a file leaves A and B to a generator of random numbers; save it again in Python with save_projection=True")
	}
	return nil
}

// WriteJSON is true.
func (saved) WriteJSON() any { return true }

// Validate refuses what cannot be.
func (m *VeRA) Validate() error {
	if err := checkRank("r", float64(m.R)); err != nil {
		return err
	}
	if !(math.Abs(m.Start) <= maxAlpha) {
		return refuse("d_initial", "%g, want a number of at most %g", m.Start, maxAlpha)
	}
	return checkDropout("vera_dropout", m.Dropout)
}

// Wrap puts the two vectors round a linear layer.
func (m *VeRA) Wrap(site *Site) (Layer, error) {
	base, ok := site.Plain.(*nn.Dense)
	if !ok {
		return nil, errors.New("is not a linear layer")
	}
	start := m.Start
	if start == 0 {
		start = .1
	}
	return &vera{
		below: site.Below, in: base.In(), out: base.Out(), dropout: m.Dropout,
		a: site.Shared(sharedA, kaiming, m.R, base.In()),
		b: site.Shared(sharedB, kaiming, base.Out(), m.R),
		d: site.Param(keyLambdaD, func(s *torch.Scope, shape []int) *torch.Tensor { return s.Full(start, shape...) }, m.R),
		l: site.Param(keyLambdaB, nn.Zeros, base.Out()),
	}, nil
}

// kaiming is how A and B are drawn: uniform with variance 2/fan_in.
func kaiming(s *torch.Scope, shape []int) *torch.Tensor {
	return nn.Uniform(math.Sqrt(6/float64(shape[1])))(s, shape)
}

// Look finds a layer dead if one of its vectors is zero.
func (m *VeRA) Look(t Tensors) Facts {
	d, _ := t(keyLambdaD)
	b, _ := t(keyLambdaB)
	f := Facts{Rank: len(d.Data)}
	if d.all(0) || b.all(0) {
		f.Dead = Dead
	}
	return f
}

// vera is a linear layer with an addition of two trained vectors.
type vera struct {
	below   nn.Layer
	in, out int
	dropout float64
	a, b    *Shared       // (r, at least in), (at least out, r)
	d       *torch.Tensor // λ_d (r)
	l       *torch.Tensor // λ_b (out)
}

// matrices are the parts of A (r, in) and B (out, r) that the layer uses.
func (v *vera) matrices(s *torch.Scope) (a, b *torch.Tensor) {
	return s.Use(v.a.T).Narrow(1, 0, v.in), s.Use(v.b.T).Narrow(0, 0, v.out)
}

// Forward maps x (..., in) to W x + b + λ_b·B(λ_d·(A x)) (..., out).
func (v *vera) Forward(x *torch.Tensor) *torch.Tensor {
	y := v.below.Forward(x)
	a, b := v.matrices(x.Scope())
	low := x.To(v.d.DType()).Dropout(v.dropout).Linear(a, nil).Mul(v.d) // (..., r)
	return y.Add(low.Linear(b, nil).Mul(v.l).To(y.DType()))
}

// Merge is W + diag(λ_b)·B·diag(λ_d)·A.
func (v *vera) Merge(rows Rows, w, bias *torch.Tensor) (*torch.Tensor, *torch.Tensor) {
	s := w.Scope()
	exact := func(t *torch.Tensor) *torch.Tensor { return s.Use(t).To(torch.Float64) }
	a, b := v.matrices(s)
	left, right := rows.Of(exact(b).Mul(exact(v.l).Unsqueeze(1))), exact(a).Mul(exact(v.d).Unsqueeze(1))
	return w.Add(left.MatMul(right)), bias
}

// Effect is an addition.
func (v *vera) Effect() Effect { return Adds }

func (v *vera) String() string { return fmt.Sprintf("r=%d", v.d.Len()) }

func (m *VeRA) scaled(end string, data []float32, f float64) ([]float32, error) {
	if end == keyLambdaB {
		return timesAll(data, f), nil
	}
	return data, nil
}
