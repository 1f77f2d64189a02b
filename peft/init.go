package peft

import (
	"math"

	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// Init is how A and B start.
type Init string

// The ways to start. PiSSA (Meng et al. 2024, arXiv 2404.02948) and OLoRA (Büyükakyüz 2024, arXiv 2406.01775) start at
// a part of the weight itself, of which they take as much away, so that the model starts as it was. PEFT changes the
// base weight for that. Here the base stays what it is, since other adapters share it: the layer adds s·(B·A - B₀·A₀).
const (
	InitTrue     Init = "true"     // A Kaiming uniform with a = √5, B zero
	InitGaussian Init = "gaussian" // A N(0, 1/r²), B zero
	InitPiSSA    Init = "pissa"    // the r largest singular values and vectors of W
	InitOLoRA    Init = "olora"    // the first r columns of Q and rows of R in W = Q·R
)

// changesBase says whether A and B start at a part of the weight.
func (i Init) changesBase() bool { return i == InitPiSSA || i == InitOLoRA }

// start is where a pair started, if it is to be taken away again: A₀ (r, in) and B₀ (out, r), or nothing.
type start struct{ a, b *torch.Tensor }

// start finds A₀ and B₀ of a site, which the site keeps. Their signs are arbitrary, their product is not.
func (i Init) start(site *Site, rank int, scale float64) start {
	t := site.Fixed(func(s *torch.Scope) []*torch.Tensor {
		a, b := i.factors(s.Use(site.Plain.(*nn.Dense).Weight).To(torch.Float32), rank, scale)
		return []*torch.Tensor{a, b}
	})
	return start{t[0], t[1]}
}

// factors are A₀ and B₀ of a weight w (out, in) with s·B₀·A₀ ≈ w for pissa, and B₀·A₀ ≈ w for olora (peft 0.21,
// tuners/lora/layer.py, pissa_init and olora_init).
func (i Init) factors(w *torch.Tensor, rank int, scale float64) (a, b *torch.Tensor) {
	if i == InitOLoRA {
		q, r := w.QR()
		return r.Narrow(0, 0, rank).Contiguous(), q.Narrow(1, 0, rank).Contiguous()
	}
	u, s, vh := w.SVD()
	root := s.Narrow(0, 0, rank).Scale(1 / scale).Sqrt() // (r)
	return vh.Narrow(0, 0, rank).Mul(root.Unsqueeze(1)), u.Narrow(1, 0, rank).Mul(root)
}

// ofA is how A starts (peft 0.21, tuners/lora/layer.py, reset_lora_parameters).
func (i Init) ofA(site *Site, rank int, scale float64) nn.Init {
	switch {
	case i == InitGaussian:
		return nn.Normal(1 / float64(rank))
	case i.changesBase():
		return func(s *torch.Scope, _ []int) *torch.Tensor { return s.Use(i.start(site, rank, scale).a).Clone() }
	}
	return nn.FanInUniform
}

// ofB is how B starts.
func (i Init) ofB(site *Site, rank int, scale float64) nn.Init {
	if i.changesBase() {
		return func(s *torch.Scope, _ []int) *torch.Tensor { return s.Use(i.start(site, rank, scale).b).Clone() }
	}
	return nn.Zeros
}

// convert gives, for a pair that started at a part of the weight, a pair of twice the rank that adds the same to the
// original weight: A' = [A; A₀], B' = [B, -B₀].
func (m *LoRA) convert(a *Adapter) (Method, map[string]Values) {
	if !m.Init.changesBase() {
		return m, nil
	}
	plain, instead := *m, map[string]Values{}
	growth := 2. // of alpha, so that the scale stays
	if m.RSLoRA {
		growth = math.Sqrt2
	}
	plain.Init, plain.R, plain.Alpha = InitTrue, 2*m.R, growth*m.Alpha
	plain.RankPattern, plain.AlphaPattern = times(m.RankPattern, 2), times(m.AlphaPattern, growth)
	for _, adapted := range a.layers {
		l := adapted.Layer.(*lora)
		rank, in, out := l.a.Dim(0), l.a.Dim(1), l.b.Dim(0)
		joined := make([]float32, 0, 2*rank*out)
		b, b0 := floats(l.b), floats(l.start.b)
		for o := range out {
			joined = append(joined, b[o*rank:(o+1)*rank]...)
			for _, v := range b0[o*rank : (o+1)*rank] {
				joined = append(joined, -v)
			}
		}
		instead[adapted.Path+"."+keyA] = Values{[]int{2 * rank, in}, append(floats(l.a), floats(l.start.a)...)}
		instead[adapted.Path+"."+keyB] = Values{[]int{out, 2 * rank}, joined}
	}
	return &plain, instead
}

func times(entries []Entry, f float64) (out []Entry) {
	for _, e := range entries {
		out = append(out, Entry{e.Key, f * e.Value})
	}
	return out
}
