package ridge

import (
	"context"
	"errors"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

// blockValues is the number of float32 values of a block of voxels, 8 MB but in tests.
var blockValues = 1 << 21

// fit is one call of Fit.
type fit struct {
	opt         Options
	x           *matrix
	ys          []*responses
	voxels      int         // of all responses
	blockVoxels int         // voxels of a block; even, unless 1
	scale       float64     // of x: a penalty on weights of x is scale² times as large on those of its standard form
	sets        [][]float64 // weights of the bands to try; one empty set without bands
	cost        Cost
	kernel      *kernel  // where dual coefficients are kept
	steps       int      // folds of groups, or blocks of voxels, that are done, for Progress
	best        []choice // (voxels)

	trained, measured []float32 // buffers that are reused from block to block
	whole             []float64
}

// Use takes the model of a block of voxels: those from number from on of the k-th responses. The model is valid until
// Use returns. The context is for calls of package torch.
type Use func(ctx context.Context, k, from int, block *Model) error

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
	return FitColumns(ctx, x, matrixColumns{rows, voxels, y}, rows, voxels, opt)
}

// FitColumns is [Fit] for responses that are read in groups of columns, each once, or twice with SingleAlpha.
// Options.Bytes bounds the groups.
func FitColumns(ctx context.Context, x []float32, y ColumnReader, rows, voxels int, opt Options) (*Model, error) {
	if y == nil {
		return nil, errNoResponses()
	}
	var out *Model
	cost, err := FitBlocks(ctx, x, rows, []Responses{{y, voxels}}, opt,
		func(_ context.Context, _, from int, block *Model) error {
			if out == nil && block.Voxels == voxels {
				out = block
				return nil
			}
			if out == nil {
				out = block.like(voxels)
			}
			out.place(from, block)
			return nil
		})
	if err != nil {
		return nil, err
	}
	out.Cost = cost
	return out, nil
}

// FitBlocks fits several responses to the same rows of x, (rows, features), as [Fit] does, and hands over the models of
// blocks of voxels, one after the other, for weights that do not all fit in memory. Together the blocks are all
// voxels. The decompositions of x are shared.
func FitBlocks(ctx context.Context, x []float32, rows int, ys []Responses, opt Options, use Use) (Cost, error) {
	f, err := newFit(x, rows, ys, opt)
	if err != nil {
		return Cost{}, err
	}
	var folds [][]int
	if f.opt.Given == nil && len(f.sets)*len(f.opt.Lambdas) > 1 {
		if folds, err = f.folds(); err != nil {
			return Cost{}, err
		}
	}
	if folds != nil && f.fromSums(folds) {
		err = f.fitSums(ctx, folds, use)
	} else {
		err = f.fitDirect(ctx, folds, use)
	}
	for _, y := range f.ys {
		f.cost.Bytes += y.bytes
	}
	f.cost.Passes = float64(f.cost.Bytes) / float64(4*rows*f.voxels)
	return f.cost, err
}

func errNoResponses() error { return fault.New(fault.BadData, "ridge", "responses", "there are none") }

// newFit checks what a fit is given.
func newFit(x []float32, rows int, ys []Responses, opt Options) (*fit, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return nil, err
	}
	f := &fit{opt: opt, sets: [][]float64{nil}}
	for _, y := range ys {
		if y.Reader == nil || y.Voxels < 1 {
			return nil, errNoResponses()
		}
		f.ys = append(f.ys, &responses{Responses: y, rows: rows, first: f.voxels})
		f.voxels += y.Voxels
	}
	if f.voxels == 0 {
		return nil, errNoResponses()
	}
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
	f.blockVoxels = f.voxelsOf(blockValues)
	f.best = make([]choice, f.voxels)
	if opt.Given != nil {
		return f, f.take(opt.Given)
	}
	return f, nil
}

// voxelsOf returns the number of voxels of a block of so many values of what a voxel has most of: rows or features. It
// is even, unless 1.
func (f *fit) voxelsOf(values int) int {
	each := max(f.x.rows, f.x.cols)
	if f.isDual() {
		each = f.x.rows
	}
	return max(1, values/each&^1)
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
