package ridge

import (
	"context"
	"math"

	"github.com/brainwavlm/bwlm/torch"
)

// fitSums chooses the penalties by cross-validation from sums and fits the weights with them, a group of voxels at a
// time: the responses of a group are read once, or twice if all voxels have one penalty and there are several groups.
func (f *fit) fitSums(ctx context.Context, folds [][]int, use Use) error {
	f.cost.Form = Sums
	f.unscored()
	return onTensors(ctx, f.opt.Device, func(s *torch.Scope) error {
		d := f.newDirections(s, folds)
		each := make([]*foldSums, len(folds))
		for number := range folds {
			each[number] = f.newFoldSums(s, d, number)
			f.cost.Condition = max(f.cost.Condition, each[number].condition)
		}
		d.all.gram, d.held, f.x.data = nil, nil, nil // nothing needs them any more, and they are large
		p := &pass{fit: f, directions: d, folds: len(folds), share: shareOf(folds, f.x.rows)}
		for _, share := range sharesOf(d.in, len(folds), 0, f.x.rows) {
			p.has = append(p.has, len(share.rows) > 0)
		}
		defer p.close()
		if f.opt.SingleAlpha {
			scores := make([]float64, len(f.opt.Lambdas)*f.voxels)
			err := p.eachBlock(s, func(s *torch.Scope, _ int, b *block, first int) error {
				f.placeScores(scores, f.scoreSums(s, d, each, b), first)
				return nil
			})
			if err != nil {
				return err
			}
			f.chooseCommon(0, scores, math.Inf(-1))
		}
		return p.eachBlock(s, func(s *torch.Scope, k int, b *block, first int) error {
			if !f.opt.SingleAlpha {
				f.choose(0, f.scoreSums(s, d, each, b), first)
			}
			m := f.weigh(d, b, first)
			f.describe(m, first, true)
			f.progress(p.blocks())
			return use(s.Context(), k, b.from, m)
		})
	})
}

// weigh fits the weights of a block of voxels, from number first on, to all rows, about whose means the directions are.
func (f *fit) weigh(d *directions, b *block, first int) *Model {
	n := b.to - b.from
	model := f.model(n)
	voxels, lambdas := make([]int, n), make([]int, n)
	for v := range voxels {
		voxels[v], lambdas[v] = v, f.best[first+v].lambda
		if model.Constant[v] = b.constant(v); f.x.centred {
			model.voxelMean[v] = b.mean(v, f.x.rows)
		}
	}
	var table []float64
	for _, lambda := range f.opt.Lambdas {
		for _, size := range d.size {
			table = append(table, size*size/(float64(f.x.rows)*size*size+lambda*f.scale*f.scale))
		}
	}
	offset := make([]float64, n)
	weights := elementsOf(d.from, (*torch.Tensor).Float32s, func(from *torch.Tensor) *torch.Tensor {
		w := from.Scope().Frozen(func(s *torch.Scope) *torch.Tensor { // each scope frees its intermediate tensors
			shrunken := s.Frozen(func(s *torch.Scope) *torch.Tensor {
				c := b.whole64(s)
				return c.Mul(s.FromFloat64(table, len(f.opt.Lambdas), len(d.size)).IndexSelect(0, lambdas))
			})
			w := s.Frozen(func(s *torch.Scope) *torch.Tensor {
				return s.Attach(from).MatMul(shrunken.Transpose(0, 1)).Mul(s.FromFloat64(f.x.factor, f.x.cols, 1))
			})
			return w.Mul(s.FromFloat64(b.unit, n))
		})
		copy(offset, w.Scope().FromFloat64(f.x.mean, 1, f.x.cols).MatMul(w).Float64s())
		return w.ToType(torch.Float32)
	})
	f.count(2, f.x.cols, len(d.size), n)
	model.store(voxels, 0, weights, offset)
	return model
}

// whole64 returns the products of all rows, (V, K) Float64.
func (b *block) whole64(s *torch.Scope) (c *torch.Tensor) {
	for _, products := range b.products {
		if products == nil {
			continue
		}
		if c == nil {
			c = s.Attach(products).ToType(torch.Float64)
			continue
		}
		_ = within(s, func(s *torch.Scope) error {
			c.CopyFrom(s.Attach(c).Add(s.Attach(products).ToType(torch.Float64)))
			return nil
		})
	}
	return c
}

// scoreSums returns the scores of a block of voxels, (penalties, V), as the mean over folds.
func (f *fit) scoreSums(s *torch.Scope, d *directions, folds []*foldSums, b *block) []float64 {
	voxels := b.to - b.from
	scores := make([]float64, len(f.opt.Lambdas)*voxels)
	for _, fd := range folds {
		targets, y := fd.targets(b, f.x.centred)
		sums := s.Frozen(func(s *torch.Scope) *torch.Tensor {
			z := fd.products(s, b, y, training).Linear(fd.e, nil)
			u := fd.products(s, b, y, heldOut).Linear(fd.e, nil)
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
func (fd *foldSums) targets(b *block, centre bool) (out []target, means [2][]float64) {
	out = make([]target, b.to-b.from)
	means = [2][]float64{make([]float64, len(out)), make([]float64, len(out))}
	for v := range out {
		var sum [2]float64
		squares := b.squares[1+fd.number][v] // of the held-out rows
		sum[heldOut] = b.sum[1+fd.number][v]
		for i := range b.sum {
			if i != 1+fd.number {
				sum[training] += b.sum[i][v]
			}
		}
		for part := range sum {
			means[part][v] = sum[part] / float64(fd.rows[part])
		}
		if !centre {
			means[training][v] = 0
		}
		norm := math.Sqrt(max(0, squares-sum[heldOut]*means[heldOut][v]))
		if b.extremes[fd.number][training].same(v) || b.extremes[fd.number][heldOut].same(v) || norm == 0 {
			out[v] = target{constant: true}
			continue
		}
		out[v] = target{norm: norm, offset: means[heldOut][v] - means[training][v]}
	}
	return out, means
}

// products returns C of the training or the held-out rows about their means, (V, K).
func (fd *foldSums) products(s *torch.Scope, b *block, means [2][]float64, part int) *torch.Tensor {
	sum := s.Attach(b.products[1+fd.number])
	if part == training {
		sum = nil
		for i, c := range b.products {
			switch {
			case i == 1+fd.number || c == nil:
			case sum == nil:
				sum = s.Attach(c)
			default:
				sum = sum.Add(s.Attach(c))
			}
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
