package peft

import (
	"math"

	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// Init is the initialisation of A and B.
type Init string

// The initialisations. PiSSA (Meng et al. 2024, arXiv 2404.02948) and OLoRA (Büyükakyüz 2024, arXiv
// 2406.01775) start at a part of the weight and subtract that part, so that the model's output does
// not change at first. PEFT subtracts it from the base weight. Other adapters share the base weight
// here, so it stays unchanged and the layer adds s·(B·A - B₀·A₀).
const (
	InitTrue     Init = "true"     // A Kaiming uniform with a = √5, B zero
	InitGaussian Init = "gaussian" // A N(0, 1/r²), B zero
	InitPiSSA    Init = "pissa"    // the r largest singular values and vectors of W
	InitOLoRA    Init = "olora"    // the first r columns of Q and rows of R in W = Q·R
)

// changesBase reports whether A and B start at a part of the weight.
func (i Init) changesBase() bool { return i == InitPiSSA || i == InitOLoRA }

// start holds the initial pair that is subtracted, A₀ (r, in) and B₀ (out, r), or nothing.
type start struct{ a, b *torch.Tensor }

// start returns A₀ and B₀ of a target, which stores them. Their signs are arbitrary, their product
// is not.
func (i Init) start(target *targetLayer, rank int, scale float64) start {
	t := target.fixed(func(s *torch.Scope) []*torch.Tensor {
		a, b := i.factors(s.Attach(target.plain.(*nn.Dense).Weight).ToType(torch.Float32), rank, scale)
		return []*torch.Tensor{a, b}
	})
	return start{t[0], t[1]}
}

// factors returns A₀ and B₀ of a weight w (out, in): s·B₀·A₀ ≈ w for pissa, B₀·A₀ ≈ w for olora
// (peft 0.21, tuners/lora/layer.py, pissa_init and olora_init).
func (i Init) factors(w *torch.Tensor, rank int, scale float64) (a, b *torch.Tensor) {
	if i == InitOLoRA {
		q, r := w.QR()
		return r.Narrow(0, 0, rank).Contiguous(), q.Narrow(1, 0, rank).Contiguous()
	}
	u, s, vh := w.SVD()
	root := s.Narrow(0, 0, rank).MulScalar(1 / scale).Sqrt() // (r)
	return vh.Narrow(0, 0, rank).Mul(root.Unsqueeze(1)), u.Narrow(1, 0, rank).Mul(root)
}

// ofA returns the initialisation of A (peft 0.21, tuners/lora/layer.py, reset_lora_parameters).
func (i Init) ofA(target *targetLayer, rank int, scale float64) nn.Init {
	switch {
	case i == InitGaussian:
		return nn.Normal(1 / float64(rank))
	case i.changesBase():
		return func(s *torch.Scope, _ []int) *torch.Tensor { return s.Attach(i.start(target, rank, scale).a).Clone() }
	}
	return nn.FanInUniform
}

// ofB returns the initialisation of B.
func (i Init) ofB(target *targetLayer, rank int, scale float64) nn.Init {
	if i.changesBase() {
		return func(s *torch.Scope, _ []int) *torch.Tensor { return s.Attach(i.start(target, rank, scale).b).Clone() }
	}
	return nn.Zeros
}

// convert returns a plain LoRA of twice the rank for pairs that started at a part of the weight. It
// adds the same to the original weight: A' = [A; A₀], B' = [B, -B₀].
func (m *LoRA) convert(a *Adapter) (Method, map[string]array) {
	if !m.Init.changesBase() {
		return m, nil
	}
	plain, instead := *m, map[string]array{}
	growth := 2. // of alpha, so that the scale stays
	if m.RSLoRA {
		growth = math.Sqrt2
	}
	plain.Init, plain.R, plain.Alpha = InitTrue, 2*m.R, growth*m.Alpha
	plain.RankPattern, plain.AlphaPattern = times(m.RankPattern, 2), times(m.AlphaPattern, growth)
	for _, adapted := range a.layers {
		l := adapted.layer.(*lora)
		rank, in, out := l.a.Dim(0), l.a.Dim(1), l.b.Dim(0)
		joined := make([]float32, 0, 2*rank*out)
		b, b0 := floats(l.b), floats(l.start.b)
		for o := range out {
			joined = append(joined, b[o*rank:(o+1)*rank]...)
			for _, v := range b0[o*rank : (o+1)*rank] {
				joined = append(joined, -v)
			}
		}
		instead[adapted.Path+"."+keyA] = array{[]int{2 * rank, in}, append(floats(l.a), floats(l.start.a)...)}
		instead[adapted.Path+"."+keyB] = array{[]int{out, 2 * rank}, joined}
	}
	return &plain, instead
}

func times(entries []Entry, f float64) (out []Entry) {
	for _, e := range entries {
		out = append(out, Entry{e.Key, f * e.Value})
	}
	return out
}
