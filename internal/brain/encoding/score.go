package encoding

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/ridge"
	"github.com/brainwavlm/bwlm/internal/brain/columns"
	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// Prediction is the prediction of a split by a ridge fitted to training rows.
type Prediction struct {
	Rows   int
	Pred   []float32 // (rows, voxels)
	Alphas []float64 // (voxels) of the ridge; of a stack, that of the features with the largest weight
	Stack  []float64 // (voxels, features) weights of the features in the stack; nil: there is none
}

// Predict fits a ridge for each subject on the training rows and predicts a split. Subjects with the same training rows
// share the decomposition of the features. With several features, each voxel takes those whose cross-validated score on
// the training rows is best or, with eval.layer: stack, the weighted sum of their predictions.
func Predict(ctx context.Context, st *study.Study, subjects []*study.Subject, fs []RowFeatures,
	split study.Split) ([]Prediction, error) {
	return PredictWith(ctx, st, subjects, fs, split, nil)
}

// PredictWith is Predict with the alphas (voxels) of each subject; nil: cross-validated.
func PredictWith(ctx context.Context, st *study.Study, subjects []*study.Subject, fs []RowFeatures, split study.Split,
	alphas [][]float64) ([]Prediction, error) {
	out, err := (&fits{st: st, subjects: subjects, features: fs, split: split, alphas: alphas}).predict(ctx,
		[][]RowFeatures{fs})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// PredictFrom is Predict with the ridge on fs for several sets of features in place of fs. The result is indexed by
// set, then by subject.
func PredictFrom(ctx context.Context, st *study.Study, subjects []*study.Subject, fs []RowFeatures,
	sets [][]RowFeatures, split study.Split) ([][]Prediction, error) {
	return (&fits{st: st, subjects: subjects, features: fs, split: split}).predict(ctx, sets)
}

// fits are ridges from the training rows of subjects, which predict a split. Responses are read by rows, once for each
// group of voxels that memory allows, and the ridge of a block of voxels is gone when it has predicted.
type fits struct {
	st       *study.Study
	subjects []*study.Subject
	features []RowFeatures
	split    study.Split
	alphas   [][]float64 // (voxels) of each subject; nil: cross-validated
	columns  [][]int     // the voxels of each subject, ascending; nil: all
	of       []int       // voxels of each subject of which columns are a share; nil: they are all
}

// responses returns the training responses of a subject as a ridge reads them.
func (f *fits) responses(i int) ridge.Responses {
	y := f.subjects[i].Scored(study.Train)
	if f.columns != nil {
		y = y.Of(f.columns[i])
	}
	return ridge.Responses{Reader: y, Voxels: y.Columns}
}

// predict predicts the split from sets of features. The result is indexed by set, then by subject.
func (f *fits) predict(ctx context.Context, sets [][]RowFeatures) ([][]Prediction, error) {
	out := make([][]Prediction, len(sets))
	for s := range out {
		out[s] = make([]Prediction, len(f.subjects))
	}
	for _, group := range study.SameRows(f.subjects) {
		all := 0
		for _, i := range group {
			if f.of != nil {
				all += f.of[i]
			}
		}
		if f.columns != nil {
			group = slices.DeleteFunc(group, func(i int) bool { return len(f.columns[i]) == 0 })
		}
		if len(group) == 0 {
			continue
		}
		var ys []ridge.Responses
		var given []float64
		for _, i := range group {
			y := f.responses(i)
			ys = append(ys, y)
			if f.alphas != nil {
				given = append(given, f.alphas[i]...)
			}
			n := f.subjects[i].RowsOf(f.split)
			alphas := make([]float64, y.Voxels)
			for s := range sets {
				out[s][i] = Prediction{Rows: n, Pred: make([]float32, n*y.Voxels), Alphas: alphas}
			}
		}
		if f.stacked() {
			weights, err := f.stack(ctx, group)
			if err != nil {
				return nil, err
			}
			for s := range sets {
				for k, i := range group {
					out[s][i].Stack = weights[k]
				}
			}
		}
		best := make([][]float64, len(group)) // scores of the features that each voxel takes
		for l := range f.features {
			opt := f.options(l, all)
			if given != nil {
				opt.Alphas, opt.Given = nil, given
			}
			if err := f.predictLayer(ctx, group, ys, opt, l, sets, best, out); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// options returns those of the ridge on one of the features, for a number of voxels of which these are a share.
func (f *fits) options(l, voxels int) ridge.Options {
	opt := f.st.RidgeOptions()
	if f.stacked() { // r would leave the scale of a prediction open, and sums need the right one
		opt.Metric = ridge.R2
	}
	if f.features[l].Options != nil {
		f.features[l].Options(&opt)
	}
	if f.of != nil {
		opt.Unit, opt.Of = columns.Width, voxels
	}
	return opt
}

// predictLayer fits one of the features for subjects with the same rows, and takes its predictions for the voxels that
// it scores best.
func (f *fits) predictLayer(ctx context.Context, group []int, ys []ridge.Responses, opt ridge.Options, l int,
	sets [][]RowFeatures, best [][]float64, out [][]Prediction) error {
	first := f.subjects[group[0]]
	xs := make([][]float32, len(sets))
	for s, set := range sets {
		xs[s], _ = set[l].Stack(first, f.split)
	}
	x, rows := f.features[l].Stack(first, study.Train)
	_, err := ridge.FitBlocks(ctx, x, rows, ys, opt, func(ctx context.Context, k, from int, m *ridge.Model) error {
		if best[k] == nil {
			best[k] = make([]float64, ys[k].Voxels)
		}
		var better []int // voxels of the block
		for v := range m.Voxels {
			switch at := from + v; {
			case f.stacked(): // all are summed
			case l > 0 && (m.Scores == nil || m.Scores[v] <= best[k][at]):
				continue
			case m.Scores != nil:
				best[k][at] = m.Scores[v]
			}
			better = append(better, v)
		}
		for s := range sets {
			p := &out[s][group[k]]
			pred, err := m.Predict(ctx, xs[s], p.Rows)
			if err != nil {
				return err
			}
			for row := range p.Rows {
				to, of := p.Pred[row*ys[k].Voxels+from:], pred[row*m.Voxels:]
				for _, v := range better {
					if p.Stack == nil {
						to[v] = of[v]
					} else {
						to[v] += float32(p.Stack[(from+v)*len(f.features)+l]) * of[v]
					}
				}
			}
		}
		for _, v := range better { // sets share them
			if of, n := out[0][group[k]].Stack, len(f.features); of != nil && !isLargest(of[(from+v)*n:][:n], l) {
				continue
			}
			out[0][group[k]].Alphas[from+v] = m.Alphas[v]
		}
		return nil
	})
	return err
}

// isLargest reports whether weight l is the first of the largest.
func isLargest(weights []float64, l int) bool {
	return slices.Index(weights, slices.Max(weights)) == l
}
