package encoding

import (
	"context"
	"math/rand/v2"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/ridge"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/parallel"
)

// stackUnit and stackVoxels are the units and blocks of voxels; tests make them smaller.
var (
	stackUnit   = study.StackUnit
	stackVoxels = (*study.Study).StackVoxels
)

// stacked reports whether predictions from several features are stacked: added with weights.
func (f *fits) stacked() bool {
	return f.st.Experiment.Eval.Layer == experiment.EvalLayerStack && len(f.features) > 1
}

// stack returns the weights (voxels, features) of the predictions of subjects with the same rows. They are found on
// training rows: in each of some folds ridges on the other training rows, with penalties of their own, predict the rows
// that are held out. Voxels are done in blocks that memory allows, the features one at a time.
func (f *fits) stack(ctx context.Context, group []int) ([][]float64, error) {
	first := f.subjects[group[0]]
	folds, err := stackFolds(first.RowsOf(study.Train), f.st.Experiment.Eval.ChunkRows, f.st.Experiment.Train.Seed)
	if err != nil {
		return nil, err
	}
	n := len(f.features)
	step := stackVoxels(f.st, first.RowsOf(study.Train))
	out := make([][]float64, len(group))
	for k, i := range group {
		y := f.subjects[i].Scored(study.Train)
		columns := make([]int, y.Columns)
		for v := range columns {
			columns[v] = v
		}
		all := len(columns)
		if f.columns != nil {
			columns, all = f.columns[i], f.of[i]
		}
		for from := 0; from < len(columns); from += step {
			some := columns[from:min(from+step, len(columns))]
			block, err := y.Of(some).ReadAll(ctx)
			if err != nil {
				return nil, err
			}
			products := make([]float64, len(some)*n*n)
			for _, held := range folds {
				if err := f.addProducts(ctx, first, block, held, len(some), all, products); err != nil {
					return nil, err
				}
			}
			weights := make([]float64, len(some)*n)
			parallel.Each(len(some), func(v int) { copy(weights[v*n:], convexWeights(products[v*n*n:][:n*n], n)) })
			out[k] = append(out[k], weights...)
		}
	}
	return out, nil
}

// addProducts adds the products of the residuals of each two features on held-out rows to those of each voxel (voxels,
// features, features). Y is (training rows, voxels).
func (f *fits) addProducts(ctx context.Context, p *study.Subject, y []float32, held []bool, voxels, all int,
	products []float64) error {
	n := len(f.features)
	yTrain, yHeld := partRows(y, held, voxels)
	residuals := make([][]float32, n)
	for l := range f.features {
		x, _ := f.features[l].Stack(p, study.Train)
		width := f.features[l].Width
		xTrain, xHeld := partRows(x, held, width)
		opt := f.options(l, all)
		opt.Unit, opt.Of = stackUnit, all
		m, err := ridge.Fit(ctx, xTrain, yTrain, len(xTrain)/width, opt)
		if err != nil {
			return err
		}
		pred, err := m.Predict(ctx, xHeld, len(xHeld)/width)
		if err != nil {
			return err
		}
		for i := range pred {
			pred[i] = yHeld[i] - pred[i]
		}
		residuals[l] = pred
	}
	parallel.Each(voxels, func(v int) {
		to := products[v*n*n:][:n*n]
		for l := range n {
			for m := range l + 1 {
				sum := 0.
				for at := v; at < len(yHeld); at += voxels {
					sum += float64(residuals[l][at]) * float64(residuals[m][at])
				}
				to[l*n+m] += sum
				if m < l {
					to[m*n+l] += sum
				}
			}
		}
	})
	return nil
}

// partRows parts the rows of x (rows, columns) by whether they are held out.
func partRows(x []float32, held []bool, columns int) (train, out []float32) {
	for row, is := range held {
		if is {
			out = append(out, x[row*columns:][:columns]...)
		} else {
			train = append(train, x[row*columns:][:columns]...)
		}
	}
	return train, out
}

// seedStack is the stream of the random numbers of the folds of stacking.
const seedStack = 40

// stackFolds holds out each chunk of rows once, in at most [study.StackFolds] folds of chunks that are drawn: whether
// each row is held out, by fold.
func stackFolds(rows, chunk int, seed uint64) ([][]bool, error) {
	chunks := (rows + chunk - 1) / chunk
	if chunks < 2 {
		return nil, fault.New(fault.BadData, "stack hidden states", "eval.layer",
			"%d training rows are one chunk of eval.chunk_rows %d; stack holds out chunks in turn", rows, chunk).
			WithHint("set eval.chunk_rows to fewer rows")
	}
	folds := make([][]bool, min(chunks, study.StackFolds))
	for i := range folds {
		folds[i] = make([]bool, rows)
	}
	for i, c := range rand.New(rand.NewPCG(seed, seedStack)).Perm(chunks) {
		for row := c * chunk; row < min((c+1)*chunk, rows); row++ {
			folds[i%len(folds)][row] = true
		}
	}
	return folds, nil
}
