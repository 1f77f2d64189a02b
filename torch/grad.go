package torch

// Backward adds the gradient of t, one element, to every tensor of its history that requires one.
func (t *Tensor) Backward() {
	s := t.scope(backward)
	s.check(backward)
	var err *Error
	if s.line != nil {
		err = s.line.backward(s, t)
	} else {
		err = backward.into(nil, args{flags: s.flags()}, t)
	}
	if err != nil {
		err.fail(t)
	}
}

// RequireGrad makes a leaf tensor collect gradients, or not.
func (t *Tensor) RequireGrad(on bool) *Tensor {
	i := int64(0)
	if on {
		i = 1
	}
	if err := requireGrad.into(nil, args{i: []int64{i}}, t); err != nil {
		err.fail(t)
	}
	return t
}

// RequiresGrad says whether gradients flow to t.
func (t *Tensor) RequiresGrad() bool { return t.ask(requiresGrad) != 0 }

// HasGrad says whether a gradient has arrived since the last ClearGrad.
func (t *Tensor) HasGrad() bool { return t.ask(hasGrad) != 0 }

// Grad is the gradient that has arrived at t, in scope s.
func (t *Tensor) Grad(s *Scope) *Tensor { return grad.on(s.Attach(t)) }

// ClearGrad forgets the gradients of all ts.
func ClearGrad(ts ...*Tensor) {
	if err := clearGrad.into(nil, args{}, ts...); err != nil {
		err.fail(ts...)
	}
}

// ScaleGrad multiplies the gradients of all ts by v, in a closure.
func ScaleGrad(v float64, ts ...*Tensor) { scaleGrad.change(args{f: []float64{v}}, ts...) }

// CopyFrom overwrites the elements of t, which may belong to an arena, with those of u, of the same shape. It runs in
// a closure.
func (t *Tensor) CopyFrom(u *Tensor) { copyInto.change(args{}, t, u) }

// SetData makes t, which may belong to an arena, hold the elements of u, of the same shape, without copying them; the
// type may become another. Who shares the old elements (Arena.Keep) goes on to have them. It runs in
// a closure, while nobody else uses t.
func (t *Tensor) SetData(u *Tensor) {
	setData.change(args{}, t, u)
	t.info = nil
	t.must()
}

// ClipGradNorm scales the gradients of ts so that their joint 2-norm is at most limit, and gives the norm before. It
// runs in a closure.
func ClipGradNorm(limit float64, ts ...*Tensor) float64 {
	var norm [1]float64
	clipGradNorm.change(args{f: []float64{limit}, buf: bytesOf(norm[:])}, ts...)
	return norm[0]
}

// AdamState is the memory of Adam for some parameters: per parameter its two moments, of its shape, and a count of
// steps, a Float32 scalar.
type AdamState struct {
	Params, First, Second, Steps []*Tensor
}

// AdamStep is one step of Adam (Kingma & Ba 2015), or AdamW where decoupled (Loshchilov & Hutter 2019), over all
// parameters that have a gradient, as torch.optim does it. It runs in a closure.
func AdamStep(st AdamState, lr, beta1, beta2, eps, decay float64, decoupled bool) {
	a := args{f: []float64{lr, beta1, beta2, eps, decay}, i: []int64{0}}
	if decoupled {
		a.i[0] = 1
	}
	var ts []*Tensor
	for _, list := range [][]*Tensor{st.Params, st.First, st.Second, st.Steps} {
		if len(list) != len(st.Params) {
			Failf(adam.name, "%d tensors of state for %d parameters", len(list), len(st.Params))
		}
		ts = append(ts, list...)
	}
	adam.change(a, ts...)
}

var (
	backward, grad            = kernel("backward"), kernel("grad")
	requireGrad, requiresGrad = kernel("require_grad"), kernel("requires_grad")
	hasGrad, clearGrad        = kernel("has_grad"), kernel("clear_grad")
	scaleGrad, copyInto       = kernel("scale_grad"), kernel("copy_")
	adam, clipGradNorm        = kernel("adam"), kernel("clip_grad_norm")
	setData                   = kernel("set_data")
)
