package peft

import (
	"context"
	"math"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

const scaleAdapter = "scale adapter"

// scaler is a method whose effect can be scaled in its file. scaled returns the numbers of a
// parameter, by the end of its key, for f times the effect.
type scaler interface {
	scaled(end string, data []float32, f float64) ([]float32, error)
}

// Scale returns the adapter with its effect multiplied by factor: 0 is no effect, -1 the opposite.
// It refuses copies of parameters, whose effect depends on the base model, and DoRA, whose effect
// is not a sum.
func (f *File) Scale(factor float64) (*File, error) {
	refuse := func(why string) error {
		return fault.New(fault.BadData, scaleAdapter, f.state.path, "%s", why).
			WithHint("merge it into the model as it is")
	}
	m, ok := f.Config.Method.(scaler)
	switch {
	case math.IsNaN(factor) || math.IsInf(factor, 0):
		return nil, fault.New(fault.Usage, scaleAdapter, "", "a factor of %g", factor)
	case !ok:
		return nil, refuse("is of type " + f.Config.Method.peftType() +
			", whose effect cannot be scaled without the base model")
	case f.Config.Bias != BiasNone || len(f.Config.ModulesToSave) > 0:
		return nil, refuse("has biases or modules of its own, which cannot be scaled without the base model")
	}
	out := &File{Config: f.Config, Card: f.Card, state: newState(f.state.path)}
	out.state.start, out.state.decided, out.state.base = f.state.start, f.state.decided, f.state.base
	for _, name := range f.state.names {
		v := f.state.tensors[name]
		path, _ := f.moduleOf(name)
		if len(path) < len(name) {
			data, err := m.scaled(name[len(path)+1:], v.data, factor)
			if err != nil {
				return nil, refuse(err.Error())
			}
			v.data = data
		}
		out.state.add(name, f.state.keys[name], v)
	}
	return out, nil
}

// timesAll returns x·f.
func timesAll(x []float32, f float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(f * float64(v))
	}
	return out
}

// Difference compares what two adapters add to the weight of a layer.
type Difference struct {
	Path     string  `json:"path"`
	First    float64 `json:"first"`    // ‖ΔW₁‖, 0 where the first adapter leaves the layer alone
	Second   float64 `json:"second"`   // ‖ΔW₂‖
	Distance float64 `json:"distance"` // ‖ΔW₁ - ΔW₂‖
	Cosine   float64 `json:"cosine"`   // of the angle between ΔW₁ and ΔW₂; 0 where one of them is 0
}

// Diff compares two LoRAs layer by layer.
func Diff(ctx context.Context, a, b *File) (list []Difference, err error) {
	var parts [2][]factors
	for i, f := range []*File{a, b} {
		if parts[i], err = f.factors(1); err != nil {
			return nil, err
		}
	}
	of := func(list []factors, path string) (x factors, ok bool) {
		for _, x := range list {
			if x.path == path {
				return x, true
			}
		}
		return x, false
	}
	err = torch.Infer(ctx, func(s *torch.Scope) error {
		for _, layer := range byLayer(parts[:]) {
			d := Difference{Path: layer[0].path}
			deltas := make([]*torch.Tensor, 2)
			for i := range deltas {
				if x, ok := of(parts[i], d.Path); ok {
					n := len(x.a) / x.rank()
					deltas[i] = s.FromFloat64(x.b, x.shapeB[0],
						x.rank()).MatMul(s.FromFloat64(x.a, x.rank(), n)).MulScalar(x.weight)
				}
			}
			for i, t := range deltas {
				if t == nil {
					deltas[i] = s.ZerosOf(torch.Float64, deltas[1-i].Shape()...)
				}
			}
			if deltas[0].Len() != deltas[1].Len() {
				return fault.New(fault.BadData, "compare adapters", d.Path,
					"the adapters are of layers of different sizes")
			}
			norm := func(t *torch.Tensor) float64 { return math.Sqrt(t.Square().Sum().Item()) }
			d.First, d.Second, d.Distance = norm(deltas[0]), norm(deltas[1]), norm(deltas[0].Sub(deltas[1]))
			if d.First > 0 && d.Second > 0 {
				d.Cosine = deltas[0].Mul(deltas[1]).Sum().Item() / (d.First * d.Second)
			}
			list = append(list, d)
		}
		return nil
	})
	return list, err
}
