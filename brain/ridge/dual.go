package ridge

import (
	"context"

	"github.com/brainwavlm/bwlm/torch"
)

// kernel is what all fits of dual coefficients to the same features share.
type kernel struct {
	k      []float64 // (rows, rows)
	toMean []float64 // (rows) products of the rows of the features, centred, with their means
}

// newKernel goes over the features.
func (f *fit) newKernel(ctx context.Context) (*kernel, error) {
	k, err := f.x.kernel(ctx, f.opt.Device, f.x.data)
	if err != nil {
		return nil, err
	}
	toMean, err := f.x.meanProducts(ctx, f.opt.Device)
	f.count(2, f.x.rows, f.x.cols, f.x.rows)
	return &kernel{k, toMean}, err
}

// newKernelFold is newFold from the kernel of all rows.
func (f *fit) newKernelFold(s *torch.Scope, fd fold) *fold {
	f.cost.Operations += f.ownFold(len(fd.train), len(fd.held))
	return f.decompose(s, fd, func(s *torch.Scope) (*basis, *torch.Tensor) {
		kt, kh := foldKernels(s, f.kernel.k, f.x.rows, fd.train, fd.held, f.x.centred)
		b := f.newKernelBasis(kt)
		return b, kh.MulScalar(f.scale * f.scale).MatMul(b.q)
	})
}

// newKernelBasis decomposes a kernel that was made of the kernel of all rows, whose rounding it has: where the features
// are constant in the rows of a fold nothing else is left.
func (f *fit) newKernelBasis(part *torch.Tensor) *basis {
	b, square := &basis{dual: true}, f.scale*f.scale
	b.q = part.Scoped(func(k *torch.Tensor) *torch.Tensor {
		values, q := k.MulScalar(square).Eigh()
		b.values = values.Float64s()
		return q
	})
	b.onto = b.q
	largest := b.largest()
	for row := range f.x.rows {
		largest = max(largest, square*f.kernel.k[row*f.x.rows+row])
	}
	const sums = 8 // of products of features, and of means
	b.round(sums * largest)
	return b
}

// coefficients fits dual coefficients to all rows, for the voxels from ≤ v < to, each with its penalty. The model
// begins with voxel first.
func (f *fit) coefficients(last *lastFit, y *responses, from, to int, model *Model, first int) {
	n, rows := to-from, f.x.rows
	voxels, lambdas := make([]int, n), make([]int, n)
	for i := range voxels {
		voxels[i], lambdas[i] = from+i, f.best[y.first+from+i].lambda
	}
	whole, unit := f.wholeColumns(y, voxels, model, first)
	offset := make([]float64, n) // the prediction from the mean features
	a := elementsOf(last.shrink, (*torch.Tensor).Float64s, func(d *torch.Tensor) *torch.Tensor {
		s, b := d.Scope(), last.basis
		z := s.FromFloat64(whole, n, rows).MatMul(b.onto).Mul(d.IndexSelect(0, lambdas)) // (V, K)
		w := z.MatMul(b.q.Transpose(0, 1)).Mul(s.FromFloat64(unit, n, 1))                // (V, rows)
		w = w.MulScalar(f.scale * f.scale)
		copy(offset, w.MatMul(s.FromFloat64(f.kernel.toMean, rows, 1)).Float64s())
		return w.Transpose(0, 1).Contiguous() // (rows, V)
	})
	for k, v := range voxels {
		model.Intercept[v-first] = model.voxelMean[v-first] - offset[k]
	}
	for row := range rows {
		copy(model.Dual[row*model.Voxels+from-first:], a[row*n:(row+1)*n])
	}
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
		for first, last := range blocks(0, m.Voxels, m.predictedVoxels(to-from)) {
			w := elementsOf(x, (*torch.Tensor).Float32s, func(x *torch.Tensor) *torch.Tensor {
				return x.MatMul(m.dualBlock(x.Scope(), first, last)).ToType(torch.Float32)
			})
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
