package torch

// Elementwise operations broadcast as in PyTorch.

// Add is t + u.
func (t *Tensor) Add(u *Tensor) *Tensor { return add.on(t, u) }

// Sub is t - u.
func (t *Tensor) Sub(u *Tensor) *Tensor { return sub.on(t, u) }

// Mul is t · u, element by element.
func (t *Tensor) Mul(u *Tensor) *Tensor { return mul.on(t, u) }

// Div is t / u, element by element.
func (t *Tensor) Div(u *Tensor) *Tensor { return div.on(t, u) }

// AddScalar is t + v.
func (t *Tensor) AddScalar(v float64) *Tensor { return addScalar.with(nil, []float64{v}, t) }

// MulScalar is t · v.
func (t *Tensor) MulScalar(v float64) *Tensor { return mulScalar.with(nil, []float64{v}, t) }

// Neg is -t.
func (t *Tensor) Neg() *Tensor { return t.MulScalar(-1) }

// Pow is t to the power v.
func (t *Tensor) Pow(v float64) *Tensor { return powScalar.with(nil, []float64{v}, t) }

// Square is t · t.
func (t *Tensor) Square() *Tensor { return mul.on(t, t) }

// ClampMin is the larger of t and v.
func (t *Tensor) ClampMin(v float64) *Tensor { return clampMin.with(nil, []float64{v}, t) }

// Abs is |t|.
func (t *Tensor) Abs() *Tensor { return abs.on(t) }

// Exp is e to the power t.
func (t *Tensor) Exp() *Tensor { return exp.on(t) }

// Log is the natural logarithm.
func (t *Tensor) Log() *Tensor { return log.on(t) }

// Sqrt is the square root.
func (t *Tensor) Sqrt() *Tensor { return sqrt.on(t) }

// RSqrt is 1/√t.
func (t *Tensor) RSqrt() *Tensor { return rsqrt.on(t) }

// Tanh is the hyperbolic tangent.
func (t *Tensor) Tanh() *Tensor { return tanh.on(t) }

// Sigmoid is 1/(1+e^-t).
func (t *Tensor) Sigmoid() *Tensor { return sigmoid.on(t) }

// ReLU is max(t, 0).
func (t *Tensor) ReLU() *Tensor { return relu.on(t) }

// SELU is the scaled exponential linear unit.
func (t *Tensor) SELU() *Tensor { return selu.on(t) }

// GELU is t·Φ(t) with the exact error function.
func (t *Tensor) GELU() *Tensor { return gelu.ints(t, 0) }

// GELUTanh is GELU with the tanh approximation.
func (t *Tensor) GELUTanh() *Tensor { return gelu.ints(t, 1) }

// GLU halves dimension d: the first half times the sigmoid of the second.
func (t *Tensor) GLU(d int) *Tensor { return glu.ints(t, d) }

// Gt is t > v, Bool.
func (t *Tensor) Gt(v float64) *Tensor { return gt.with(nil, []float64{v}, t) }

// Equal is t == u, Bool.
func (t *Tensor) Equal(u *Tensor) *Tensor { return equal.on(t, u) }

// Where takes a where the Bool tensor t is true, b elsewhere.
func (t *Tensor) Where(a, b *Tensor) *Tensor { return where.on(t, a, b) }

// MaskedFill is t with v where mask is true.
func (t *Tensor) MaskedFill(mask *Tensor, v float64) *Tensor {
	return maskedFill.with(nil, []float64{v}, t, mask)
}

// Sum adds over the given dimensions, or all, and drops them.
func (t *Tensor) Sum(dims ...int) *Tensor { return sum.ints(t, append([]int{0}, dims...)...) }

// SumKeep is Sum, keeping the dimensions with size 1.
func (t *Tensor) SumKeep(dims ...int) *Tensor { return sum.ints(t, append([]int{1}, dims...)...) }

// Mean averages over the given dimensions, or all, and drops them.
func (t *Tensor) Mean(dims ...int) *Tensor { return mean.ints(t, append([]int{0}, dims...)...) }

// MeanKeep is Mean, keeping the dimensions with size 1.
func (t *Tensor) MeanKeep(dims ...int) *Tensor { return mean.ints(t, append([]int{1}, dims...)...) }

// Max is the largest element over the given dimensions, which it drops.
func (t *Tensor) Max(dims ...int) *Tensor { return amax.ints(t, append([]int{0}, dims...)...) }

// ArgMax is the position of the largest element along d, Int64.
func (t *Tensor) ArgMax(d int) *Tensor { return argmax.ints(t, d) }

// CumSum is the running sum along d.
func (t *Tensor) CumSum(d int) *Tensor { return cumsum.ints(t, d) }

// Softmax is e^t divided by its sum along d.
func (t *Tensor) Softmax(d int) *Tensor { return softmax.ints(t, d) }

// LogSoftmax is the logarithm of Softmax.
func (t *Tensor) LogSoftmax(d int) *Tensor { return logSoftmax.ints(t, d) }

// MatMul is the matrix product, batched over leading dimensions.
func (t *Tensor) MatMul(u *Tensor) *Tensor { return matmul.on(t, u) }

// Linear is t·wᵀ + b: t (..., in), w (out, in), b (out) or nil.
func (t *Tensor) Linear(w, b *Tensor) *Tensor { return linear.on(t, w, b) }

// Eigh decomposes a symmetric (n, n) matrix: values (n) ascending, vectors (n, n) in columns.
func (t *Tensor) Eigh() (values, vectors *Tensor) {
	var out [2]handle
	home := eigh.many(out[:], nil, nil, []*Tensor{t})
	return home.own(out[0]), home.own(out[1])
}

// SVD is the thin singular value decomposition u·diag(s)·vh.
func (t *Tensor) SVD() (u, s, vh *Tensor) {
	var out [3]handle
	home := svd.many(out[:], nil, nil, []*Tensor{t})
	return home.own(out[0]), home.own(out[1]), home.own(out[2])
}

// QR is the thin QR decomposition.
func (t *Tensor) QR() (q, r *Tensor) {
	var out [2]handle
	home := qr.many(out[:], nil, nil, []*Tensor{t})
	return home.own(out[0]), home.own(out[1])
}

// Solve is x with t·x = b.
func (t *Tensor) Solve(b *Tensor) *Tensor { return solve.on(t, b) }

var (
	add, sub, mul, div        = kernel("add"), kernel("sub"), kernel("mul"), kernel("div")
	addScalar, mulScalar      = kernel("add_scalar"), kernel("mul_scalar")
	powScalar, clampMin       = kernel("pow_scalar"), kernel("clamp_min")
	abs, exp, log             = kernel("abs"), kernel("exp"), kernel("log")
	sqrt, rsqrt               = kernel("sqrt"), kernel("rsqrt")
	tanh, sigmoid, relu, selu = kernel("tanh"), kernel("sigmoid"), kernel("relu"), kernel("selu")
	gelu, glu                 = kernel("gelu"), kernel("glu")
	gt, equal                 = kernel("gt"), kernel("equal")
	where, maskedFill         = kernel("where"), kernel("masked_fill")
	sum, mean, amax           = kernel("sum"), kernel("mean"), kernel("amax")
	argmax, cumsum            = kernel("argmax"), kernel("cumsum")
	softmax, logSoftmax       = kernel("softmax"), kernel("log_softmax")
	matmul, linear            = kernel("matmul"), kernel("linear")
	eigh, svd, qr, solve      = kernel("eigh"), kernel("svd"), kernel("qr"), kernel("solve")
)
