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

// LoRA adds to a linear layer or a convolution a product of two thin matrices, y = W x + b + s·B(A x) (Hu et al. 2021,
// arXiv 2106.09685).
type LoRA struct {
	R            int
	Alpha        float64 // s is Alpha/R
	Dropout      float64 // on the input of A, where the scope's mode has dropout
	RSLoRA       bool    // s is Alpha/√R (Kalajdzievski 2023, arXiv 2312.03732)
	DoRA         bool    // a trained norm for each row of the weight, see dora
	BiasB        bool    // lora_bias: B has a bias of its own, which s scales, too
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

// Type is LORA.
func (m *LoRA) Type() string { return "LORA" }

// Name is lora, rslora or dora.
func (m *LoRA) Name() string {
	switch {
	case m.DoRA:
		return "dora"
	case m.RSLoRA:
		return "rslora"
	}
	return "lora"
}

func (m *LoRA) defaults() *LoRA { return &LoRA{R: 8, Alpha: 8, Init: InitTrue} }

// Keys are the matrices, the bias of B and the norms of DoRA.
func (m *LoRA) Keys() []string { return []string{keyA, keyB, keyBiasB, keyNorm} }

// Options are those of LoraConfig. Options of initialisations count only for an init_lora_weights of that name, which
// Init judges; fan_in_fan_out is for layers that store their weight transposed, and PEFT ignores it on linear layers.
func (m *LoRA) Options(c *Config) []Option {
	return slices.Concat([]Option{
		{Key: "r", At: &m.R},
		{Key: "lora_alpha", At: &m.Alpha},
		{Key: "lora_dropout", At: (*Fraction)(&m.Dropout)},
		{Key: "use_rslora", At: &m.RSLoRA},
		{Key: "use_dora", At: &m.DoRA},
		{Key: "lora_bias", At: &m.BiasB},
		{Key: "bias", At: biasValue{&c.Bias, "lora_only"}},
		{Key: "exclude_modules", At: &c.ExcludeModules},
		{Key: "rank_pattern", At: &m.RankPattern},
		{Key: "alpha_pattern", At: &m.AlphaPattern},
		{Key: "init_lora_weights", At: &m.Init},
		{Key: "megatron_core", Fixed: "megatron.core", Inert: true},
		{Key: "qalora_group_size", Fixed: 16, Inert: true},
		{Key: "loftq_config", Fixed: map[string]any{}, Inert: true},
	}, c.layers(),
		inert(nil, "eva_config", "corda_config", "lora_ga_config"), inert(false, "fan_in_fan_out"),
		unsupported(nil, "alora_invocation_tokens", "arrow_config", "kasa_config", "layer_replication", "megatron_config",
			"monteclora_config", "target_parameters", "trainable_token_indices", "use_bdlora", "velora_config"),
		unsupported(false, "ensure_weight_tying", "use_qalora"))
}

// Validate refuses what cannot be.
func (m *LoRA) Validate() error {
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
			f.Why = e.Key + ": " + f.Why
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

// Wrap puts the pair of matrices round a linear layer or a convolution.
func (m *LoRA) Wrap(site *Site) (Layer, error) {
	rank, alpha := int(site.Lookup("rank_pattern", float64(m.R))), site.Lookup("alpha_pattern", m.Alpha)
	l := &lora{below: site.Below, scale: m.scale(rank, alpha), dropout: m.Dropout, start: start{}}
	switch base := site.Plain.(type) {
	case *nn.Dense:
		l.a = site.Param(keyA, m.Init.ofA(site, rank, l.scale), rank, base.In())
		l.b = site.Param(keyB, m.Init.ofB(site, rank, l.scale), base.Out(), rank)
		if m.BiasB {
			l.bias = site.Param(keyBiasB, nn.Zeros, base.Out())
		}
		if m.Init.changesBase() {
			l.start = m.Init.start(site, rank, l.scale)
		}
		if m.DoRA {
			return newDora(site, l, base), nil
		}
	case *nn.Conv:
		switch {
		case base.Groups != 1:
			return nil, fmt.Errorf("a convolution of %d groups, which could not be merged", base.Groups)
		case m.DoRA || m.BiasB || m.Init.changesBase():
			return nil, errors.New("a convolution, to which use_dora, lora_bias and the inits pissa and olora do not apply")
		}
		l.conv = base
		l.a = site.Param(keyA, m.Init.ofA(site, rank, l.scale), rank, base.Weight.Dim(1), base.Weight.Dim(2))
		l.b = site.Param(keyB, nn.Zeros, base.Weight.Dim(0), rank, 1)
	default:
		return nil, errors.New("is neither a linear layer nor a convolution")
	}
	return l, nil
}

// scale is the factor of a pair.
func (m *LoRA) scale(rank int, alpha float64) float64 {
	if m.RSLoRA {
		return alpha / math.Sqrt(float64(rank))
	}
	return alpha / float64(rank)
}

// Look finds a pair dead if B·A and the bias of B are zero. The norms of DoRA are not known to be those of the weight
// below, and what pissa started from is not known either.
func (m *LoRA) Look(t Tensors) Facts {
	a, _ := t(keyA)
	b, _ := t(keyB)
	bias, biased := t(keyBiasB)
	f := Facts{}
	if len(a.Shape) > 0 {
		f.Rank = a.Shape[0]
	}
	switch {
	case m.Init.changesBase():
		f.Dead = Unknown
	case biased && !bias.all(0) || !vanishes(a, b):
	case m.DoRA:
		f.Dead = Unknown
	default:
		f.Dead = Dead
	}
	return f
}

// vanishes says whether B·A is zero but for rounding: because one of them is, or because the parts of a converted pissa
// cancel. A pair that has learnt anything is known by its first numbers.
func vanishes(a, b Values) bool {
	if len(a.Shape) == 0 || len(b.Shape) < 2 || b.Shape[1] != a.Shape[0] {
		return false
	}
	rank, n := a.Shape[0], len(a.Data)/a.Shape[0]
	for o := range b.Shape[0] {
		row := Values{Data: b.Data[o*rank : (o+1)*rank]}
		if row.all(0) {
			continue
		}
		for i := range n {
			sum, size := 0., 0.
			for r, v := range row.Data {
				x := float64(v) * float64(a.Data[r*n+i])
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

// lora is a linear layer or a convolution with a low-rank addition.
type lora struct {
	below   nn.Layer
	conv    *nn.Conv      // what below is at bottom, if that is a convolution
	a       *torch.Tensor // (r, in), of a convolution (r, in, k)
	b       *torch.Tensor // (out, r), of a convolution (out, r, 1)
	bias    *torch.Tensor // (out), or nil
	scale   float64       // s
	dropout float64
	start   start
}

// Forward maps x (..., in) to W x + b + s·B(A(dropout(x))) (..., out). The addition is computed in the type of x, also
// where the base multiplies in a narrower one; A and B themselves are Float32.
func (l *lora) Forward(x *torch.Tensor) *torch.Tensor {
	y := l.below.Forward(x)
	add := l.add(x.Dropout(l.dropout))
	if l.start.a != nil {
		add = add.Sub(x.Linear(as(x, l.start.a), nil).Scale(l.scale).Linear(as(x, l.start.b), nil))
	}
	return y.Add(add)
}

// as is the parameter p in the type of x, nil if p is.
func as(x, p *torch.Tensor) *torch.Tensor {
	if p == nil {
		return nil
	}
	return x.Scope().Use(p).To(x.DType())
}

// add is s·(B(A x) + bias).
func (l *lora) add(x *torch.Tensor) *torch.Tensor {
	if c := l.conv; c != nil {
		low := x.Conv1d(as(x, l.a), nil, c.Stride, c.Padding, 1).Scale(l.scale) // (B, r, T')
		return low.Conv1d(as(x, l.b), nil, 1, 0, 1)                             // (B, out, T')
	}
	bias := as(x, l.bias)
	if bias != nil {
		bias = bias.Scale(l.scale)
	}
	return x.Linear(as(x, l.a), nil).Scale(l.scale).Linear(as(x, l.b), bias) // (..., out); scaling costs least on (..., r)
}

// Merge is W + s·B·A and b + s·bias.
func (l *lora) Merge(rows Rows, w, b *torch.Tensor) (*torch.Tensor, *torch.Tensor) {
	s := w.Scope()
	if l.bias != nil && b != nil {
		b = b.Add(rows.Of(s.Use(l.bias)).To(torch.Float64).Scale(l.scale))
	}
	w = w.Add(product(l.a, rows.Of(s.Use(l.b)), l.scale).Reshape(w.Shape()...))
	if l.start.a != nil {
		w = w.Sub(product(l.start.a, rows.Of(s.Use(l.start.b)), l.scale))
	}
	return w, b
}

// product is s·B·A in Float64 for some rows of B: (rows, in), of a convolution (rows, in·k).
func product(a, b *torch.Tensor, scale float64) *torch.Tensor {
	matrix := func(t *torch.Tensor) *torch.Tensor { return b.Scope().Use(t).To(torch.Float64).Reshape(t.Dim(0), -1) }
	return matrix(b).Scale(scale).MatMul(matrix(a)) // scaling costs least on B
}

// Effect is an addition.
func (l *lora) Effect() Effect { return Adds }

func (l *lora) String() string { return fmt.Sprintf("r=%d scale=%g", l.a.Dim(0), l.scale) }

// ReadJSON accepts, beside those that it can do, the ways to start that leave the base model as it is: once trained,
// only A and B count. The others (corda, loftq, lora_ga, pissa by a random algorithm) train on a changed base that
// cannot be had again, so their A and B are wrong on the original one.
func (i *Init) ReadJSON(raw json.RawMessage) error {
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

// WriteJSON is true, but for the other ways.
func (i *Init) WriteJSON() any {
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
