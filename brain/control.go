package brain

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/align"
	"github.com/brainwavlm/bwlm/brain/stats"
)

// Regressor gives what is known about a story without a speech model: (rows, columns), row by row.
type Regressor func(story string) (x []float32, columns int)

// Control scores regressors in the place of speech features, with the same delays, rows and ridge: what loudness,
// word rate or the identity of words alone would reach.
func (st *Study) Control(ctx context.Context, of Regressor) (*System, error) {
	f := rowFeatures{rows: map[string][]float32{}}
	for _, story := range st.storiesOf(Train, Test) {
		stim := st.stimuli[story]
		x, columns := of(story)
		x = x[:stim.rows*columns]
		z := align.FitZScore(x, stim.rows, columns, stim.statistics...)
		f.width = columns * len(st.delays)
		f.rows[story] = align.FIR(z.Apply(x), stim.rows, columns, st.delays)
	}
	predicted, err := st.predict(ctx, []rowFeatures{f}, Test)
	if err != nil {
		return nil, err
	}
	groups, err := st.groups(ctx)
	if err != nil {
		return nil, err
	}
	out := &System{ROIs: map[string]float64{}}
	for i, p := range st.people {
		want, rows := p.want(Test)
		r, constant := stats.Correlation(predicted[i].pred, want, rows, p.voxels)
		for _, g := range groups {
			var columns []int
			if g.Columns != nil {
				columns = g.Columns[i]
			}
			mean, _ := stats.Mean(r, constant, columns)
			mean /= float64(len(st.people))
			if g.Name == everything {
				out.MeanR += mean
			} else {
				out.ROIs[g.Name] += mean
			}
		}
	}
	return out, nil
}
