package torch

// Backward computes the gradient of t, which has one element, with respect to the tensors of its
// history that require one, and adds it to theirs.
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

// RequireGrad sets whether a leaf tensor collects gradients, and returns it.
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

// RequiresGrad reports whether gradients flow to t.
func (t *Tensor) RequiresGrad() bool { return t.ask(requiresGrad) != 0 }

// HasGrad reports whether t has got a gradient since the last ClearGrad.
func (t *Tensor) HasGrad() bool { return t.ask(hasGrad) != 0 }

// Grad returns the gradient of t as a tensor of s.
func (t *Tensor) Grad(s *Scope) *Tensor { return grad.on(s.Attach(t)) }

// ClearGrad removes the gradients of all ts.
func ClearGrad(ts ...*Tensor) {
	if err := clearGrad.into(nil, args{}, ts...); err != nil {
		err.fail(ts...)
	}
}

// CopyFrom overwrites the elements of t, which may belong to an arena, with those of u, of the same
// shape. It must run in a closure.
func (t *Tensor) CopyFrom(u *Tensor) { copyInto.change(args{}, t, u) }

// AddProduct adds the product of a, (n, k), and b, (k, m), to the elements of t, (n, m), which may belong to an arena.
// Nothing of its size is made beside it. It must run in a closure.
func (t *Tensor) AddProduct(a, b *Tensor) { addProduct.change(args{}, t, a, b) }

// SetData replaces the elements of t, which may belong to an arena, by those of u, of the same
// shape, without copying them. The type may change. Tensors that share the old elements (see
// Arena.Keep) keep them. SetData must run in a closure, while no other goroutine uses t.
func (t *Tensor) SetData(u *Tensor) {
	setData.change(args{}, t, u)
	t.info = nil
	t.must()
}

// AdamState is the state of Adam: for each parameter its first and second moments, of its shape,
// and its number of steps, a Float32 scalar.
type AdamState struct {
	Params, First, Second, Steps []*Tensor
}

// AdamStep updates all parameters that have a gradient by one step of Adam (Kingma and Ba 2015), or
// of AdamW if decoupled (Loshchilov and Hutter 2019), like torch.optim. It must run in a closure.
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
	copyInto, setData, adam   = kernel("copy_"), kernel("set_data"), kernel("adam")
	addProduct                = kernel("add_product")
)
