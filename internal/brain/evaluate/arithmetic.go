package evaluate

import (
	"context"
	"fmt"
	"strings"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// ScoreAdapters scores a sum of adapters on the test rows of the study, at each of several scales, as
// Evaluate scores a tuned model. The sum is that of the changes that adapters make to a layer's
// output, Σ factor · s·B·A·x, so their ranks need not agree. Scale 0 is the untuned model, 1 the
// sum itself. A run whose tuning used the test stimulus of the study is refused.
func ScoreAdapters(ctx context.Context, st *study.Study, terms []results.WeightedAdapter,
	scales []float64) (*results.AdapterScores, error) {
	if len(terms) == 0 || len(scales) == 0 {
		return nil, fault.New(fault.Usage, "add adapters", "", "%d adapters at %d scales", len(terms), len(scales))
	}
	for _, t := range terms {
		if err := mayAdd(ctx, st, t.Run); err != nil {
			return nil, err
		}
	}
	b, err := NewBaseline(ctx, st)
	if err != nil {
		return nil, err
	}
	out := &results.AdapterScores{Schema: 1, Formula: formula(terms)}
	for _, scale := range scales {
		tuned, err := LoadSum(ctx, st, terms, scale)
		if err != nil {
			return nil, err
		}
		e, err := b.Compare(ctx, tuned)
		tuned.Close()
		if err != nil {
			return nil, err
		}
		out.Base = e.Summary.Test.Base
		out.Points = append(out.Points, results.ScaledScore{Scale: scale, Test: e.Summary.Test})
	}
	out.Notes = st.Notes
	return out, nil
}

// mayAdd refuses a run without an adapter, and one whose tuning used the test stimulus of the study.
func mayAdd(ctx context.Context, st *study.Study, dir string) error {
	run := &rundir.Run{Dir: dir}
	if err := rundir.CheckFiles("add adapters", dir); err != nil {
		return err
	}
	exp, err := run.Experiment()
	if err != nil {
		return err
	}
	if exp.Train.Mode != experiment.TrainLoRA {
		return fault.New(fault.Usage, "add adapters", dir, "train.mode %s leaves no adapter", exp.Train.Mode)
	}
	if exp.Data.Path != st.Experiment.Data.Path {
		err := st.AuditOtherData(ctx, exp)
		if fault.KindOf(err) == fault.Missing {
			st.Note("%s was tuned on other data (%s), which are not there: its tuning may have used the test "+
				"stimulus", dir, exp.Data.Path)
			return nil
		}
		return err
	}
	if err := st.SameInputs(ctx, run); err != nil {
		return err
	}
	exp.Train.Loss, exp.Train.Reliability, exp.Train.Weights = "auto", "none", "" // none of which needs the responses
	v, err := st.Vary(ctx, exp)
	if err != nil {
		return err
	}
	return AuditAgainst(ctx, st, v.Subjects)
}

func formula(terms []results.WeightedAdapter) string {
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
func LoadSum(ctx context.Context, st *study.Study, terms []results.WeightedAdapter, scale float64) (*study.Tuned,
	error) {
	sum := &adapterSum{}
	for _, t := range terms {
		a, err := peft.Load((&rundir.Run{Dir: t.Run}).File("adapter"))
		if err != nil {
			sum.close()
			return nil, err
		}
		a.AllowChangedBase = st.Options.AllowChangedBase
		sum.parts = append(sum.parts, a)
		sum.factors = append(sum.factors, scale*t.Factor)
	}
	view, err := st.Model.WithAdapter(ctx, sum)
	if err != nil {
		sum.close()
		return nil, err
	}
	return &study.Tuned{Model: view, Release: sum.close}, nil
}

// adapterSum applies several adapters to one model.
type adapterSum struct {
	parts   []*peft.Adapter
	factors []float64
}

// MeetBase returns an error if one of the adapters was trained on another model.
func (a *adapterSum) MeetBase(identity func() (string, error)) error {
	for _, part := range a.parts {
		if err := part.MeetBase(identity); err != nil {
			return err
		}
	}
	return nil
}

// Param refuses adapters with copies of the model's own parameters, which do not add up.
func (a *adapterSum) Param(b *nn.Builder, path string, p *torch.Tensor) *torch.Tensor {
	for _, part := range a.parts {
		if part.Param(b, path, p) != p {
			b.Problem("%s: an adapter has its own copy of it, which cannot be added to another's", path)
		}
	}
	return p
}

// Wrap wraps a layer with the sum of all adapters.
func (a *adapterSum) Wrap(b *nn.Builder, path string, base nn.Layer) nn.Layer {
	l := &summed{base: base}
	for i, part := range a.parts {
		if adapted := part.Wrap(b, path, base); adapted != base {
			l.adapted, l.factors = append(l.adapted, adapted), append(l.factors, a.factors[i])
		}
	}
	if len(l.adapted) == 0 {
		return base
	}
	return l
}

// Finish creates the parameters that the layers of an adapter share.
func (a *adapterSum) Finish(b *nn.Builder) {
	for _, part := range a.parts {
		part.Finish(b)
	}
}

// Stores returns the parameters of all adapters.
func (a *adapterSum) Stores() (out []*nn.Store) {
	for _, part := range a.parts {
		out = append(out, part.Store())
	}
	return out
}

// Seed is never used, since the adapters come from files.
func (a *adapterSum) Seed() uint64 { return 0 }

// Check returns the first error of an adapter.
func (a *adapterSum) Check() error {
	for _, part := range a.parts {
		if err := part.Check(); err != nil {
			return err
		}
	}
	return nil
}

func (a *adapterSum) close() {
	for _, part := range a.parts {
		part.Close()
	}
}

// summed is a layer with several adapted forms of it.
type summed struct {
	base    nn.Layer
	adapted []nn.Layer
	factors []float64
}

// Forward maps x to base(x) + Σ factor · (adapted(x) - base(x)).
func (l *summed) Forward(x *torch.Tensor) *torch.Tensor {
	plain := l.base.Forward(x)
	y := plain
	for i, adapted := range l.adapted {
		y = y.Add(adapted.Forward(x).Sub(plain).MulScalar(l.factors[i]))
	}
	return y
}
