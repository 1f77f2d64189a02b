package ridge

import "github.com/brainwavlm/bwlm/torch"

// basis is the part that all ridge solutions of one X, (rows, features), share: the eigenvectors Q,
// (·, K), and eigenvalues μ, (K), of XᵀX, or of XXᵀ if that is smaller. With D = diag(1/(μ+λ)) the
// weights are
//
//	Q·D·(XQ)ᵀ·Y  or  Xᵀ·Q·D·Qᵀ·Y
//
// All tensors are Float64.
type basis struct {
	x      *torch.Tensor // if dual
	q      *torch.Tensor
	onto   *torch.Tensor // (rows, K): XQ, or Q
	dual   bool          // the decomposition is of XXᵀ
	values []float64     // μ, ascending; 0 within the rounding of the decomposition, K·ε times the largest
}

// newBasis decomposes the features that x makes, (rows, features). It makes them twice rather than keep them.
func newBasis(s *torch.Scope, rows, features int, x func(*torch.Scope) *torch.Tensor) *basis {
	b := &basis{dual: rows < features}
	if b.dual {
		b.x = x(s)
	}
	b.q = s.Frozen(func(s *torch.Scope) *torch.Tensor {
		values, q := s.Frozen(func(s *torch.Scope) *torch.Tensor {
			if b.dual {
				return gram(s.Attach(b.x), true)
			}
			return gram(x(s), false)
		}).Eigh()
		b.values = values.Float64s()
		return q
	})
	b.onto = b.q
	if !b.dual {
		b.onto = s.Frozen(func(s *torch.Scope) *torch.Tensor { return x(s).MatMul(b.q) })
	}
	b.round(b.largest())
	return b
}

// round sets the values to 0 that are within the rounding of the decomposition of a matrix of a size.
func (b *basis) round(size float64) {
	const epsilon = 0x1p-52
	rounding := epsilon * float64(len(b.values)) * size
	for i, value := range b.values {
		if value <= rounding {
			b.values[i] = 0
		}
	}
}

// gram returns XᵀX, or XXᵀ if dual.
func gram(x *torch.Tensor, dual bool) *torch.Tensor {
	return x.Scoped(func(x *torch.Tensor) *torch.Tensor {
		if dual {
			return x.MatMul(x.Transpose(0, 1)) // (rows, rows)
		}
		return x.Transpose(0, 1).MatMul(x) // (features, features)
	})
}

// project returns E, (N, K), for the features of other rows, (N, features). Their predictions are
// E·D·Z with Z = ontoᵀ·Y.
func (b *basis) project(x *torch.Tensor) *torch.Tensor {
	if b.dual {
		x = x.MatMul(b.x.Transpose(0, 1)) // (N, rows)
	}
	return x.MatMul(b.q)
}

// weights returns the weights, (features, V), for D·Z, (K, V).
func (b *basis) weights(dz *torch.Tensor) *torch.Tensor {
	w := b.q.MatMul(dz)
	if b.dual {
		w = b.x.Transpose(0, 1).MatMul(w)
	}
	return w
}

// shrink returns the diagonal of D, (K), times a factor. Directions with μ = 0 get 0 for every
// penalty.
func (b *basis) shrink(lambda, factor float64) []float64 {
	d := make([]float64, len(b.values))
	for k, value := range b.values {
		if value > 0 {
			d[k] = factor / (value + lambda)
		}
	}
	return d
}

// largest returns the largest μ.
func (b *basis) largest() float64 { return b.values[len(b.values)-1] }
