package encoding

import (
	"context"

	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// Represent returns the features of a story at its rows from the speech model, tuned or untuned
// (nil), neither standardised nor delayed: (rows, channels). The story need not be in a split; its
// rows are those that end within its audio.
func Represent(ctx context.Context, st *study.Study, tuned *study.Tuned, story string) (x []float32, channels int,
	err error) {
	model := st.Model
	if tuned != nil {
		model = tuned.Model
	}
	stim := st.Stimuli[story]
	if stim == nil {
		if stim, err = st.LoadUnheard(ctx, story); err != nil {
			return nil, 0, err
		}
	}
	windows, err := st.Reader(model).Features(ctx, stim, []int{st.Experiment.Model.Layer})
	if err != nil {
		return nil, 0, err
	}
	channels = len(windows[0]) / len(stim.Windows)
	return stim.Design.Resample(windows[0], channels), channels, nil
}
