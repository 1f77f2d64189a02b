package evaluate

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/speech"
)

// Control scores regressors (loudness, word rate, position, head motion) as if they were the tuned
// features, with the same delays, rows, folds and seeds. Name describes them.
func (b *Baseline) Control(ctx context.Context, name string, of encoding.Regressor) (*Evaluation, error) {
	st := b.Study
	predicted := make([]encoding.Prediction, len(st.Subjects))
	for i, p := range st.Subjects {
		alone := st.Subjects[i : i+1]
		f, err := encoding.Regressors(ctx, st, p.Name, of, st.StoriesIn(alone, study.Train, study.Test))
		if err != nil {
			return nil, err
		}
		one, err := encoding.Predict(ctx, st, alone, []encoding.RowFeatures{f}, study.Test)
		if err != nil {
			return nil, err
		}
		predicted[i] = one[0]
	}
	return b.beside(ctx, name, predicted, nil)
}

// BestLayer scores the untuned model's best layer on the validation rows as if it were the tuned model.
func (b *Baseline) BestLayer(ctx context.Context) (*Evaluation, error) {
	return b.beside(ctx, "best untuned layer", b.Best, &b.bestLayer)
}

// ScoreLayers scores each of the given layers of a model, tuned or not, on the test rows.
func ScoreLayers(ctx context.Context, st *study.Study, model speech.Encoder, layers []int) ([]results.ModelScore,
	error) {
	groups, err := st.Groups(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := recordTestRead(st, "layers", st.Subjects, groups); err != nil {
		return nil, err
	}
	features, err := encoding.Read(ctx, st, st.Reader(model), progress.Read("layers"), st.StoriesOf(study.Train,
		study.Test),
		layers...)
	if err != nil {
		return nil, err
	}
	out := make([]results.ModelScore, len(layers))
	for l := range layers {
		st.Options.Progress(progress.Event{Phase: progress.ScoreLayers, Done: l, Total: len(layers)})
		predicted, err := encoding.Predict(ctx, st, st.Subjects, features[l:l+1], study.Test)
		if err != nil {
			return nil, err
		}
		if out[l], err = scoreOf(ctx, st.Subjects, predicted, groups); err != nil {
			return nil, err
		}
		out[l].Layer = &layers[l]
	}
	st.Options.Progress(progress.Event{Phase: progress.ScoreLayers, Done: len(layers), Total: len(layers)})
	return out, nil
}

// scoreOf returns the score of predictions of test rows, without an interval.
func scoreOf(ctx context.Context, subjects []*study.Subject, predicted []encoding.Prediction,
	groups []stats.Group) (results.ModelScore, error) {
	s := results.ModelScore{ROIs: map[string]float64{}}
	for i, p := range subjects {
		want, rows, err := p.ReadSplit(ctx, study.Test)
		if err != nil {
			return s, err
		}
		r, constant := stats.Correlation(predicted[i].Pred, want, rows, p.Voxels)
		for _, g := range groups {
			var columns []int
			if g.Columns != nil {
				columns = g.Columns[i]
			}
			mean, _ := stats.Mean(r, constant, columns)
			mean /= float64(len(subjects))
			if g.Name == study.Everything {
				s.MeanR += mean
			} else {
				s.ROIs[g.Name] += mean
			}
		}
	}
	return s, nil
}
