package brain

import (
	"context"
	"fmt"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// Term is an adapter with a factor in a sum of adapters.
type Term struct {
	Factor float64
	Run    string // run directory with adapter/
}

// Arithmetic is what sums of adapters score: what bwlm eval prints under --scale, --add, --subtract and --average.
type Arithmetic struct {
	Schema  int           `json:"schema"`
	Formula string        `json:"formula"` // of what is scaled
	Base    System        `json:"base"`
	Points  []ScaledScore `json:"points"`
	Notes   []string      `json:"notes,omitempty"`
}

// ScaledScore is the score of a sum of adapters times a scale.
type ScaledScore struct {
	Scale float64 `json:"scale"`
	Test  Scores  `json:"test"`
}

// Arithmetic scores a sum of adapters, at each of several scales, on the test rows of the study, as Evaluate scores a
// tuned model. Adapters add up as what they add to the weights, Σ factor · s·B·A, so their ranks need not agree. Scale 0
// is the untuned model, 1 the sum itself. A run that met the study's test rows in tuning is refused.
func (st *Study) Arithmetic(ctx context.Context, terms []Term, scales []float64) (*Arithmetic, error) {
	if len(terms) == 0 || len(scales) == 0 {
		return nil, fault.New(fault.Usage, "add adapters", "", "%d adapters at %d scales", len(terms), len(scales))
	}
	for _, t := range terms {
		if err := st.mayAdd(ctx, t.Run); err != nil {
			return nil, err
		}
	}
	b, err := st.Baseline(ctx)
	if err != nil {
		return nil, err
	}
	out := &Arithmetic{Schema: 1, Formula: formula(terms)}
	for _, scale := range scales {
		tuned, err := st.LoadSum(ctx, terms, scale)
		if err != nil {
			return nil, err
		}
		e, err := b.Compare(ctx, tuned)
		tuned.Close()
		if err != nil {
			return nil, err
		}
		out.Base = e.Summary.Test.Base
		out.Points = append(out.Points, ScaledScore{scale, e.Summary.Test})
	}
	out.Notes = st.Notes
	return out, nil
}

// mayAdd refuses a run without an adapter, and one that learnt from the test rows of the study.
func (st *Study) mayAdd(ctx context.Context, dir string) error {
	run := &Run{Dir: dir}
	exp, err := run.Experiment()
	if err != nil {
		return err
	}
	if exp.Train.Mode != "lora" {
		return fault.New(fault.Usage, "add adapters", dir, "train.mode %s leaves no adapter", exp.Train.Mode)
	}
	if exp.Data.Path != st.Experiment.Data.Path {
		st.note("%s was tuned on other data (%s): nobody knows whether it met the test rows", dir, exp.Data.Path)
		return nil
	}
	exp.Train.Loss, exp.Train.Reliability, exp.Train.Weights = "auto", "none", "" // which do not say who heard what
	v, err := st.Vary(ctx, exp)
	if err != nil {
		return err
	}
	return st.auditAgainst(v.people)
}

func formula(terms []Term) string {
	var b strings.Builder
	for i, t := range terms {
		sign := map[bool]string{true: " + ", false: " - "}[t.Factor >= 0]
		if i == 0 {
			sign = strings.TrimSpace(strings.TrimPrefix(sign, " +"))
		}
		b.WriteString(sign)
		if f := max(t.Factor, -t.Factor); f != 1 {
			fmt.Fprintf(&b, "%.4g·", f)
		}
		b.WriteString(t.Run)
	}
	return b.String()
}

// LoadSum adapts the study's model with scale times a sum of adapters.
func (st *Study) LoadSum(ctx context.Context, terms []Term, scale float64) (*Tuned, error) {
	sum := &adapterSum{}
	for _, t := range terms {
		a, err := peft.Load((&Run{Dir: t.Run}).file("adapter"))
		if err != nil {
			sum.close()
			return nil, err
		}
		sum.parts = append(sum.parts, a)
		sum.factors = append(sum.factors, scale*t.Factor)
	}
	tuned := &Tuned{close: sum.close}
	session := st.Model.Session()
	err := torch.Do(ctx, torch.Mode{Device: session.Device, Compute: session.Compute}, func(s *torch.Scope) (err error) {
		tuned.Model, err = st.Model.View(s, sum, sum.stores()...)
		return err
	})
	for _, a := range sum.parts {
		if err == nil {
			err = a.Check()
		}
	}
	if err != nil {
		sum.close()
		return nil, err
	}
	return tuned, nil
}

// adapterSum puts several adapters into one model.
type adapterSum struct {
	parts   []*peft.Adapter
	factors []float64
}

// Wrap puts the additions of all adapters round a layer.
func (a *adapterSum) Wrap(b *nn.Builder, path string, base *nn.Dense) nn.Linear {
	l := &summed{base: base}
	for i, part := range a.parts {
		if pair, ok := part.Wrap(b, path, base).(*peft.LoRA); ok {
			l.pairs, l.factors = append(l.pairs, pair), append(l.factors, a.factors[i])
		}
	}
	if len(l.pairs) == 0 {
		return base
	}
	return l
}

func (a *adapterSum) stores() (out []*nn.Store) {
	for _, part := range a.parts {
		out = append(out, part.Store())
	}
	return out
}

func (a *adapterSum) close() {
	for _, part := range a.parts {
		part.Close()
	}
}

// summed is a linear layer with several low-rank additions.
type summed struct {
	base    *nn.Dense
	pairs   []*peft.LoRA
	factors []float64
}

// Forward maps x (..., in) to W x + b + Σ factor·s·B(A x) (..., out).
func (l *summed) Forward(x *torch.Tensor) *torch.Tensor {
	y := l.base.Forward(x)
	for i, p := range l.pairs {
		low := x.To(p.A.DType()).Linear(p.A, nil).Scale(p.Scale * l.factors[i]) // (..., r)
		y = y.Add(low.Linear(p.B, nil).To(y.DType()))
	}
	return y
}
