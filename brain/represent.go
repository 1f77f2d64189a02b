package brain

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/acoustic"
	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/wavlm"
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
	stim, err := st.loadStimulus(ctx, story, func(c design.Clock, samples int) int {
		return max(0, int((float64(samples)/dataset.SampleRate-c.First)/c.TR))
	})
	if err != nil {
		return nil, err
	}
	st.stimuli[story] = stim
	return stim, nil
}

// Span is a stretch of a story's audio, in seconds.
type Span struct{ From, To float64 }

// How a story is read frame by frame: in clips, with margins on both sides that are read and thrown away, since frames
// at the edge of a clip know only one side of their neighbourhood. A clip is a multiple of a frame's 20 ms.
const (
	clipSeconds   = 8
	marginSeconds = 2
)

// Pool gives, for each of the layers of a model (the study's own, or a tuned or other one of the same shape), one vector
// for each span of a story: the mean over the frames whose middle is in it, or the frame nearest to its middle if there
// is none; (spans, channels). The frames see 2 s or more on both sides, unlike the windows that predict responses.
// Spans beyond the audio get its first or last frame.
func (st *Study) Pool(ctx context.Context, model *wavlm.Model, story string, spans []Span, layers []int) (x [][]float32, err error) {
	wave, err := st.wave(ctx, story)
	if err != nil {
		return nil, err
	}
	cfg := model.Config
	const clip, margin = clipSeconds * dataset.SampleRate, marginSeconds * dataset.SampleRate
	frames := framesOf(spans, cfg.Frames(len(wave)))
	sums := make([][]float64, len(layers))
	for i := range sums {
		sums[i] = make([]float64, len(spans)*cfg.Hidden)
	}
	for start := 0; start < len(wave); start += clip {
		from, to := max(0, start-margin), min(len(wave), start+clip+margin)
		first, own := from/acoustic.Hop, design.Rows{From: start / acoustic.Hop, To: (start + clip) / acoustic.Hop}
		if !heard(frames, own) || to-from < cfg.MinSamples() {
			continue
		}
		err := model.Session().Infer(ctx, func(s *torch.Scope) error {
			samples := wave[from:to]
			if st.Experiment.Model.Normalise == experiment.NormaliseWindow {
				samples = wavlm.Normalise(samples)
			}
			hidden := model.Encoder.Forward(model.FrontEnd.Forward(s.FromFloat32(samples, 1, to-from)), slices.Max(layers), wavlm.Pass{})
			for i, l := range layers {
				h := hidden[l].To(torch.Float32).Float32s() // (1, T, E)
				for k, f := range frames {
					for at := max(f.From, own.From); at < min(f.To, own.To, first+len(h)/cfg.Hidden); at++ {
						for c, v := range h[(at-first)*cfg.Hidden:][:cfg.Hidden] {
							sums[i][k*cfg.Hidden+c] += float64(v) / float64(f.To-f.From)
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

// framesOf are the frames whose middles are in each span, at least one, of so many.
func framesOf(spans []Span, frames int) []design.Rows {
	out := make([]design.Rows, len(spans))
	for i, s := range spans {
		from, to := acoustic.Nearest(s.From), acoustic.Nearest(s.To)
		if acoustic.Time(from) < s.From {
			from++
		}
		if acoustic.Time(to) < s.To {
			to++
		}
		if to <= from {
			from = acoustic.Nearest((s.From + s.To) / 2)
			to = from + 1
		}
		from = min(max(from, 0), frames-1)
		out[i] = design.Rows{From: from, To: min(max(to, from+1), frames)}
	}
	return out
}

// heard says whether any of the stretches meets the rows.
func heard(frames []design.Rows, rows design.Rows) bool {
	return slices.ContainsFunc(frames, func(f design.Rows) bool { return f.From < rows.To && rows.From < f.To })
}

// Heard lists the stretches of audio, story by story, that are aligned with the rows of a split.
func (st *Study) Heard(split Split) (stories []string, spans map[string][]Span, err error) {
	spans = map[string][]Span{}
	for _, story := range st.storiesOf(split) {
		clock, err := st.Data.Clock(story)
		if err != nil {
			return nil, nil, err
		}
		var rows []design.Rows
		for _, p := range st.people {
			for _, r := range p.parts[split] {
				if r.Story == story {
					rows = append(rows, design.Rows{From: r.From, To: r.To})
				}
			}
		}
		for _, r := range union(rows) {
			begin := clock.First + float64(r.From)*clock.TR
			spans[story] = append(spans[story], Span{max(0, begin), begin + float64(r.To-r.From)*clock.TR})
		}
		stories = append(stories, story)
	}
	return stories, spans, nil
}
