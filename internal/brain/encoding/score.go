package encoding

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/ridge"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
)

// RowFeatures are the features of stories at their rows, standardised and delayed: the input of a readout.
type RowFeatures struct {
	Width  int                      // channels times delays
	Rows   map[string][]float32     // story → (rows, width)
	Zscore map[string]design.ZScore // story → statistics of the undelayed features

	Options func(*ridge.Options) // of the ridge on them; nil: those of every score
}

// Read extracts the vectors of stories and resamples them to rows, for each of the layers.
func Read(ctx context.Context, st *study.Study, r *windows.Reader, phase progress.Phase, stories []string,
	layers ...int) ([]RowFeatures, error) {
	out := make([]RowFeatures, len(layers))
	for i := range out {
		out[i] = RowFeatures{Rows: map[string][]float32{}, Zscore: map[string]design.ZScore{}}
	}
	for n, story := range stories {
		st.Options.Progress(progress.Event{Phase: phase, Done: n, Total: len(stories)})
		stim := st.Stimuli[story]
		windows, err := r.Features(ctx, stim, layers)
		if err != nil {
			return nil, err
		}
		for i, x := range windows {
			out[i].Add(stim, x)
		}
	}
	st.Options.Progress(progress.Event{Phase: phase, Done: len(stories), Total: len(stories)})
	return out, nil
}

// Add resamples the vectors x (windows, C) of a story to rows.
func (f *RowFeatures) Add(stim *windows.Stimulus, x []float32) {
	channels := len(x) / len(stim.Windows)
	rows, z := stim.Design.Matrix(x, channels)
	if stim.Tuning != stim.Design {
		z = stim.Tuning.ZScore(x, channels)
	}
	f.Width = stim.Design.Width(channels)
	f.Rows[stim.Name], f.Zscore[stim.Name] = rows, z
}

// Stack joins the features of a subject's rows in a split: (rows, width).
func (f *RowFeatures) Stack(p *study.Subject, split study.Split) (x []float32, rows int) {
	for _, r := range p.Parts[split] {
		x = append(x, f.Rows[r.Story][r.From*f.Width:r.To*f.Width]...)
		rows += r.To - r.From
	}
	return x, rows
}

// Prediction is the prediction of a split by a ridge fitted to training rows.
type Prediction struct {
	Rows   int
	Pred   []float32 // (rows, voxels)
	Alphas []float64 // (voxels) of the ridge
}

// Predict fits a ridge for each subject on the training rows and predicts a split. Subjects with the same training rows
// share the decomposition of the features. With several features, each voxel takes those whose cross-validated score on
// the training rows is best.
func Predict(ctx context.Context, st *study.Study, subjects []*study.Subject, fs []RowFeatures,
	split study.Split) ([]Prediction, error) {
	return PredictWith(ctx, st, subjects, fs, split, nil)
}

// PredictWith is Predict with the alphas (voxels) of each subject; nil: cross-validated.
func PredictWith(ctx context.Context, st *study.Study, subjects []*study.Subject, fs []RowFeatures, split study.Split,
	alphas [][]float64) ([]Prediction, error) {
	out, err := predict(ctx, st, subjects, fs, [][]RowFeatures{fs}, split, alphas)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// PredictFrom is Predict with the ridge on fs for several sets of features in place of fs. The result is indexed by
// set, then by subject.
func PredictFrom(ctx context.Context, st *study.Study, subjects []*study.Subject, fs []RowFeatures,
	sets [][]RowFeatures, split study.Split) ([][]Prediction, error) {
	return predict(ctx, st, subjects, fs, sets, split, nil)
}

// predict fits ridges to fs, with given alphas unless they are nil, and predicts from the sets.
func predict(ctx context.Context, st *study.Study, subjects []*study.Subject, fs []RowFeatures,
	sets [][]RowFeatures, split study.Split, alphas [][]float64) ([][]Prediction, error) {
	out := make([][]Prediction, len(sets))
	for s := range out {
		out[s] = make([]Prediction, len(subjects))
	}
	for _, group := range study.SameRows(subjects) {
		first := subjects[group[0]]
		_, rows := fs[0].Stack(first, study.Train)
		var responses ridge.HStack
		var given []float64
		for _, i := range group {
			y, err := subjects[i].ReadStack(ctx, study.Train)
			if err != nil {
				return nil, err
			}
			responses = append(responses, y)
			if alphas != nil {
				given = append(given, alphas[i]...)
			}
		}
		all := make([][]float32, len(sets))
		var best, chosen []float64
		for l := range fs {
			x, _ := fs[l].Stack(first, study.Train)
			opt := st.RidgeOptions()
			if fs[l].Options != nil {
				fs[l].Options(&opt)
			}
			if given != nil {
				opt.Alphas, opt.Given = nil, given
			}
			m, err := ridge.FitColumns(ctx, x, responses, rows, responses.Cols(), opt)
			if err != nil {
				return nil, err
			}
			if l == 0 {
				best, chosen = make([]float64, m.Voxels), m.Alphas
			}
			for s, set := range sets {
				x, n := set[l].Stack(first, split)
				pred, err := m.Predict(ctx, x, n)
				if err != nil {
					return nil, err
				}
				if l == 0 {
					all[s] = pred
					continue
				}
				for v, score := range m.Scores {
					for k := v; score > best[v] && k < len(pred); k += m.Voxels {
						all[s][k] = pred[k]
					}
				}
			}
			for v, score := range m.Scores {
				if l == 0 || score > best[v] {
					best[v], chosen[v] = score, m.Alphas[v]
				}
			}
		}
		_, rows = fs[0].Stack(first, split)
		from := 0
		for k, i := range group {
			width := responses[k].Cols
			for s := range sets {
				out[s][i] = Prediction{rows, columns(all[s], rows, from, from+width),
					chosen[from : from+width]}
			}
			from += width
		}
	}
	return out, nil
}

// Besides concatenates matrices (rows, widths[k]) along columns.
func Besides(xs [][]float32, widths []int, rows int) []float32 {
	if len(xs) == 1 {
		return xs[0]
	}
	var out []float32
	for r := range rows {
		for k, x := range xs {
			out = append(out, x[r*widths[k]:(r+1)*widths[k]]...)
		}
	}
	return out
}

// columns returns some columns of x (rows, n).
func columns(x []float32, rows, from, to int) []float32 {
	n := len(x) / rows
	if from == 0 && to == n {
		return x
	}
	var out []float32
	for r := range rows {
		out = append(out, x[r*n+from:r*n+to]...)
	}
	return out
}

// At returns the elements of x at some indices.
func At[T any](x []T, places []int) []T {
	out := make([]T, len(places))
	for i, place := range places {
		out[i] = x[place]
	}
	return out
}
