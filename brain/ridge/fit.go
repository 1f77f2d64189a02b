package ridge

import (
	"context"
	"errors"
	"math"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

// blockValues is how many float64 a block of voxels may hold: 32 MB.
const blockValues = 1 << 22

// fit is one call of Fit.
type fit struct {
	opt   Options
	x, y  *matrix
	scale float64 // of x; a penalty on the weights of x is scale² times as large on those of its standard form
}

// Fit chooses an alpha for every voxel by cross-validation on x (rows, features) and y (rows, voxels), and fits
// the weights to all rows with it. An alpha's score is the mean over folds of Pearson's r between predicted
// and measured held-out rows; the best wins, the larger where two are equal. With a single candidate nothing is
// held out.
//
// Values that are not finite, sizes that do not fit and too few rows for a fold are errors of kind BadData. Constant
// features get weight 0; a constant voxel keeps its place and is predicted by its mean.
func Fit(ctx context.Context, x, y []float32, rows int, opt Options) (*Model, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return nil, err
	}
	f := &fit{opt: opt}
	if f.x, err = newMatrix("features", "feature", x, rows, !opt.NoIntercept); err != nil {
		return nil, err
	}
	if f.y, err = newMatrix("responses", "voxel", y, rows, !opt.NoIntercept); err != nil {
		return nil, err
	}
	f.scale = f.x.scaleWhole()
	f.y.scaleColumns()
	model := &Model{Features: f.x.cols, Voxels: f.y.cols, Constant: f.y.constant}
	best := make([]int, f.y.cols)
	if len(opt.Alphas) > 1 {
		scores, err := f.crossValidate(ctx)
		if err != nil {
			return nil, err
		}
		best, model.Scores = f.choose(scores)
	}
	model.Alphas = make([]float64, f.y.cols)
	for v, a := range best {
		model.Alphas[v] = opt.Alphas[a]
	}
	if err := f.solve(ctx, model, best); err != nil {
		return nil, err
	}
	return model, nil
}

// do runs fn on tensors and gives errors their kind.
func do(ctx context.Context, device torch.Device, fn func(*torch.Scope)) error {
	err := torch.Do(ctx, torch.Mode{Device: device}, func(s *torch.Scope) error { fn(s); return nil })
	var failed *torch.Error
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fault.Wrap(fault.Interrupted, "ridge", "", err)
	case errors.As(err, &failed) && failed.OutOfMemory:
		return fault.Wrap(fault.Memory, "ridge", "", err)
	}
	return fault.Wrap(fault.Internal, "ridge", "", err)
}

// crossValidate gives the mean score of each alpha for each voxel, (alphas, voxels).
func (f *fit) crossValidate(ctx context.Context) ([]float64, error) {
	folds, err := f.folds()
	if err != nil {
		return nil, err
	}
	scores := make([]float64, len(f.opt.Alphas)*f.y.cols)
	for _, held := range folds {
		if err := do(ctx, f.opt.Device, func(s *torch.Scope) { f.scoreFold(s, held, 1/float64(len(folds)), scores) }); err != nil {
			return nil, err
		}
	}
	return scores, nil
}

// folds gives the held-out rows of each fold.
func (f *fit) folds() ([][]int, error) {
	if f.opt.Folds != nil {
		return f.opt.Folds, checkFolds(f.opt.Folds, f.x.rows)
	}
	return Folds(f.x.rows, f.opt.ChunkRows, f.opt.Boots, f.opt.HeldOut, f.opt.Seed)
}

// scoreFold adds weight times each r of one fold to scores, (alphas, voxels).
func (f *fit) scoreFold(s *torch.Scope, held []int, weight float64, scores []float64) {
	train := others(held, f.x.rows)
	b := newBasis(f.centre(s.FromFloat64(f.x.take(train, 0, f.x.cols), len(train), f.x.cols)))
	spread := b.spread(s.FromFloat64(f.x.take(held, 0, f.x.cols), len(held), f.x.cols))
	spread = spread.Sub(spread.MeanKeep(0)).To(torch.Float32) // (N, K), so predictions have mean 0
	shrink := make([]*torch.Tensor, len(f.opt.Alphas))
	for a, alpha := range f.opt.Alphas {
		// r does not see the factor, which keeps a large penalty from pressing float32 to 0.
		lambda := f.lambda(alpha)
		shrink[a] = s.FromFloat64(b.shrink(lambda, b.largest()+lambda), len(b.values), 1).To(torch.Float32)
	}
	for from, to := range f.blocks() {
		trained, measured := f.y.take(train, from, to), f.y.take(held, from, to)
		n := to - from
		flat, still := same(trained, n), same(measured, n)
		sums := spread.Tidy(func(e *torch.Tensor) *torch.Tensor {
			z := b.project(f.centre(e.Scope().FromFloat64(trained, len(train), n))).To(torch.Float32) // (K, V)
			want := e.Scope().FromFloat64(measured, len(held), n)
			want = want.Sub(want.MeanKeep(0)).To(torch.Float32) // (N, V)
			var each []*torch.Tensor
			for _, d := range shrink {
				each = append(each, z.Tidy(func(z *torch.Tensor) *torch.Tensor {
					pred := e.MatMul(z.Mul(d)) // (N, V)
					return torch.Stack(0, pred.Mul(want).Sum(0), pred.Square().Sum(0))
				}))
			}
			return torch.Cat(0, append(each, want.Square().SumKeep(0))...) // (2·alphas + 1, V)
		}).Float32s()
		row := func(i int) []float32 { return sums[i*n : (i+1)*n] }
		norm := row(2 * len(shrink))
		for a := range shrink {
			for v := range n {
				product, square := row(2 * a)[v], row(2*a + 1)[v]
				if !flat[v] && !still[v] && square > 0 && norm[v] > 0 {
					scores[a*f.y.cols+from+v] += weight * float64(product) / math.Sqrt(float64(square)*float64(norm[v]))
				}
			}
		}
	}
}

// centre takes its mean from each column of training data, unless the fit has no intercept. Held-out data is
// left as it is, since r does not see its mean.
func (f *fit) centre(train *torch.Tensor) *torch.Tensor {
	if f.opt.NoIntercept {
		return train
	}
	return train.Sub(train.MeanKeep(0))
}

// choose gives for each voxel the place of the best alpha and its score.
func (f *fit) choose(scores []float64) (best []int, score []float64) {
	best, score = make([]int, f.y.cols), make([]float64, f.y.cols)
	row := func(a int) []float64 { return scores[a*f.y.cols : (a+1)*f.y.cols] }
	if f.opt.SingleAlpha {
		common, most := 0, math.Inf(-1)
		for a := range f.opt.Alphas {
			sum := 0.0
			for _, r := range row(a) { // constant voxels add 0 to each
				sum += r
			}
			if sum >= most {
				common, most = a, sum
			}
		}
		for v := range best {
			best[v] = common
		}
		copy(score, row(common))
		return best, score
	}
	for v := range score {
		score[v] = math.Inf(-1)
		for a := range f.opt.Alphas {
			if r := row(a)[v]; r >= score[v] {
				best[v], score[v] = a, r
			}
		}
	}
	return best, score
}

// solve fits the weights to all rows, each voxel with its own alpha.
func (f *fit) solve(ctx context.Context, model *Model, best []int) error {
	features, voxels := f.x.cols, f.y.cols
	all := others(nil, f.x.rows)
	model.Weights = make([]float32, features*voxels)
	model.Intercept = make([]float64, voxels)
	return do(ctx, f.opt.Device, func(s *torch.Scope) {
		b := newBasis(s.FromFloat64(f.x.take(all, 0, features), f.x.rows, features))
		var table []float64
		for _, alpha := range f.opt.Alphas {
			table = append(table, b.shrink(f.lambda(alpha), 1)...)
		}
		shrink := s.FromFloat64(table, len(f.opt.Alphas), len(b.values)).Transpose(0, 1) // (K, alphas)
		for from, to := range f.blocks() {
			weights := shrink.Tidy(func(d *torch.Tensor) *torch.Tensor {
				y := d.Scope().FromFloat64(f.y.take(all, from, to), f.y.rows, to-from)
				return b.weights(b.project(y).Mul(d.IndexSelect(1, best[from:to]))) // (features, V)
			})
			f.store(model, weights.Float64s(), from, to)
		}
	})
}

// store puts the weights of a block of voxels, which are for the standard forms, into the units of x and y.
func (f *fit) store(model *Model, weights []float64, from, to int) {
	copy(model.Intercept[from:to], f.y.mean[from:to])
	for i := range f.x.cols {
		for v := from; v < to; v++ {
			w := 0.0
			if f.x.factor[i] > 0 && f.y.factor[v] > 0 {
				w = weights[i*(to-from)+v-from] * f.x.factor[i] / f.y.factor[v]
			}
			model.Weights[i*model.Voxels+v] = float32(w)
			model.Intercept[v] -= f.x.mean[i] * w
		}
	}
}

// lambda is the penalty on the weights of the standard form of x.
func (f *fit) lambda(alpha float64) float64 {
	a := alpha * f.scale
	return a * a
}

// blocks yields ranges of voxels.
func (f *fit) blocks() func(yield func(from, to int) bool) {
	step := max(1, blockValues/max(f.x.rows, f.x.cols))
	return func(yield func(from, to int) bool) {
		for from := 0; from < f.y.cols; from += step {
			if !yield(from, min(from+step, f.y.cols)) {
				return
			}
		}
	}
}
