package peft

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// LoRA adds a product of two low-rank matrices to a linear layer or a convolution: y = W x + b +
// s·B(A x) (Hu et al. 2021, arXiv 2106.09685).
type LoRA struct {
	R            int
	Alpha        float64 // s is Alpha/R
	Dropout      float64 // of the input of A, where the scope's mode has dropout
	RSLoRA       bool    // s is Alpha/√R (Kalajdzievski 2023, arXiv 2312.03732)
	DoRA         bool    // trains a norm for each row of the weight (Liu et al. 2024, arXiv 2402.09353)
	BiasB        bool    // lora_bias: B has a bias, which s scales, too
	RankPattern  []Entry // R of single layers
	AlphaPattern []Entry // Alpha of single layers
	Init         Init
}

// Ends of the keys of a LoRA layer.
const (
	keyA     = "lora_A.weight"
	keyB     = "lora_B.weight"
	keyBiasB = "lora_B.bias"
	keyNorm  = "lora_magnitude_vector"
)

const maxAlpha = 1e9

func (m *LoRA) peftType() string { return "LORA" }

// name returns lora, rslora or dora.
func (m *LoRA) name() string {
	switch {
	case m.DoRA:
		return "dora"
	case m.RSLoRA:
		return "rslora"
	}
	return "lora"
}

func (m *LoRA) defaults() *LoRA { return &LoRA{R: 8, Alpha: 8, Init: InitTrue} }

func (m *LoRA) keys() []string { return []string{keyA, keyB, keyBiasB, keyNorm} }

// options returns those of LoraConfig. Options of an initialisation count only if init_lora_weights
// names it, which Init checks. PEFT ignores fan_in_fan_out, which is for transposed weights, on
// linear layers.
func (m *LoRA) options(c *Config) []option {
	return slices.Concat([]option{
		{key: "r", at: &m.R},
		{key: "lora_alpha", at: &m.Alpha},
		{key: "lora_dropout", at: (*pythonFloat)(&m.Dropout)},
		{key: "use_rslora", at: &m.RSLoRA},
		{key: "use_dora", at: &m.DoRA},
		{key: "lora_bias", at: &m.BiasB},
		{key: "bias", at: biasValue{&c.Bias, "lora_only"}},
		{key: "exclude_modules", at: &c.ExcludeModules},
		{key: "rank_pattern", at: &m.RankPattern},
		{key: "alpha_pattern", at: &m.AlphaPattern},
		{key: "init_lora_weights", at: &m.Init},
		{key: "megatron_core", fixed: "megatron.core", inert: true},
		{key: "qalora_group_size", fixed: 16, inert: true},
		{key: "loftq_config", fixed: map[string]any{}, inert: true},
	}, c.layers(),
		inert(nil, "eva_config", "corda_config", "lora_ga_config"), inert(false, "fan_in_fan_out"),
		unsupported(nil, "alora_invocation_tokens", "arrow_config", "kasa_config", "layer_replication",
			"megatron_config", "monteclora_config", "target_parameters", "trainable_token_indices", "use_bdlora",
			"velora_config"),
		unsupported(false, "ensure_weight_tying", "use_qalora"))
}

func (m *LoRA) validate() error {
	if err := checkRank("r", float64(m.R)); err != nil {
		return err
	}
	alpha := func(v float64) bool { return v > 0 && v <= maxAlpha }
	if !alpha(m.Alpha) {
		return refuse("lora_alpha", "%g, want a positive number of at most %g", m.Alpha, maxAlpha)
	}
	for _, e := range m.RankPattern {
		if err := checkRank("rank_pattern", e.Value); err != nil {
			f := (*fault.Error)(nil)
			errors.As(err, &f)
			f.Reason = e.Key + ": " + f.Reason
			return err
		}
	}
	for _, e := range m.AlphaPattern {
		if !alpha(e.Value) {
			return refuse("alpha_pattern", "%s: %g, want a positive number of at most %g", e.Key, e.Value, maxAlpha)
		}
	}
	switch {
	case !slices.Contains([]Init{"", InitTrue, InitGaussian, InitPiSSA, InitOLoRA}, m.Init):
		return refuse("init_lora_weights", "%q is not supported", m.Init)
	case m.BiasB && m.DoRA:
		return refuse("lora_bias", "does not go with use_dora")
	case m.BiasB && m.Init != "" && m.Init != InitTrue:
		return refuse("lora_bias", "does not go with init_lora_weights %s", m.Init)
	case m.DoRA && m.Init.changesBase():
		return refuse("use_dora", "does not go with init_lora_weights %s", m.Init)
	}
	return checkDropout("lora_dropout", m.Dropout)
}

// wrap adds the pair of matrices to a linear layer or a convolution.
func (m *LoRA) wrap(target *targetLayer) (adaptedLayer, error) {
	rank, alpha := int(target.lookup("rank_pattern", float64(m.R))), target.lookup("alpha_pattern", m.Alpha)
	l := &lora{below: target.below, scale: m.scale(rank, alpha), dropout: m.Dropout, start: start{}}
	switch base := target.plain.(type) {
	case *nn.Dense:
		l.a = target.param(keyA, m.Init.ofA(target, rank, l.scale), rank, base.In())
		l.b = target.param(keyB, m.Init.ofB(target, rank, l.scale), base.Out(), rank)
		if m.BiasB {
			l.bias = target.param(keyBiasB, nn.Zeros, base.Out())
		}
		if m.Init.changesBase() {
			l.start = m.Init.start(target, rank, l.scale)
		}
		if m.DoRA {
			return newDora(target, l, base), nil
		}
	case *nn.Conv:
		switch {
		case base.Groups != 1:
			return nil, fmt.Errorf("a convolution of %d groups, which could not be merged", base.Groups)
		case m.DoRA || m.BiasB || m.Init.changesBase():
			return nil, errors.New("a convolution, to which use_dora, lora_bias, pissa and olora do not apply")
		}
		l.conv = base
		l.a = target.param(keyA, m.Init.ofA(target, rank, l.scale), rank, base.Weight.Dim(1), base.Weight.Dim(2))
		l.b = target.param(keyB, nn.Zeros, base.Weight.Dim(0), rank, 1)
	default:
		return nil, errors.New("is neither a linear layer nor a convolution")
	}
	return l, nil
}

// scale returns s of a pair.
func (m *LoRA) scale(rank int, alpha float64) float64 {
	if m.RSLoRA {
		return alpha / math.Sqrt(float64(rank))
	}
	return alpha / float64(rank)
}

// inspect finds a pair inactive if B·A and the bias of B are zero. Unknown here are the weight's
// norms, which DoRA's may equal, and the pair that pissa started from.
func (m *LoRA) inspect(t parameters) inspection {
	a, _ := t(keyA)
	b, _ := t(keyB)
	bias, biased := t(keyBiasB)
	var found inspection
	if len(a.shape) > 0 {
		found.rank = a.shape[0]
	}
	switch {
	case m.Init.changesBase():
		found.state = Unknown
	case biased && !bias.all(0) || !vanishes(a, b):
	case m.DoRA:
		found.state = Unknown
	default:
		found.state = Inactive
	}
	return found
}

// vanishes reports whether B·A is zero up to rounding: one factor is zero, or the parts of a
// converted pissa cancel. A trained pair is decided by its first numbers.
func vanishes(a, b array) bool {
	if len(a.shape) == 0 || len(b.shape) < 2 || b.shape[1] != a.shape[0] {
		return false
	}
	rank, n := a.shape[0], len(a.data)/a.shape[0]
	for o := range b.shape[0] {
		row := array{data: b.data[o*rank : (o+1)*rank]}
		if row.all(0) {
			continue
		}
		for i := range n {
			sum, size := 0., 0.
			for r, v := range row.data {
				x := float64(v) * float64(a.data[r*n+i])
				sum += x
				size += math.Abs(x)
			}
			if math.Abs(sum) > 1e-6*size {
				return false
			}
		}
	}
	return true
}

// lora is a linear layer or a convolution with the low-rank addition.
type lora struct {
	below   nn.Layer
	conv    *nn.Conv      // the plain layer, if it is a convolution
	a       *torch.Tensor // (r, in), of a convolution (r, in, k)
	b       *torch.Tensor // (out, r), of a convolution (out, r, 1)
	bias    *torch.Tensor // (out), or nil
	scale   float64       // s
	dropout float64
	start   start
}

// Forward maps x (..., in) to W x + b + s·B(A(dropout(x))) (..., out). The addition is computed in
// the type of x, even where the base multiplies in a narrower one; A and B themselves are Float32.
func (l *lora) Forward(x *torch.Tensor) *torch.Tensor {
	y := l.below.Forward(x)
	add := l.add(x.Dropout(l.dropout))
	if l.start.a != nil {
		add = add.Sub(x.Linear(as(x, l.start.a), nil).MulScalar(l.scale).Linear(as(x, l.start.b), nil))
	}
	return y.Add(add)
}

// as returns the parameter p in the type of x, nil if p is nil.
func as(x, p *torch.Tensor) *torch.Tensor {
	if p == nil {
		return nil
	}
	return x.Scope().Attach(p).ToType(x.DType())
}

// add returns s·(B(A x) + bias).
func (l *lora) add(x *torch.Tensor) *torch.Tensor {
	if c := l.conv; c != nil {
		low := x.Conv1d(as(x, l.a), nil, c.Stride, c.Padding, 1).MulScalar(l.scale) // (B, r, T')
		return low.Conv1d(as(x, l.b), nil, 1, 0, 1)                                 // (B, out, T')
	}
	bias := as(x, l.bias)
	if bias != nil {
		bias = bias.MulScalar(l.scale)
	}
	low := x.Linear(as(x, l.a), nil).MulScalar(l.scale) // (..., r), where scaling costs least
	return low.Linear(as(x, l.b), bias)                 // (..., out)
}

// merge returns W + s·B·A and b + s·bias.
func (l *lora) merge(rows rowRange, w, b *torch.Tensor) (*torch.Tensor, *torch.Tensor) {
	s := w.Scope()
	if l.bias != nil && b != nil {
		b = b.Add(rows.of(s.Attach(l.bias)).ToType(torch.Float64).MulScalar(l.scale))
	}
	w = w.Add(product(l.a, rows.of(s.Attach(l.b)), l.scale).Reshape(w.Shape()...))
	if l.start.a != nil {
		w = w.Sub(product(l.start.a, rows.of(s.Attach(l.start.b)), l.scale))
	}
	return w, b
}

// product returns s·B·A in Float64 for rows of B: (rows, in), of a convolution (rows, in·k).
func product(a, b *torch.Tensor, scale float64) *torch.Tensor {
	matrix := func(t *torch.Tensor) *torch.Tensor {
		return b.Scope().Attach(t).ToType(torch.Float64).Reshape(t.Dim(0), -1)
	}
	return matrix(b).MulScalar(scale).MatMul(matrix(a)) // scaling costs least on B
}

func (l *lora) effect() effect { return adds }

func (l *lora) String() string { return fmt.Sprintf("r=%d scale=%g", l.a.Dim(0), l.scale) }

// readJSON accepts the initialisations of this package, and others that leave the base model
// unchanged: after training only A and B count. The rest (corda, loftq, lora_ga, pissa by a random
// algorithm) train on a changed base that cannot be reproduced, so their A and B are wrong on the
// original one.
func (i *Init) readJSON(raw json.RawMessage) error {
	switch string(raw) {
	case "true", "false", `"orthogonal"`, `"eva"`, `"mica"`:
		*i = InitTrue
	case `"gaussian"`, `"pissa"`, `"olora"`:
		return json.Unmarshal(raw, (*string)(i))
	default:
		return errors.New("is not supported, since such an adapter was trained on a changed base model; " +
			"save it again with PEFT's path_initial_model_for_weight_conversion")
	}
	return nil
}

// writeJSON returns true for the usual initialisation, else the word.
func (i *Init) writeJSON() any {
	if *i == "" || *i == InitTrue {
		return true
	}
	return string(*i)
}

func (m *LoRA) scaled(end string, data []float32, f float64) ([]float32, error) {
	switch {
	case m.DoRA:
		return nil, errors.New("is a DoRA, whose effect is not a sum")
	case m.Init.changesBase():
		return nil, errors.New("was trained on a changed base model")
	case end == keyB || end == keyBiasB:
		return timesAll(data, f), nil
	}
	return data, nil
}
