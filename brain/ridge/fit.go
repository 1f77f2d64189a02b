package ridge

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/parallel"
	"github.com/brainwavlm/bwlm/torch"
)

// blockValues is the number of float32 values of a block of voxels: 8 MB.
const blockValues = 1 << 21

// fit is one call of Fit.
type fit struct {
	opt         Options
	x           *matrix
	y           *responses
	blockVoxels int         // voxels of a block
	scale       float64     // of x: a penalty on weights of x is scale² times as large on those of its standard form
	sets        [][]float64 // weights of the bands to try; one empty set without bands
	cost        Cost
	steps       int      // folds, or blocks of voxels, that are done, for Progress
	best        []choice // (voxels)

	trained, measured []float32 // buffers that are reused from block to block
	whole             []float64
}

// Fit chooses a penalty for every voxel by cross-validation on x, (rows, features), and y, (rows,
// voxels), and fits the weights to all rows with it. The score of a penalty is the mean over folds
// of Pearson's r of predicted and measured held-out rows, or of another [Metric]. The best score
// wins; of equal scores the larger penalty, or the smaller with SmallerTies. With a single candidate,
// or with Given, no rows are held out.
//
// Values that are not finite, sizes that do not match and too few rows for a fold are errors of
// kind fault.BadData. Constant features get weight 0. A constant voxel keeps its index and is
// predicted by its mean.
func Fit(ctx context.Context, x, y []float32, rows int, opt Options) (*Model, error) {
	if rows < 1 || len(y) == 0 || len(y)%rows != 0 {
		return nil, fault.New(fault.BadData, "ridge", "responses", "%d values do not make %d rows", len(y), rows)
	}
	voxels := len(y) / rows
	return FitColumns(ctx, x, VStack{voxels, [][]float32{y}}, rows, voxels, opt)
}

// FitColumns is [Fit] for responses that are read in blocks of voxels: once per fold and set of
// weights, and twice more.
func FitColumns(ctx context.Context, x []float32, y ColumnReader, rows, voxels int, opt Options) (*Model, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return nil, err
	}
	if y == nil || voxels < 1 {
		return nil, fault.New(fault.BadData, "ridge", "responses", "there are none")
	}
	f := &fit{opt: opt, sets: [][]float64{nil}}
	if f.x, err = newMatrix(x, rows, !opt.NoIntercept); err != nil {
		return nil, err
	}
	if opt.Bands != nil {
		f.sets = opt.Weights
		if err := errors.Join(checkBands(opt.Bands, f.x.cols), checkWeights(f.sets, len(opt.Bands))); err != nil {
			return nil, err
		}
	}
	f.scale = f.x.scale()
	f.blockVoxels = max(1, blockValues/max(rows, f.x.cols))
	if f.y, err = newResponses(y, rows, voxels, f.blockVoxels); err != nil {
		return nil, err
	}
	f.best = make([]choice, voxels)
	if opt.Given != nil {
		if err := f.take(opt.Given); err != nil {
			return nil, err
		}
	}
	if opt.Given != nil || len(f.sets)*len(opt.Lambdas) == 1 {
		return f.solve(ctx, false)
	}
	folds, err := f.folds()
	if err != nil {
		return nil, err
	}
	if f.fromSums(folds) {
		return f.fitSums(ctx, folds)
	}
	if err := f.crossValidate(ctx, folds); err != nil {
		return nil, err
	}
	return f.solve(ctx, true)
}

// model returns a model without penalties and weights.
func (f *fit) model() *Model {
	voxels, bands := f.y.voxels, max(1, len(f.opt.Bands))
	return &Model{Features: f.x.cols, Voxels: voxels, Bands: f.opt.Bands, Constant: f.y.constant,
		Alphas: make([]float64, voxels), Lambdas: make([]float64, bands*voxels),
		Weights: make([]float32, f.x.cols*voxels), Intercept: make([]float64, voxels), Candidates: f.opt.Alphas,
		Centred: f.x.centred, featureMean: f.x.mean, voxelMean: make([]float64, voxels)}
}

// describe gives a model the penalties of the choice, their scores if it was one, and what the fit took.
func (f *fit) describe(m *Model, chosen bool) *Model {
	if chosen {
		m.Scores = make([]float64, m.Voxels)
	}
	for v, best := range f.best {
		m.Alphas[v] = f.opt.Alphas[best.lambda]
		for b := range max(1, len(f.opt.Bands)) {
			lambda := f.opt.Lambdas[best.lambda]
			if f.opt.Bands != nil {
				lambda /= f.sets[best.set][b]
			}
			m.Lambdas[b*m.Voxels+v] = lambda
		}
		if chosen {
			m.Scores[v] = best.score
		}
	}
	m.Cost = f.cost
	m.Cost.Bytes, m.Cost.Passes = f.y.bytes, float64(f.y.bytes)/float64(4*f.y.rows*f.y.voxels)
	return m
}

// onTensors runs fn in a scope of package torch and classifies its errors.
func onTensors(ctx context.Context, device torch.Device, fn func(*torch.Scope) error) error {
	err := torch.Do(ctx, torch.Mode{Device: device}, fn)
	var known *fault.Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case ctx.Err() != nil:
		return fault.Wrap(fault.Interrupted, "ridge", "", err)
	}
	return fault.Wrap(fault.KindOf(err), "ridge", "", err)
}

// crossValidate finds the best set of weights and penalty of each voxel.
func (f *fit) crossValidate(ctx context.Context, folds [][]int) error {
	for range f.sets {
		operations, _ := estimate(f.x.rows, f.x.cols, f.y.voxels, len(f.opt.Lambdas), folds)
		last, _ := estimate(f.x.rows, f.x.cols, f.y.voxels, 0, nil)
		f.cost.Operations += operations - last
	}
	f.unscored()
	most := math.Inf(-1) // largest sum over voxels, for SingleAlpha
	for set, weights := range f.sets {
		scores := make([]float64, len(f.opt.Lambdas)*f.y.voxels)
		scales := bandScales(f.opt.Bands, weights, f.x.cols)
		for _, held := range folds {
			err := onTensors(ctx, f.opt.Device, func(s *torch.Scope) error {
				return f.scoreFold(s, held, scales, 1/float64(len(folds)), scores)
			})
			if err != nil {
				return err
			}
			f.progress(len(folds) * len(f.sets))
		}
		if f.opt.SingleAlpha {
			most = f.chooseCommon(set, scores, most)
		} else {
			f.choose(set, scores, 0)
		}
	}
	return nil
}

// progress counts a fold, or a block of voxels.
func (f *fit) progress(all int) {
	f.steps++
	if f.opt.Progress != nil {
		f.opt.Progress(f.steps, all)
	}
}

// folds returns the held-out rows of each fold.
func (f *fit) folds() ([][]int, error) {
	if f.opt.Folds != nil {
		return f.opt.Folds, checkFolds(f.opt.Folds, f.x.rows)
	}
	if f.opt.Chunks != nil {
		return foldsOf(f.opt.Chunks, f.x.rows, f.opt.ChunkRows)
	}
	if f.opt.WholeChunks {
		return wholeChunkFolds(f.x.rows, f.opt.ChunkRows, f.opt.Boots, f.opt.HeldOut, f.opt.Seed)
	}
	return ChunkFolds(f.x.rows, f.opt.ChunkRows, f.opt.Boots, f.opt.HeldOut, f.opt.Seed)
}

// scoreFold adds weight times the scores of one fold to scores, (penalties, voxels).
func (f *fit) scoreFold(s *torch.Scope, held []int, scales []float64, weight float64, scores []float64) error {
	fd := f.newFold(s, held, scales)
	for from, to := range f.y.blocks(f.blockVoxels) {
		block, err := f.y.read(from, to)
		if err != nil {
			return err
		}
		for a, found := range f.score(s, fd, block) {
			for v, score := range found {
				scores[a*f.y.voxels+from+v] += weight * score
			}
		}
	}
	return nil
}

// solve fits the weights to all rows, each voxel with its penalty, which was chosen or given.
func (f *fit) solve(ctx context.Context, chosen bool) (*Model, error) {
	f.cost.Form = Direct
	last, _ := estimate(f.x.rows, f.x.cols, f.y.voxels, 0, nil)
	f.cost.Operations += last
	model := f.model()
	for set, weights := range f.sets {
		if !slices.ContainsFunc(f.best, func(c choice) bool { return c.set == set }) {
			continue
		}
		scales := bandScales(f.opt.Bands, weights, f.x.cols)
		err := onTensors(ctx, f.opt.Device, func(s *torch.Scope) error { return f.solveSet(s, set, scales, model) })
		if err != nil {
			return nil, err
		}
	}
	return f.describe(model, chosen), nil
}

// solveSet fits the voxels whose choice is the given set of weights.
func (f *fit) solveSet(s *torch.Scope, set int, scales []float64, model *Model) error {
	b := newBasis(f.x.standard(s, trainingRows(nil, f.x.rows), f.x.mean, scales))
	var table []float64
	for _, lambda := range f.opt.Lambdas {
		table = append(table, b.shrink(lambda*f.scale*f.scale, 1)...)
	}
	shrink := s.FromFloat64(table, len(f.opt.Lambdas), len(b.values)) // (penalties, K)
	toUnits := make([]float64, f.x.cols)                              // from the standard form to the units of x
	for i := range toUnits {
		toUnits[i] = f.x.factor[i] * scales[i]
	}
	columns := s.FromFloat64(toUnits, f.x.cols, 1)
	for from, to := range f.y.blocks((f.blockVoxels + 1) / 2) { // half as many voxels: these are float64
		var voxels, lambdas []int
		for v := from; v < to; v++ {
			if f.best[v].set == set {
				voxels, lambdas = append(voxels, v), append(lambdas, f.best[v].lambda)
			}
		}
		if voxels == nil {
			continue
		}
		block, err := f.y.read(from, to)
		if err != nil {
			return err
		}
		y, unit := f.wholeColumns(block, from, voxels, model)
		offset := make([]float64, len(voxels)) // the prediction from the mean features
		weights := shrink.Scoped(func(d *torch.Tensor) *torch.Tensor {
			s := d.Scope()
			z := s.FromFloat64(y, len(voxels), f.y.rows).MatMul(b.onto)                   // (V, K)
			w := b.weights(z.Mul(d.IndexSelect(0, lambdas)).Transpose(0, 1)).Mul(columns) // (features, V)
			w = w.Mul(s.FromFloat64(unit, len(unit)))
			copy(offset, s.FromFloat64(f.x.mean, 1, f.x.cols).MatMul(w).Float64s())
			return w.ToType(torch.Float32)
		}).Float32s()
		model.store(voxels, weights, offset)
	}
	return nil
}

// store takes the weights of some voxels, (features, V), and their predictions from the mean features, (V).
func (m *Model) store(voxels []int, weights []float32, offset []float64) {
	for k, v := range voxels {
		m.Intercept[v] = m.voxelMean[v] - offset[k]
	}
	for i := range m.Features {
		for k, v := range voxels {
			m.Weights[i*m.Voxels+v] = weights[i*len(voxels)+k]
		}
	}
}

// wholeColumns returns voxels of a block, each centred and divided by its root mean square,
// (voxels, rows), and those divisors. It stores the means in model.
func (f *fit) wholeColumns(block []float32, from int, voxels []int, model *Model) (standard, unit []float64) {
	rows := f.y.rows
	standard, unit = reuse(&f.whole, len(voxels)*rows), make([]float64, len(voxels))
	clear(standard)
	parallel.Each(len(voxels), func(i int) {
		v := voxels[i]
		y := block[(v-from)*rows : (v-from+1)*rows]
		centre := 0.0
		if f.x.centred {
			centre = mean(y)
			model.voxelMean[v] = centre
		}
		if f.x.centred && f.y.constant[v] {
			return
		}
		unit[i] = math.Sqrt(sumSquares(y, centre) / float64(rows))
		if unit[i] > 0 {
			for row, value := range y {
				standard[i*rows+row] = (float64(value) - centre) / unit[i]
			}
		}
	})
	return standard, unit
}
