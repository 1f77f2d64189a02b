package encoding

import (
	"context"

	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// Regressors returns the features of stories from a subject's regressors, with as many rows as the stories.
func Regressors(ctx context.Context, st *study.Study, subject string, of Regressor, stories []string) (RowFeatures,
	error) {
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
		f.Width, f.Delays, f.Unit = d.Width(columns), d.Delays, d.Unit
		f.Rows[story], _ = d.Undelayed(x, columns)
	}
	return f, nil
}
