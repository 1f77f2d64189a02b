package encoding

import (
	"context"
	"maps"
	"slices"

	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/speech"
)

// againSeconds is the test audio that is read again at most.
const againSeconds = 60

// ReadAgain returns features of the untuned model's scored layers in which up to 60 s of audio of a test story of each
// subject are read again, with another number of windows at once. They differ from fs by rounding.
func ReadAgain(ctx context.Context, st *study.Study, fs []RowFeatures) ([]RowFeatures, error) {
	out := make([]RowFeatures, len(fs))
	for i, f := range fs {
		out[i] = f
		out[i].Rows, out[i].Zscore = maps.Clone(f.Rows), maps.Clone(f.Zscore)
	}
	var stories []string
	for _, p := range st.Subjects {
		if story := p.Parts[study.Test][0].Story; !slices.Contains(stories, story) {
			stories = append(stories, story)
		}
	}
	_, spans, err := st.Heard(study.Test)
	if err != nil {
		return nil, err
	}
	once, other, layers := st.Reader(st.Model), st.OtherUnits(), st.ScoredLayers()
	for k, story := range stories {
		st.Options.Progress(progress.Event{Phase: progress.Resolution, Done: k, Total: len(stories)})
		stim := st.Stimuli[story]
		// All layers are read, as for fs: the depth of the frames that are cached follows from the lowest layer.
		x, err := once.Features(ctx, stim, st.AllLayers())
		if err != nil {
			return nil, err
		}
		from, to := windowsIn(stim, spans[story][0], againSeconds/float64(len(stories)))
		if from == to {
			continue
		}
		parts, err := other.Part(ctx, stim, from, to, layers)
		if err != nil {
			return nil, err
		}
		for i := range out {
			y := slices.Clone(x[layers[i]])
			copy(y[from*len(y)/len(stim.Windows):], parts[i])
			out[i].Add(stim, y)
		}
	}
	st.Options.Progress(progress.Event{Phase: progress.Resolution, Done: len(stories), Total: len(stories)})
	return out, nil
}

// windowsIn returns the windows from ≤ i < to that lie in the first seconds of a span.
func windowsIn(stim *windows.Stimulus, span windows.Span, seconds float64) (from, to int) {
	begin := int(span.From * speech.SampleRate)
	end := begin + int(min(seconds, span.To-span.From)*speech.SampleRate)
	for from < len(stim.Windows) && stim.Windows[from].Start < begin {
		from++
	}
	for to = from; to < len(stim.Windows) && stim.Windows[to].End <= end; {
		to++
	}
	return from, to
}
