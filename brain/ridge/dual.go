package ridge

import (
	"context"
	"math"

	"github.com/brainwavlm/bwlm/torch"
)

// fitDual chooses the penalties and fits dual coefficients, from the kernel alone. Without folds the penalties are
// given.
func (f *fit) fitDual(ctx context.Context, folds [][]int) (*Model, error) {
	f.cost.Form = Kernel
	k, err := f.x.kernel(ctx, f.opt.Device, f.x.data)
	if err != nil {
		return nil, err
	}
	f.count(2, f.x.rows, f.x.cols, f.x.rows)
	if folds != nil {
		f.unscored()
		scores := make([]float64, len(f.opt.Lambdas)*f.y.voxels)
		for _, held := range folds {
			err := onTensors(ctx, f.opt.Device, func(s *torch.Scope) error {
				return f.scoreFold(s, f.newKernelFold(s, k, held), 1/float64(len(folds)), scores)
			})
			if err != nil {
				return nil, err
			}
			train := f.x.rows - len(held)
			f.count(2*9, train, train, 2*train)
			f.count(2, len(held), train, train)
			f.count(1, f.y.voxels, train, train)
			f.count(float64(len(f.opt.Lambdas)), f.y.voxels, train, len(held))
			f.progress(len(folds))
		}
		if f.opt.SingleAlpha {
			f.chooseCommon(0, scores, math.Inf(-1))
		} else {
			f.choose(0, scores, 0)
		}
	}
	model := f.model()
	model.Dual, model.train = make([]float64, f.x.rows*f.y.voxels), f.x
	offset, err := f.x.meanProducts(ctx, f.opt.Device)
	if err != nil {
		return nil, err
	}
	err = onTensors(ctx, f.opt.Device, func(s *torch.Scope) error { return f.solveDual(s, k, offset, model) })
	if err != nil {
		return nil, err
	}
	n := f.x.rows
	f.count(2*9, n, n, 2*n)
	f.count(2*2, f.y.voxels, n, n)
	return f.describe(model, folds != nil), nil
}

// newKernelFold is newFold from the kernel of all rows.
func (f *fit) newKernelFold(s *torch.Scope, k []float64, held []int) *fold {
	fd := &fold{train: trainingRows(held, f.x.rows), held: held, centre: f.x.centred, metric: f.opt.Metric}
	f.decompose(s, fd, func(s *torch.Scope) (*basis, *torch.Tensor) {
		kt, kh := foldKernels(s, k, f.x.rows, fd.train, held, f.x.centred)
		b := f.newKernelBasis(kt, k)
		return b, kh.MulScalar(f.scale * f.scale).MatMul(b.q)
	})
	return fd
}

// newKernelBasis decomposes a kernel that was made of the kernel of all rows, whose rounding it has: where the features
// are constant in the rows of a fold nothing else is left.
func (f *fit) newKernelBasis(part *torch.Tensor, all []float64) *basis {
	b, square := &basis{dual: true}, f.scale*f.scale
	b.q = part.Scoped(func(k *torch.Tensor) *torch.Tensor {
		values, q := k.MulScalar(square).Eigh()
		b.values = values.Float64s()
		return q
	})
	b.onto = b.q
	largest := b.largest()
	for row := range f.x.rows {
		largest = max(largest, square*all[row*f.x.rows+row])
	}
	const sums = 8 // of products of features, and of means
	b.round(sums * largest)
	return b
}

// solveDual fits the coefficients to all rows, each voxel with its penalty. offset are the products of the rows of the
// features with their means.
func (f *fit) solveDual(s *torch.Scope, k, offset []float64, model *Model) error {
	rows := f.x.rows
	b := f.newKernelBasis(s.FromFloat64(k, rows, rows), k)
	var table []float64
	for _, lambda := range f.opt.Lambdas {
		table = append(table, b.shrink(lambda*f.scale*f.scale, 1)...)
	}
	shrink := s.FromFloat64(table, len(f.opt.Lambdas), len(b.values)) // (penalties, K)
	toMean := s.FromFloat64(offset, rows, 1)
	for from, to := range f.y.blocks((f.blockVoxels + 1) / 2) {
		voxels, lambdas := make([]int, to-from), make([]int, to-from)
		for i := range voxels {
			voxels[i], lambdas[i] = from+i, f.best[from+i].lambda
		}
		block, err := f.y.read(from, to)
		if err != nil {
			return err
		}
		y, unit := f.wholeColumns(block, from, voxels, model)
		means := make([]float64, len(voxels))
		a := shrink.Scoped(func(d *torch.Tensor) *torch.Tensor {
			s := d.Scope()
			z := s.FromFloat64(y, len(voxels), rows).MatMul(b.onto).Mul(d.IndexSelect(0, lambdas)) // (V, K)
			a := z.MatMul(b.q.Transpose(0, 1)).Mul(s.FromFloat64(unit, len(unit), 1))              // (V, rows)
			a = a.MulScalar(f.scale * f.scale)
			copy(means, a.MatMul(toMean).Float64s())
			return a.Transpose(0, 1).Contiguous() // (rows, V)
		}).Float64s()
		for i, v := range voxels {
			model.Intercept[v] = model.voxelMean[v] - means[i]
		}
		for row := range rows {
			copy(model.Dual[row*model.Voxels+from:], a[row*len(voxels):(row+1)*len(voxels)])
		}
	}
	return nil
}

// ReadWeights fills out with the weights of the features from ≤ i < to, (to-from, voxels), in the units of features and
// responses. A model with dual coefficients computes them.
func (m *Model) ReadWeights(ctx context.Context, from, to int, out []float32) error {
	if m.Dual == nil {
		copy(out, m.Weights[from*m.Voxels:to*m.Voxels])
		return nil
	}
	return onTensors(ctx, m.device, func(s *torch.Scope) error {
		x := m.train.columns(s, m.train.data, from, to).Transpose(0, 1) // (features, rows)
		for first, last := range m.blocks(max(m.train.rows, to-from)) {
			w := x.Scoped(func(x *torch.Tensor) *torch.Tensor {
				return x.MatMul(m.dualBlock(x.Scope(), first, last)).ToType(torch.Float32)
			}).Float32s()
			for i := range to - from {
				copy(out[i*m.Voxels+first:], w[i*(last-first):(i+1)*(last-first)])
			}
		}
		return nil
	})
}

// dualBlock returns the dual coefficients of the voxels from ≤ v < to, (rows, to-from).
func (m *Model) dualBlock(s *torch.Scope, from, to int) *torch.Tensor {
	a := make([]float64, 0, m.train.rows*(to-from))
	for row := range m.train.rows {
		a = append(a, m.Dual[row*m.Voxels+from:row*m.Voxels+to]...)
	}
	return s.FromFloat64(a, m.train.rows, to-from)
}
