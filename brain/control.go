package brain

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/wavlm"
)

// Regressor gives what is known about a story without a speech model, or about a person while they heard it: (rows,
// columns), at least as many rows as anybody in the study has.
type Regressor func(ctx context.Context, person, story string) (x []float32, columns int, err error)

// Control scores regressors in the place of tuned features, with the same delays, rows, folds and seeds: what loudness,
// word rate, position or head motion alone would reach. Name says what they are.
func (b *Baseline) Control(ctx context.Context, name string, of Regressor) (*Evaluation, error) {
	st := b.study
	predicted := make([]prediction, len(st.people))
	for i, p := range st.people {
		alone := st.people[i : i+1]
		f, err := st.regressors(ctx, p.name, of, st.storiesIn(alone, Train, Test))
		if err != nil {
			return nil, err
		}
		one, err := st.predict(ctx, alone, []rowFeatures{f}, Test)
		if err != nil {
			return nil, err
		}
		predicted[i] = one[0]
	}
	return b.beside(ctx, name, predicted, nil)
}

// BestLayer scores the untuned model's layer that validation likes best in the place of tuned features.
func (b *Baseline) BestLayer(ctx context.Context) (*Evaluation, error) {
	return b.beside(ctx, "best untuned layer", b.best, &b.bestLayer)
}

// ScoreLayers scores a model, the study's own or a tuned one, at each of the layers on the test rows.
func (st *Study) ScoreLayers(ctx context.Context, model *wavlm.Model, layers []int) ([]System, error) {
	groups, err := st.groups(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := st.look("layers", st.people, groups); err != nil {
		return nil, err
	}
	features, err := st.read(ctx, st.reader(model), "read layers", st.storiesOf(Train, Test), layers...)
	if err != nil {
		return nil, err
	}
	out := make([]System, len(layers))
	for l := range layers {
		st.opt.Progress(Event{Phase: "score layers", Done: l, Total: len(layers)})
		predicted, err := st.predict(ctx, st.people, features[l:l+1], Test)
		if err != nil {
			return nil, err
		}
		out[l] = system(st.people, predicted, groups)
		out[l].Layer = &layers[l]
	}
	st.opt.Progress(Event{Phase: "score layers", Done: len(layers), Total: len(layers)})
	return out, nil
}

// system is the score of predictions of the subjects' test rows, without an interval.
func system(subjects []*person, predicted []prediction, groups []stats.Group) System {
	s := System{ROIs: map[string]float64{}}
	for i, p := range subjects {
		want, rows := p.want(Test)
		r, constant := stats.Correlation(predicted[i].pred, want, rows, p.voxels)
		for _, g := range groups {
			var columns []int
			if g.Columns != nil {
				columns = g.Columns[i]
			}
			mean, _ := stats.Mean(r, constant, columns)
			mean /= float64(len(subjects))
			if g.Name == everything {
				s.MeanR += mean
			} else {
				s.ROIs[g.Name] += mean
			}
		}
	}
	return s
}
