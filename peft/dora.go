package peft

import (
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// dora is a linear layer whose weight has a trained norm m for each row, and a direction that LoRA
// trains (Liu et al. 2024, arXiv 2402.09353): W' = m · (W + s·B·A) / ‖W + s·B·A‖ with the norm of
// each row. No gradient passes through the norm (section 4.3 of the paper).
type dora struct {
	*lora
	base *nn.Dense
	norm *torch.Tensor // m (out)
}

func newDora(target *targetLayer, l *lora, base *nn.Dense) *dora {
	d := &dora{lora: l, base: base}
	d.norm = target.param(keyNorm, func(s *torch.Scope, _ []int) *torch.Tensor { return d.norms(s) }, base.Out())
	return d
}

// norms returns ‖W + s·B·A‖ (out).
func (d *dora) norms(s *torch.Scope) *torch.Tensor {
	return s.Frozen(func(s *torch.Scope) *torch.Tensor {
		product := s.Attach(d.b).MatMul(s.Attach(d.a)).MulScalar(d.scale)
		w := s.Attach(d.base.Weight).ToType(torch.Float32).Add(product) // (out, in)
		return w.Square().Sum(1).Sqrt()
	})
}

// Forward maps x (..., in) to W x + b + (c-1)·(W x') + c·s·B(A x') (..., out) with c = m/‖W +
// s·B·A‖ and x' the input after dropout (peft 0.21, tuners/lora/dora.py).
func (d *dora) Forward(x *torch.Tensor) *torch.Tensor {
	y := d.below.Forward(x)
	s := x.Scope()
	c := s.Attach(d.norm).Div(d.norms(s)) // (rows)
	dropped, wx := x.ToType(d.a.DType()), y
	if d.dropout > 0 && s.Mode().Dropout {
		dropped = dropped.Dropout(d.dropout)
		wx = (&nn.Dense{Weight: d.base.Weight}).Forward(dropped)
	} else if d.base.Bias != nil {
		wx = y.Sub(d.base.Bias)
	}
	add := c.AddScalar(-1).Mul(wx.ToType(d.a.DType())).Add(c.Mul(d.add(dropped)))
	return y.Add(add.ToType(y.DType()))
}

// merge returns W' and the unchanged bias.
func (d *dora) merge(rows rowRange, w, b *torch.Tensor) (*torch.Tensor, *torch.Tensor) {
	w, _ = d.lora.merge(rows, w, nil)
	c := rows.of(w.Scope().Attach(d.norm)).ToType(torch.Float64).Div(w.Square().Sum(1).Sqrt()) // (rows)
	return w.Mul(c.Unsqueeze(1)), b
}

func (d *dora) effect() effect { return replaces } // it depends on the weight below
