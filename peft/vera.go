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

// VeRA trains two vectors of a linear layer, y = W x + b + λ_b·B(λ_d·(A x)). A and B are random and
// frozen, and all layers share them: each takes as many columns of A and rows of B as it needs
// (Kopiczko et al. 2024, arXiv 2310.11454).
type VeRA struct {
	R       int
	Dropout float64 // of the input of A, where the scope's mode has dropout
	Start   float64 // of λ_d; 0 means .1
	Key     int     // projection_prng_key, which differs in PEFT between adapters of different A and B
}

// Ends of the keys of a VeRA layer, and the names of the shared matrices.
const (
	keyLambdaB = "vera_lambda_b"
	keyLambdaD = "vera_lambda_d"
	sharedA    = "vera_A"
	sharedB    = "vera_B"
)

func (m *VeRA) peftType() string { return "VERA" }

func (m *VeRA) defaults() *VeRA { return &VeRA{R: 256, Start: .1} }

func (m *VeRA) keys() []string { return []string{keyLambdaB, keyLambdaD} }

// options returns those of VeraConfig.
func (m *VeRA) options(c *Config) []option {
	return slices.Concat([]option{
		{key: "r", at: &m.R},
		{key: "vera_dropout", at: (*pythonFloat)(&m.Dropout)},
		{key: "d_initial", at: &m.Start},
		{key: "projection_prng_key", at: &m.Key},
		{key: "save_projection", at: saved{}},
		{key: "bias", at: biasValue{&c.Bias, "vera_only"}},
	}, c.layers(), inert(true, "init_weights"), inert(false, "fan_in_fan_out"))
}

// saved is the option save_projection, which must be true.
type saved struct{}

// readJSON refuses files without A and B.
func (saved) readJSON(raw json.RawMessage) error {
	if string(raw) != "true" {
		return errors.New("such a file leaves A and B to a random generator; " +
			"save it again in Python with save_projection=True")
	}
	return nil
}

func (saved) writeJSON() any { return true }

func (m *VeRA) validate() error {
	if err := checkRank("r", float64(m.R)); err != nil {
		return err
	}
	if !(math.Abs(m.Start) <= maxAlpha) {
		return refuse("d_initial", "%g, want a number of at most %g", m.Start, maxAlpha)
	}
	return checkDropout("vera_dropout", m.Dropout)
}

// wrap adds the two vectors to a linear layer.
func (m *VeRA) wrap(target *targetLayer) (adaptedLayer, error) {
	base, ok := target.plain.(*nn.Dense)
	if !ok {
		return nil, errors.New("is not a linear layer")
	}
	start := m.Start
	if start == 0 {
		start = .1
	}
	return &vera{
		below: target.below, in: base.In(), out: base.Out(), dropout: m.Dropout,
		a: target.shared(sharedA, kaiming, m.R, base.In()),
		b: target.shared(sharedB, kaiming, base.Out(), m.R),
		d: target.param(keyLambdaD, func(s *torch.Scope, shape []int) *torch.Tensor { return s.Full(start, shape...) },
			m.R),
		l: target.param(keyLambdaB, nn.Zeros, base.Out()),
	}, nil
}

// kaiming draws A and B: uniform with variance 2/fan_in.
func kaiming(s *torch.Scope, shape []int) *torch.Tensor {
	return nn.Uniform(math.Sqrt(6/float64(shape[1])))(s, shape)
}

// inspect finds a layer inactive if one of its vectors is zero.
func (m *VeRA) inspect(t parameters) inspection {
	d, _ := t(keyLambdaD)
	b, _ := t(keyLambdaB)
	found := inspection{rank: len(d.data)}
	if d.all(0) || b.all(0) {
		found.state = Inactive
	}
	return found
}

// vera is a linear layer with an addition of two trained vectors.
type vera struct {
	below   nn.Layer
	in, out int
	dropout float64
	a, b    *sharedTensor // (r, at least in), (at least out, r)
	d       *torch.Tensor // λ_d (r)
	l       *torch.Tensor // λ_b (out)
}

// matrices returns the parts of A (r, in) and B (out, r) that the layer uses.
func (v *vera) matrices(s *torch.Scope) (a, b *torch.Tensor) {
	return s.Attach(v.a.tensor).Narrow(1, 0, v.in), s.Attach(v.b.tensor).Narrow(0, 0, v.out)
}

// Forward maps x (..., in) to W x + b + λ_b·B(λ_d·(A x)) (..., out).
func (v *vera) Forward(x *torch.Tensor) *torch.Tensor {
	y := v.below.Forward(x)
	a, b := v.matrices(x.Scope())
	low := x.ToType(v.d.DType()).Dropout(v.dropout).Linear(a, nil).Mul(v.d) // (..., r)
	return y.Add(low.Linear(b, nil).Mul(v.l).ToType(y.DType()))
}

// merge returns W + diag(λ_b)·B·diag(λ_d)·A and the unchanged bias.
func (v *vera) merge(rows rowRange, w, bias *torch.Tensor) (*torch.Tensor, *torch.Tensor) {
	s := w.Scope()
	exact := func(t *torch.Tensor) *torch.Tensor { return s.Attach(t).ToType(torch.Float64) }
	a, b := v.matrices(s)
	left, right := rows.of(exact(b).Mul(exact(v.l).Unsqueeze(1))), exact(a).Mul(exact(v.d).Unsqueeze(1))
	return w.Add(left.MatMul(right)), bias
}

func (v *vera) effect() effect { return adds }

func (v *vera) String() string { return fmt.Sprintf("r=%d", v.d.Len()) }

func (m *VeRA) scaled(end string, data []float32, f float64) ([]float32, error) {
	if end == keyLambdaB {
		return timesAll(data, f), nil
	}
	return data, nil
}
