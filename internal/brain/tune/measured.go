package tune

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/internal/brain/sections"
)

// FillBlock computes and caches what the windows of a block need of frozen layers.
func (t *Trainer) FillBlock(ctx context.Context, b Block, layers []int) error {
	stim := t.Study.Stimuli[b.Story]
	section := sections.Of(stim.Tuning, b.From, b.To, t.Study.Experiment.Train.ContextRows)
	for _, unit := range t.Reader.Units(stim, section.Vectors.From, section.Vectors.To) {
		if err := t.Reader.Fill(ctx, stim, unit, layers); err != nil {
			return err
		}
	}
	return nil
}

// UnitStatistics sets mean 0 and SD 1 for the features of all stories, so that the time of steps can be measured
// before the statistics are.
func (t *Trainer) UnitStatistics() {
	t.Zscore = map[string]design.ZScore{}
	channels := t.Study.Model.Architecture().Width
	for _, story := range t.Study.Stories {
		t.Zscore[story] = design.ZScore{Mean: make([]float64, channels), SD: slices.Repeat([]float64{1}, channels)}
	}
}
