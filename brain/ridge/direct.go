package ridge

import (
	"context"
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/internal/parallel"
	"github.com/brainwavlm/bwlm/torch"
)

// fitDirect chooses the penalties by predictions of the held-out rows of the folds, if there are any, and fits the
// weights, a group of voxels that is in memory at a time.
func (f *fit) fitDirect(ctx context.Context, folds [][]int, use Use) error {
	f.cost.Form = Direct
	if f.isDual() {
		var err error
		if f.kernel, err = f.newKernel(ctx); err != nil {
			return err
		}
		f.cost.Form = Kernel
	}
	all := 0
	for _, y := range f.ys {
		for range f.directGroups(y) {
			all += len(folds) * len(f.sets)
		}
	}
	if folds != nil {
		f.unscored()
	}
	common := folds != nil && f.opt.SingleAlpha
	if common {
		if err := f.chooseCommonly(ctx, folds, all); err != nil {
			return err
		}
	}
	return f.eachGroup(ctx, func(k int, y *responses) error {
		if len(f.sets) > 1 {
			return f.fitBands(ctx, k, y, folds, all, use)
		}
		return f.withFeatures(ctx, 0, func(s *torch.Scope, of *decomposed) error {
			if folds != nil && !common {
				scores, err := f.crossValidate(s, of, y, folds, all)
				if err != nil {
					return err
				}
				f.choose(0, scores, y.first+y.from)
			}
			return f.solve(s, of, k, y, folds != nil, use)
		})
	})
}

// chooseCommonly chooses one penalty for all voxels.
func (f *fit) chooseCommonly(ctx context.Context, folds [][]int, all int) error {
	scores := make([][]float64, len(f.sets)) // (penalties, voxels) of each set of weights
	err := f.eachGroup(ctx, func(_ int, y *responses) error {
		for set := range f.sets {
			err := f.withFeatures(ctx, set, func(s *torch.Scope, of *decomposed) error {
				found, err := f.crossValidate(s, of, y, folds, all)
				if scores[set] == nil {
					scores[set] = make([]float64, len(f.opt.Lambdas)*f.voxels)
				}
				f.placeScores(scores[set], found, y.first+y.from)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	most := math.Inf(-1)
	for set := range f.sets {
		most = f.chooseCommon(set, scores[set], most)
	}
	return nil
}

// fitBands chooses weights of the bands and a penalty for the voxels in memory, unless that is done, and fits them.
func (f *fit) fitBands(ctx context.Context, k int, y *responses, folds [][]int, all int, use Use) error {
	if folds != nil && !f.opt.SingleAlpha {
		for set := range f.sets {
			err := f.withFeatures(ctx, set, func(s *torch.Scope, of *decomposed) error {
				scores, err := f.crossValidate(s, of, y, folds, all)
				if err == nil {
					f.choose(set, scores, y.first+y.from)
				}
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	first, end := y.first+y.from, y.first+y.to
	group := f.model(end - first)
	copy(group.Constant, y.constant)
	for set := range f.sets {
		if !slices.ContainsFunc(f.best[first:end], func(c choice) bool { return c.set == set }) {
			continue
		}
		err := f.withFeatures(ctx, set, func(s *torch.Scope, of *decomposed) error {
			last := f.newLastFit(s, of)
			f.cost.Operations += f.solving(end - first)
			for from, to := range f.blocks(y.from, y.to, f.solved()) {
				f.weights(last, y, from, to, set, group, y.from)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	f.describe(group, first, folds != nil)
	return use(ctx, k, y.from, group)
}

// decomposed are the features of all rows, multiplied by the scales of their bands.
type decomposed struct {
	*basis
	scales []float64
}

// withFeatures decomposes the features with a set of weights of the bands.
func (f *fit) withFeatures(ctx context.Context, set int, do func(s *torch.Scope, of *decomposed) error) error {
	scales := bandScales(f.opt.Bands, f.sets[set], f.x.cols)
	f.cost.Operations += f.decomposing()
	return onTensors(ctx, f.opt.Device, func(s *torch.Scope) error {
		if f.kernel != nil {
			return do(s, &decomposed{f.newKernelBasis(s.FromFloat64(f.kernel.k, f.x.rows, f.x.rows)), scales})
		}
		return do(s, &decomposed{newBasis(s, f.x.rows, f.x.cols, func(s *torch.Scope) *torch.Tensor {
			return f.x.standard(s, upTo(0, f.x.rows), f.x.mean, scales)
		}), scales})
	})
}

// placeScores copies scores of some voxels, (penalties, V), to those of all, (penalties, voxels), from a voxel on.
func (f *fit) placeScores(all, some []float64, from int) {
	n := len(some) / len(f.opt.Lambdas)
	for a := range f.opt.Lambdas {
		copy(all[a*f.voxels+from:], some[a*n:(a+1)*n])
	}
}

// directGroups yields the groups of columns of a direct fit.
func (f *fit) directGroups(y *responses) func(yield func(from, to int) bool) {
	each := 4 * y.rows
	if len(f.sets) > 1 { // the weights of a group are complete after the last set
		each += 4 * f.x.cols
	}
	return f.groups(y, each, f.blockVoxels)
}

// eachGroup holds one group of columns after another in memory.
func (f *fit) eachGroup(ctx context.Context, do func(k int, y *responses) error) error {
	for k, y := range f.ys {
		for from, to := range f.directGroups(y) {
			if err := y.hold(ctx, from, to); err != nil {
				return err
			}
			if err := do(k, y); err != nil {
				return err
			}
		}
	}
	return nil
}

// crossValidate returns the scores, (penalties, V), of the voxels in memory.
func (f *fit) crossValidate(s *torch.Scope, of *decomposed, y *responses, folds [][]int, all int) ([]float64, error) {
	voxels := y.to - y.from
	scores := make([]float64, len(f.opt.Lambdas)*voxels)
	for _, held := range folds {
		err := within(s, func(s *torch.Scope) error {
			for _, fd := range f.newFolds(s, of, held) {
				for from, to := range f.blocks(y.from, y.to, f.blockVoxels) {
					for i, found := range f.score(s, fd, y.columns(from, to)) {
						at := scores[fd.candidates[i].lambda*voxels+from-y.from:]
						for v, score := range found {
							at[v] += 1 / float64(len(folds)) * score
						}
					}
				}
			}
			return s.Context().Err()
		})
		if err != nil {
			return nil, err
		}
		f.progress(all)
	}
	return scores, nil
}

// solved is the number of voxels of a block of the last fit: half as many, since it is float64.
func (f *fit) solved() int { return (f.blockVoxels + 1) / 2 }

// solve fits the weights of the voxels in memory to all rows, each voxel with its penalty, which was chosen or given.
func (f *fit) solve(s *torch.Scope, of *decomposed, k int, y *responses, chosen bool, use Use) error {
	f.cost.Operations += f.solving(y.to - y.from)
	last, width := f.newLastFit(s, of), f.solved()
	if f.kernel != nil { // wider, since each model makes the kernel of what it predicts anew
		width = f.voxelsOf(dualBlockValues)
	}
	for from, to := range f.blocks(y.from, y.to, width) {
		m := f.model(to - from)
		copy(m.Constant, y.constant[from-y.from:])
		for a, b := range blocks(from, to, f.solved()) {
			if f.kernel != nil {
				f.coefficients(last, y, a, b, m, from)
			} else {
				f.weights(last, y, a, b, 0, m, from)
			}
		}
		f.describe(m, y.first+from, chosen)
		if err := use(s.Context(), k, from, m); err != nil {
			return err
		}
	}
	return nil
}

// lastFit is what the fit of the weights to all rows needs of the features.
type lastFit struct {
	basis   *basis
	shrink  *torch.Tensor // (penalties, K)
	columns *torch.Tensor // (features, 1), from the standard form to the units of x
}

// dualBlockValues is the number of dual coefficients of a block of voxels, 256 MB but in tests.
var dualBlockValues = 1 << 25

// newLastFit returns the last fit to features.
func (f *fit) newLastFit(s *torch.Scope, of *decomposed) *lastFit {
	var table []float64
	for _, lambda := range f.opt.Lambdas {
		table = append(table, of.shrink(lambda*f.scale*f.scale, 1)...)
	}
	toUnits := make([]float64, f.x.cols)
	for i := range toUnits {
		toUnits[i] = f.x.factor[i] * of.scales[i]
	}
	return &lastFit{of.basis, s.FromFloat64(table, len(f.opt.Lambdas), len(of.values)),
		s.FromFloat64(toUnits, f.x.cols, 1)}
}

// weights fits the voxels from ≤ v < to whose choice is a set of weights of the bands. The model begins with voxel
// first.
func (f *fit) weights(last *lastFit, y *responses, from, to, set int, model *Model, first int) {
	var voxels, lambdas []int
	for v := from; v < to; v++ {
		if best := f.best[y.first+v]; best.set == set {
			voxels, lambdas = append(voxels, v), append(lambdas, best.lambda)
		}
	}
	if voxels == nil {
		return
	}
	whole, unit := f.wholeColumns(y, voxels, model, first)
	offset := make([]float64, len(voxels)) // the prediction from the mean features
	weights := elementsOf(last.shrink, (*torch.Tensor).Float32s, func(d *torch.Tensor) *torch.Tensor {
		s, b := d.Scope(), last.basis
		z := s.FromFloat64(whole, len(voxels), y.rows).MatMul(b.onto)                      // (V, K)
		w := b.weights(z.Mul(d.IndexSelect(0, lambdas)).Transpose(0, 1)).Mul(last.columns) // (features, V)
		w = w.Mul(s.FromFloat64(unit, len(unit)))
		copy(offset, s.FromFloat64(f.x.mean, 1, f.x.cols).MatMul(w).Float64s())
		return w.ToType(torch.Float32)
	})
	model.store(voxels, first, weights, offset)
}

// wholeColumns returns some voxels, each centred and divided by its root mean square, (voxels, rows), and those
// divisors. It stores the means in the model, which begins with voxel first.
func (f *fit) wholeColumns(y *responses, voxels []int, model *Model, first int) (standard, unit []float64) {
	rows := y.rows
	standard, unit = reuse(&f.whole, len(voxels)*rows), make([]float64, len(voxels))
	clear(standard)
	parallel.Each(len(voxels), func(i int) {
		v := voxels[i]
		column := y.columns(v, v+1)
		centre := 0.0
		if f.x.centred {
			centre = mean(column)
			model.voxelMean[v-first] = centre
		}
		if f.x.centred && y.constant[v-y.from] {
			return
		}
		unit[i] = math.Sqrt(sumSquares(column, centre) / float64(rows))
		if unit[i] > 0 {
			for row, value := range column {
				standard[i*rows+row] = (float64(value) - centre) / unit[i]
			}
		}
	})
	return standard, unit
}
