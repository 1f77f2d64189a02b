package planning

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/plan"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/internal/stopwatch"
)

// MeasureFidelity extracts the first seconds of a story by chunks and by windows, whatever model.extraction is.
func MeasureFidelity(ctx context.Context, st *study.Study, story string, length float64, layers ...int) (
	*plan.Fidelity, error) {
	wave, err := st.Wave(ctx, story)
	if err != nil {
		return nil, err
	}
	wave = wave[:min(len(wave), windows.SamplesOf(length))]
	exp := *st.Experiment
	f := &plan.Fidelity{Layers: layers}
	read := func(e experiment.Extraction) (vectors [][]float32, cost float64, err error) {
		exp.Model.Extraction = e
		stim, err := windows.Cut(&exp, windows.BOLD(&exp, st.Delays), design.Clock{TR: st.Data.TR()}, story,
			windows.InMemory(wave), 1)
		if err != nil {
			return nil, 0, err
		}
		f.Windows = len(stim.Windows)
		r := windows.ClipReader(st.Model, exp.Model, exp.Train.UnitWindows)
		r.Frozen.Normalise = st.Frozen.Normalise
		cost, err = stopwatch.Seconds(func() error { vectors, err = r.Features(ctx, stim, layers); return err })
		return vectors, cost * dataset.SampleRate / float64(len(wave)), err
	}
	exact, cost, err := read(experiment.ExtractWindows)
	if err != nil {
		return nil, err
	}
	f.WindowsCost = cost
	chunks, cost, err := read(experiment.ExtractChunks)
	if err != nil {
		return nil, err
	}
	f.ChunksCost = cost
	for i := range layers {
		r, constant := stats.Correlation(exact[i], chunks[i], f.Windows, len(exact[i])/f.Windows)
		mean, _ := stats.Mean(r, constant, nil)
		f.R = append(f.R, mean)
	}
	return f, nil
}
