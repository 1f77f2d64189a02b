package planning

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/plan"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/internal/stopwatch"
)

// withChunks estimates the seconds of the run if its windows were extracted by chunks: one chunk is read, and the
// phases that read windows or tune on them are scaled by its time. It is nil for an experiment that extracts by chunks
// already, or whose chunks would be too short.
func (c *calibration) withChunks(ctx context.Context, phases []plan.Phase, w *work) (*float64, error) {
	st := c.trainer.Study
	exp := *st.Experiment
	m := &exp.Model
	if m.Extraction != experiment.ExtractWindows || m.ChunkSeconds < 2*m.WindowSeconds {
		return nil, nil
	}
	m.Extraction = experiment.ExtractChunks
	longest := slices.MaxFunc(st.StoriesOf(study.Train),
		func(a, b string) int { return len(st.Stimuli[a].Samples) - len(st.Stimuli[b].Samples) })
	stim := st.Stimuli[longest]
	samples := stim.Samples[:min(len(stim.Samples), windows.SamplesOf(m.ChunkSeconds))]
	chunks, err := windows.Cut(&exp, st.Delays, design.Clock{TR: st.Data.TR()}, longest, samples, 1)
	if err != nil {
		return nil, err
	}
	r := windows.ClipReader(st.Model, exp.Model, exp.Train.UnitWindows)
	r.Frozen.Normalise = st.Frozen.Normalise
	took, err := stopwatch.Seconds(func() error {
		_, err := r.Features(ctx, chunks, []int{m.Layer})
		return err
	})
	if err != nil {
		return nil, err
	}
	window := (c.front + c.tuned) * float64(len(stim.Windows)) / float64(len(stim.Samples)) // for each sample
	if window <= 0 {
		return nil, nil
	}
	share := took / float64(len(samples)) / window
	total := 0.
	for _, p := range phases {
		total += p.Seconds
		switch p.Name {
		case phaseFrozen, phaseSteps, phaseRead:
			total += (share - 1) * p.Seconds
		case phaseEvaluate:
			total += (share - 1) * c.evaluateReading(w) * p.Times
		}
	}
	return &total, nil
}
