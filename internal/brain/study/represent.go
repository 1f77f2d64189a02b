package study

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
)

// LoadUnheard loads a story without responses in the study.
func (st *Study) LoadUnheard(ctx context.Context, story string) (*windows.Stimulus, error) {
	stim, err := st.loadStimulus(ctx, story, func(c design.Clock, samples int) int {
		return max(0, int((float64(samples)/dataset.SampleRate-c.First)/c.TR))
	})
	if err != nil {
		return nil, err
	}
	st.Stimuli[story] = stim
	return stim, nil
}

// Pool returns, for each layer of a model (the study's, or one of the same shape), one vector for
// each span of a story: the mean over the frames whose middle is in it, or the frame nearest to its
// middle if there is none; (spans, channels). The frames have a context of 2 s or more on both
// sides, unlike the windows that predict responses. Spans beyond the audio get its first or last
// frame.
func (st *Study) Pool(ctx context.Context, model speech.Encoder, story string, spans []windows.Span,
	layers []int) (x [][]float32, err error) {
	wave, err := st.Wave(ctx, story)
	if err != nil {
		return nil, err
	}
	arch := model.Architecture()
	width, hop := arch.Width, arch.Hop
	clip, margin := windows.ClipSeconds*dataset.SampleRate/hop*hop, windows.MarginSeconds*dataset.SampleRate/hop*hop
	frames := windows.FramesOf(spans, arch, model.Frames(len(wave)))
	sums := make([][]float64, len(layers))
	for i := range sums {
		sums[i] = make([]float64, len(spans)*width)
	}
	for start := 0; start < len(wave); start += clip {
		from, to := max(0, start-margin), min(len(wave), start+clip+margin)
		first, own := from/hop, design.Rows{From: start / hop, To: (start + clip) / hop}
		if !windows.Overlap(frames, own) || to-from < arch.MinSamples {
			continue
		}
		err := model.Session().Infer(ctx, func(s *torch.Scope) error {
			samples := wave[from:to]
			if st.normalise == experiment.NormaliseWindow {
				samples = speech.Normalise(samples)
			}
			hidden := model.Forward(model.FrontEnd(s.FromFloat32(samples, 1, to-from)), 0, slices.Max(layers),
				speech.Pass{})
			for i, l := range layers {
				h := hidden[l].ToType(torch.Float32).Float32s() // (1, T, E)
				for k, f := range frames {
					for at := max(f.From, own.From); at < min(f.To, own.To, first+model.Frames(to-from)); at++ {
						for c, v := range h[(at-first)*width:][:width] {
							sums[i][k*width+c] += float64(v) / float64(f.To-f.From)
						}
					}
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	for _, sum := range sums {
		y := make([]float32, len(sum))
		for j, v := range sum {
			y[j] = float32(v)
		}
		x = append(x, y)
	}
	return x, nil
}

// Heard returns the spans of audio, by story, that are aligned with the rows of a split.
func (st *Study) Heard(split Split) (stories []string, spans map[string][]windows.Span, err error) {
	spans = map[string][]windows.Span{}
	for _, story := range st.StoriesOf(split) {
		clock, err := st.Data.Clock(story)
		if err != nil {
			return nil, nil, err
		}
		var rows []design.Rows
		for _, p := range st.Subjects {
			for _, r := range p.Parts[split] {
				if r.Story == story {
					rows = append(rows, design.Rows{From: r.From, To: r.To})
				}
			}
		}
		for _, r := range union(rows) {
			begin := clock.First + float64(r.From)*clock.TR
			spans[story] = append(spans[story], windows.Span{From: max(0, begin),
				To: begin + float64(r.To-r.From)*clock.TR})
		}
		stories = append(stories, story)
	}
	return stories, spans, nil
}
