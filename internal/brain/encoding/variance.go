package encoding

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// Regressors returns the features of stories from a subject's regressors, with as many rows as the stories.
func Regressors(ctx context.Context, st *study.Study, subject string, of Regressor, stories []string) (RowFeatures,
	error) {
	return regressors(ctx, st, subject, of, stories, nil)
}

// OwnFeatures returns the features of stories that the data set has. Those with a column for each bin of a clip have no
// lags, and go on after the clip's end.
func OwnFeatures(ctx context.Context, st *study.Study, name string, stories []string) (RowFeatures, error) {
	var change func(*design.StoryDesign)
	if st.Data.EachBin(name) {
		change = func(d *design.StoryDesign) { d.Delays, d.Present = []int{0}, nil }
	}
	return regressors(ctx, st, "", Own(st, name), stories, change)
}

func regressors(ctx context.Context, st *study.Study, subject string, of Regressor, stories []string,
	change func(*design.StoryDesign)) (RowFeatures, error) {
	f := RowFeatures{Rows: map[string][]float32{}}
	for _, story := range stories {
		x, columns, err := of(ctx, subject, story)
		if err != nil {
			return f, err
		}
		stim := st.Stimuli[story]
		x = x[:stim.Rows*columns]
		d := *stim.Design
		d.Delays, d.Weights = st.Delays, nil
		if change != nil {
			change(&d)
		}
		f.Width, f.Delays, f.Unit = d.Width(columns), d.Delays, d.Unit
		f.Rows[story], _ = d.Undelayed(x, columns)
	}
	return f, nil
}
