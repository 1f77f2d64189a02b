package encoding

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/internal/study"
)

// Regressors are the features that a person's regressors make of stories, as many rows as the stories have.
func Regressors(ctx context.Context, st *study.Study, person string, of Regressor, stories []string) (RowFeatures, error) {
	f := RowFeatures{Rows: map[string][]float32{}}
	for _, story := range stories {
		x, columns, err := of(ctx, person, story)
		if err != nil {
			return f, err
		}
		stim := st.Stimuli[story]
		x = x[:stim.Rows*columns]
		z := design.FitZScore(x, stim.Rows, columns, stim.Statistics...)
		f.Width = columns * len(st.Delays)
		f.Rows[story] = design.FIR(z.Apply(x), stim.Rows, columns, st.Delays)
	}
	return f, nil
}
