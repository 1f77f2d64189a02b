package ridge

import (
	"math"

	"github.com/brainwavlm/bwlm/torch"
)

// The penalties are compared in all folds with one decomposition, of the features of all rows, which the last fit needs
// anyway. With X = U·√M·Vᵀ, the t rows T that a fold trains on and the h rows H that it holds out, D = M/(M+λ), and
//
//	W = [U_H; h/√t·u]    u = the mean of the rows of U_H    G = (I - W·D·Wᵀ)⁻¹·W·D
//
// the predictions of the held-out rows, less the mean of the training responses Y_T, are
//
//	(G_H + g/√t)·U_Tᵀ·Y_T
//
// where g is the last row of G. It is Woodbury's identity for the weights of the directions U, since the Gram matrix of
// the training rows about their mean is I - WᵀW. Without an intercept there is no last row. The residuals of
// leave-one-out cross-validation, (y - ŷ)/(1 - S), are the case of a single row.
//
// The inverse multiplies the rounding of the products; its gain is by how much in the root mean square, since the
// rounding has random signs. It is large where a penalty is small beside what the training rows alone have of a
// direction. So the products are float64 where the gain exceeds singleGain: above it r would be off by more than about
// 1e-6. A fold whose smallest penalty has a gain above doubleGain, where the rounding of the responses tells as much,
// or is less than leastPenalty of the largest eigenvalue, has a decomposition of its training rows.
const (
	singleGain   = 10
	doubleGain   = 1000
	leastPenalty = 1e-7
	inverseGain  = 2 // below which also the inverses of larger penalties are float32
)

// onlyFolds says whether all folds of tests share the decomposition; nil: if that takes fewer operations.
var onlyFolds *bool

// newFolds returns what scores the penalties on some held-out rows, each penalty once.
func (f *fit) newFolds(s *torch.Scope, of *decomposed, held []int) []*fold {
	fd := fold{train: trainingRows(held, f.x.rows), held: held, centre: f.x.centred, metric: f.opt.Metric}
	if folds := f.sharedFolds(s, of.basis, fd); folds != nil {
		return folds
	}
	if f.kernel != nil {
		return []*fold{f.newKernelFold(s, fd)}
	}
	return []*fold{f.newFold(s, fd, of.scales)}
}

// sharedFolds returns what scores the penalties with the decomposition of all rows: those with float32 products, and
// those with float64 products. It returns nil if a decomposition of the training rows is cheaper, or needed.
func (f *fit) sharedFolds(s *torch.Scope, all *basis, fd fold) (folds []*fold) {
	t, h := len(fd.train), len(fd.held)
	share := f.shares(h)
	if onlyFolds != nil {
		share = *onlyFolds
	}
	if !share || f.opt.Lambdas[0]*f.scale*f.scale < leastPenalty*all.largest() {
		return nil
	}
	w := s.Frozen(func(s *torch.Scope) *torch.Tensor {
		u := all.directions(s, fd.held)
		if !f.x.centred {
			return u
		}
		return torch.Cat(0, u, u.MeanKeep(0).MulScalar(float64(h)/math.Sqrt(float64(t))))
	})
	if !all.varies(w) {
		return nil
	}
	single, double := fd, fd
	for a, lambda := range f.opt.Lambdas {
		g, factor, gain := f.leaveOut(s, all, w, lambda*f.scale*f.scale, fd)
		f.cost.Operations += sharedFold(h, len(all.values), 1)
		if gain > doubleGain { // at the smallest penalty, if anywhere
			return nil
		}
		if gain < inverseGain {
			w = w.ToType(torch.Float32)
		}
		to := &double
		if g.DType() == torch.Float32 {
			to = &single
		}
		to.candidates = append(to.candidates, candidate{lambda: a, factor: factor, spread: g.Narrow(0, 0, h),
			mean: g.Narrow(0, h, 1)})
	}
	for _, fd := range []*fold{&single, &double} {
		if len(fd.candidates) > 0 {
			fd.onto = s.Frozen(func(s *torch.Scope) *torch.Tensor {
				return all.directions(s, fd.train).ToType(fd.candidates[0].spread.DType())
			}).Transpose(0, 1)
			folds = append(folds, fd)
		}
	}
	return folds
}

// leaveOut returns G_H + g/√t of a penalty, times a factor, centred over the held-out rows and followed by those means,
// (h+1, K), Float32 or Float64, and the gain of the inverse.
func (f *fit) leaveOut(s *torch.Scope, all *basis, w *torch.Tensor, lambda float64, fd fold) (*torch.Tensor, float64,
	float64) {
	h, m, gain := len(fd.held), w.Dim(0), 0.0
	factor := (all.largest() + lambda) / all.largest()
	d := make([]float64, len(all.values))
	for k, value := range all.values {
		d[k] = value / (value + lambda)
	}
	return s.Frozen(func(s *torch.Scope) *torch.Tensor {
		w := s.Attach(w)
		wd := w.Mul(s.FromFloat64(d, len(d)).ToType(w.DType()))
		inverse := s.FromFloat64(identity(m), m, m).ToType(w.DType()).Sub(wd.Linear(w, nil)).CholeskyInverse()
		gain = math.Sqrt(inverse.Square().Sum().Item() / float64(m))
		if gain <= singleGain {
			inverse, wd = inverse.ToType(torch.Float32), wd.ToType(torch.Float32)
		}
		g := inverse.MulScalar(factor).MatMul(wd)
		p := g.Narrow(0, 0, h)
		if m > h {
			p = p.Add(g.Narrow(0, h, 1).MulScalar(1 / math.Sqrt(float64(len(fd.train)))))
		}
		mean := p.MeanKeep(0)
		return torch.Cat(0, p.Sub(mean), mean)
	}), factor, gain
}

// directions returns some rows of U, (rows, K); those of directions that are rounding are 0.
func (b *basis) directions(s *torch.Scope, rows []int) *torch.Tensor {
	scale := make([]float64, len(b.values))
	for k, value := range b.values {
		if value > 0 {
			scale[k] = 1
			if !b.dual {
				scale[k] = 1 / math.Sqrt(value)
			}
		}
	}
	return s.Frozen(func(s *torch.Scope) *torch.Tensor {
		return s.Attach(b.onto).IndexSelect(0, rows).Mul(s.FromFloat64(scale, len(scale)))
	})
}

// varies reports whether the features vary in the training rows, about which w is told, by more than rounding.
func (b *basis) varies(w *torch.Tensor) bool {
	const epsilon = 0x1p-52
	out := elementsOf(w, (*torch.Tensor).Float64s, func(w *torch.Tensor) *torch.Tensor { return w.Square().Sum(0) })
	all, training := 0.0, 0.0
	for k, value := range b.values {
		all, training = all+value, training+value*(1-out[k])
	}
	return training > epsilon*float64(len(b.values)+w.Dim(0))*all
}

func identity(n int) []float64 {
	out := make([]float64, n*n)
	for i := range n {
		out[i*n+i] = 1
	}
	return out
}
