package torch

// Elementwise operations broadcast as in PyTorch.

// Add returns t + u.
func (t *Tensor) Add(u *Tensor) *Tensor { return add.on(t, u) }

// Sub returns t - u.
func (t *Tensor) Sub(u *Tensor) *Tensor { return sub.on(t, u) }

// Mul returns t · u, element by element.
func (t *Tensor) Mul(u *Tensor) *Tensor { return mul.on(t, u) }

// Div returns t / u, element by element.
func (t *Tensor) Div(u *Tensor) *Tensor { return div.on(t, u) }

// AddScalar returns t + v.
func (t *Tensor) AddScalar(v float64) *Tensor { return addScalar.with(nil, []float64{v}, t) }

// MulScalar returns t · v.
func (t *Tensor) MulScalar(v float64) *Tensor { return mulScalar.with(nil, []float64{v}, t) }

// Neg returns -t.
func (t *Tensor) Neg() *Tensor { return t.MulScalar(-1) }

// Square returns t · t.
func (t *Tensor) Square() *Tensor { return mul.on(t, t) }

// ClampMin returns the larger of t and v, element by element.
func (t *Tensor) ClampMin(v float64) *Tensor { return clampMin.with(nil, []float64{v}, t) }

// Exp returns e to the power t.
func (t *Tensor) Exp() *Tensor { return exp.on(t) }

// Sqrt returns the square root.
func (t *Tensor) Sqrt() *Tensor { return sqrt.on(t) }

// RSqrt returns 1/√t.
func (t *Tensor) RSqrt() *Tensor { return rsqrt.on(t) }

// Tanh returns the hyperbolic tangent.
func (t *Tensor) Tanh() *Tensor { return tanh.on(t) }

// Sigmoid returns 1/(1+e^-t).
func (t *Tensor) Sigmoid() *Tensor { return sigmoid.on(t) }

// ReLU returns max(t, 0).
func (t *Tensor) ReLU() *Tensor { return relu.on(t) }

// SELU returns the scaled exponential linear unit of t.
func (t *Tensor) SELU() *Tensor { return selu.on(t) }

// GELU returns t·Φ(t) with the exact error function.
func (t *Tensor) GELU() *Tensor { return gelu.ints(t, 0) }

// GELUTanh returns GELU with the tanh approximation.
func (t *Tensor) GELUTanh() *Tensor { return gelu.ints(t, 1) }

// Gt returns t > v as a Bool tensor.
func (t *Tensor) Gt(v float64) *Tensor { return gt.with(nil, []float64{v}, t) }

// Where returns a where the Bool tensor t is true and b elsewhere.
func (t *Tensor) Where(a, b *Tensor) *Tensor { return where.on(t, a, b) }

// MaskedFill returns t with v where mask is true.
func (t *Tensor) MaskedFill(mask *Tensor, v float64) *Tensor {
	return maskedFill.with(nil, []float64{v}, t, mask)
}

// Sum returns the sum over the given dimensions, all if none is given, and drops them.
func (t *Tensor) Sum(dims ...int) *Tensor { return sum.ints(t, append([]int{0}, dims...)...) }

// SumKeep is Sum with the dimensions kept at size 1.
func (t *Tensor) SumKeep(dims ...int) *Tensor { return sum.ints(t, append([]int{1}, dims...)...) }

// Mean returns the mean over the given dimensions, all if none is given, and drops them.
func (t *Tensor) Mean(dims ...int) *Tensor { return mean.ints(t, append([]int{0}, dims...)...) }

// MeanKeep is Mean with the dimensions kept at size 1.
func (t *Tensor) MeanKeep(dims ...int) *Tensor { return mean.ints(t, append([]int{1}, dims...)...) }

// Softmax returns e^t divided by its sum along d.
func (t *Tensor) Softmax(d int) *Tensor { return softmax.ints(t, d) }

// LogSoftmax returns the logarithm of Softmax.
func (t *Tensor) LogSoftmax(d int) *Tensor { return logSoftmax.ints(t, d) }

// MatMul returns the matrix product, batched over leading dimensions.
func (t *Tensor) MatMul(u *Tensor) *Tensor { return matmul.on(t, u) }

// Linear returns t·wᵀ + b: t (..., in), w (out, in), b (out) or nil.
func (t *Tensor) Linear(w, b *Tensor) *Tensor { return linear.on(t, w, b) }

// Eigh returns the eigenvalues (n), ascending, and the eigenvectors (n, n), in columns, of a
// symmetric (n, n) matrix.
func (t *Tensor) Eigh() (values, vectors *Tensor) {
	var out [2]handle
	home := eigh.many(out[:], nil, nil, []*Tensor{t})
	return home.own(out[0]), home.own(out[1])
}

// SVD returns the thin singular value decomposition t = u·diag(s)·vh.
func (t *Tensor) SVD() (u, s, vh *Tensor) {
	var out [3]handle
	home := svd.many(out[:], nil, nil, []*Tensor{t})
	return home.own(out[0]), home.own(out[1]), home.own(out[2])
}

// CholeskyInverse returns the inverse of a symmetric positive definite (n, n) matrix.
func (t *Tensor) CholeskyInverse() *Tensor { return choleskyInverse.on(t) }

// QR returns the thin QR decomposition t = q·r.
func (t *Tensor) QR() (q, r *Tensor) {
	var out [2]handle
	home := qr.many(out[:], nil, nil, []*Tensor{t})
	return home.own(out[0]), home.own(out[1])
}

var (
	add, sub, mul, div        = kernel("add"), kernel("sub"), kernel("mul"), kernel("div")
	addScalar, mulScalar      = kernel("add_scalar"), kernel("mul_scalar")
	clampMin, exp             = kernel("clamp_min"), kernel("exp")
	sqrt, rsqrt               = kernel("sqrt"), kernel("rsqrt")
	tanh, sigmoid, relu, selu = kernel("tanh"), kernel("sigmoid"), kernel("relu"), kernel("selu")
	gelu, gt                  = kernel("gelu"), kernel("gt")
	where, maskedFill         = kernel("where"), kernel("masked_fill")
	sum, mean                 = kernel("sum"), kernel("mean")
	softmax, logSoftmax       = kernel("softmax"), kernel("log_softmax")
	matmul, linear            = kernel("matmul"), kernel("linear")
	eigh, svd, qr             = kernel("eigh"), kernel("svd"), kernel("qr")
	choleskyInverse           = kernel("cholesky_inverse")
)
