package brain

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/align"
	"github.com/brainwavlm/bwlm/brain/dataset"
)

// Represent gives the features of a story at its rows, neither standardised nor delayed, (rows, channels): what the
// speech model, tuned or not (nil), makes of it. The story need not be in a split; rows are those that end within its
// audio.
func (st *Study) Represent(ctx context.Context, tuned *Tuned, story string) (x []float32, channels int, err error) {
	model := st.Model
	if tuned != nil {
		model = tuned.Model
	}
	stim := st.stimuli[story]
	if stim == nil {
		if stim, err = st.loadUnheard(ctx, story); err != nil {
			return nil, 0, err
		}
	}
	windows, err := st.reader(model).features(ctx, stim, []int{st.Experiment.Model.Layer})
	if err != nil {
		return nil, 0, err
	}
	channels = len(windows[0]) / len(stim.windows)
	return stim.weights.Apply(windows[0], channels), channels, nil
}

// loadUnheard loads a story that nobody in the study answered to.
func (st *Study) loadUnheard(ctx context.Context, story string) (*stimulus, error) {
	stim, err := st.loadStimulus(ctx, story, func(c align.Clock, samples int) int {
		return max(0, int((float64(samples)/dataset.SampleRate-c.First)/c.TR))
	})
	if err != nil {
		return nil, err
	}
	st.stimuli[story] = stim
	return stim, nil
}
