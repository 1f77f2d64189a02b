package ridge

import (
	"context"
	"math"

	"github.com/brainwavlm/bwlm/torch"
)

// fitSums chooses the penalties by cross-validation from sums and fits the weights with them, a block of voxels at a
// time: the responses are read once, or twice if all voxels have one penalty.
func (f *fit) fitSums(ctx context.Context, folds [][]int) (*Model, error) {
	f.cost.Form = Sums
	f.unscored()
	model := f.model()
	err := onTensors(ctx, f.opt.Device, func(s *torch.Scope) error {
		d := f.newDirections(s, folds)
		each := make([]*foldSums, len(folds))
		for number := range folds {
			each[number] = f.newFoldSums(s, d, number)
			f.cost.Condition = max(f.cost.Condition, each[number].condition)
		}
		if !f.opt.SingleAlpha {
			return f.eachBlock(s, d, 1, func(m *measured, from int) {
				f.choose(0, f.scoreSums(s, d, each, m), from)
				f.weigh(s, d, m, from, model)
			})
		}
		scores := make([]float64, len(f.opt.Lambdas)*f.y.voxels)
		err := f.eachBlock(s, d, 2, func(m *measured, from int) {
			found, voxels := f.scoreSums(s, d, each, m), len(m.mean)
			for a := range f.opt.Lambdas {
				copy(scores[a*f.y.voxels+from:], found[a*voxels:(a+1)*voxels])
			}
		})
		if err != nil {
			return err
		}
		f.chooseCommon(0, scores, math.Inf(-1))
		return f.eachBlock(s, d, 2, func(m *measured, from int) { f.weigh(s, d, m, from, model) })
	})
	if err != nil {
		return nil, err
	}
	return f.describe(model, true), nil
}

// eachBlock measures all voxels, a block at a time; it is one of a number of passes.
func (f *fit) eachBlock(s *torch.Scope, d *directions, passes int, do func(m *measured, from int)) error {
	step := f.sumVoxels(len(d.patterns))
	blocks := passes * ((f.y.voxels + step - 1) / step)
	for from, to := range f.y.blocks(step) {
		block, err := f.y.read(from, to)
		if err != nil {
			return err
		}
		do(f.measure(s, d, block), from)
		f.progress(blocks)
	}
	return nil
}

// weigh fits the weights of a block of voxels to all rows, which are centred: so are directions and responses.
func (f *fit) weigh(s *torch.Scope, d *directions, m *measured, from int, model *Model) {
	n := len(m.mean)
	voxels, lambdas := make([]int, n), make([]int, n)
	for v := range voxels {
		voxels[v], lambdas[v] = from+v, f.best[from+v].lambda
		model.voxelMean[from+v] = m.mean[v]
	}
	var table []float64
	for _, lambda := range f.opt.Lambdas {
		for _, size := range d.size {
			table = append(table, size*size/(float64(f.x.rows)*size*size+lambda*f.scale*f.scale))
		}
	}
	offset := make([]float64, n)
	weights := d.from.Scoped(func(from *torch.Tensor) *torch.Tensor {
		s := from.Scope()
		shrink := s.FromFloat64(table, len(f.opt.Lambdas), len(d.size)).IndexSelect(0, lambdas)
		c := m.products.ToType(torch.Float64).Sum(0).Mul(shrink) // (V, K)
		w := from.MatMul(c.Transpose(0, 1)).Mul(s.FromFloat64(f.x.factor, f.x.cols, 1)).Mul(s.FromFloat64(m.unit, n))
		copy(offset, s.FromFloat64(f.x.mean, 1, f.x.cols).MatMul(w).Float64s())
		return w.ToType(torch.Float32)
	}).Float32s()
	f.count(2, f.x.cols, len(d.size), n)
	model.store(voxels, weights, offset)
}

// scoreSums returns the scores of a block of voxels, (penalties, V), as the mean over folds.
func (f *fit) scoreSums(s *torch.Scope, d *directions, folds []*foldSums, m *measured) []float64 {
	voxels := len(m.mean)
	scores := make([]float64, len(f.opt.Lambdas)*voxels)
	for _, fd := range folds {
		targets, y := fd.targets(d, m, f.x.centred)
		sums := s.Frozen(func(s *torch.Scope) *torch.Tensor {
			z := fd.products(s, d, m, y, training).Linear(fd.e, nil)
			u := fd.products(s, d, m, y, heldOut).Linear(fd.e, nil)
			var each []*torch.Tensor
			for _, shrink := range fd.shrink {
				each = append(each, z.Scoped(func(z *torch.Tensor) *torch.Tensor {
					dz := z.Mul(shrink)
					return torch.Stack(0, dz.Mul(u).Sum(1), fd.squares(dz), dz.Linear(fd.apart, nil).Squeeze(1))
				}))
			}
			return torch.Cat(0, each...)
		}).Float32s()
		k := len(d.size)
		f.count(2, voxels, k, k)
		for i, from := range fd.steps {
			f.count(float64(len(fd.shrink)), voxels, fd.r[i].Dim(0), k-from)
		}
		for a, factor := range fd.factor {
			for v, t := range targets {
				at := func(i int) float64 { return float64(sums[(3*a+i)*voxels+v]) }
				product := 0.0
				if t.norm > 0 {
					product = at(0) / t.norm
				}
				scores[a*voxels+v] += t.score(f.opt.Metric, product, math.Sqrt(at(1)), at(2), factor,
					float64(fd.rows[heldOut])) / float64(len(folds))
			}
		}
	}
	return scores
}

// targets describes the voxels in a fold, with their means over the training and the held-out rows, (V).
func (fd *foldSums) targets(d *directions, m *measured, centre bool) (out []target, means [2][]float64) {
	out = make([]target, len(m.mean))
	means = [2][]float64{make([]float64, len(out)), make([]float64, len(out))}
	for v := range out {
		var sum, squares [2]float64
		var low, high [2]float32
		for part := range low {
			low[part], high[part] = float32(math.Inf(1)), float32(math.Inf(-1))
		}
		for p, pattern := range d.patterns {
			part := training
			if pattern.held[fd.number] {
				part = heldOut
			}
			sum[part] += m.sum[p][v]
			squares[part] += m.squares[p][v]
			low[part], high[part] = min(low[part], m.low[p][v]), max(high[part], m.high[p][v])
		}
		for part := range sum {
			means[part][v] = sum[part] / float64(fd.rows[part])
		}
		if !centre {
			means[training][v] = 0
		}
		norm := math.Sqrt(max(0, squares[heldOut]-sum[heldOut]*means[heldOut][v]))
		if low[training] == high[training] || low[heldOut] == high[heldOut] || norm == 0 || squares[training] == 0 {
			out[v] = target{constant: true}
			continue
		}
		out[v] = target{norm: norm, offset: means[heldOut][v] - means[training][v]}
	}
	return out, means
}

// products returns C of the training or the held-out rows about their means, (V, K).
func (fd *foldSums) products(s *torch.Scope, d *directions, m *measured, means [2][]float64, part int) *torch.Tensor {
	var sum *torch.Tensor
	for p, pattern := range d.patterns {
		if pattern.held[fd.number] != (part == heldOut) {
			continue
		}
		c := m.products.Select(0, p)
		if sum == nil {
			sum = c
		} else {
			sum = sum.Add(c)
		}
	}
	y := s.FromFloat64(means[part], len(means[part]), 1).MulScalar(-float64(fd.rows[part]))
	less := y.MatMul(s.FromFloat64(fd.means[part], 1, len(fd.means[part])))
	return sum.Add(less.ToType(torch.Float32))
}

// squares returns ‖R·dz‖² of each row of dz, (V, K).
func (fd *foldSums) squares(dz *torch.Tensor) *torch.Tensor {
	var sum *torch.Tensor
	for i, from := range fd.steps {
		part := dz.Scoped(func(dz *torch.Tensor) *torch.Tensor {
			return dz.Narrow(1, from, dz.Dim(1)-from).Linear(fd.r[i], nil).Square().Sum(1)
		})
		if sum == nil {
			sum = part
		} else {
			sum = sum.Add(part)
		}
	}
	return sum
}
