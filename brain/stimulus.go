package brain

import (
	"cmp"
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/wavlm"
)

// stimulus is a story as the speech model hears it: its waveform, the windows in it, and the weights that carry the
// windows' features to rows.
type stimulus struct {
	name       string
	rows       int
	samples    []float32
	windows    []design.Window
	clips      []clip          // that own them
	groups     []design.Rows   // of clips, in which what is frozen is computed
	shared     bool            // clips own several windows
	weights    *design.Weights // (rows, windows)
	training   *design.Weights // the same, but as compat wants it while tuning
	statistics []design.Rows   // rows behind the z-score of features
}

// own finds the clips of the windows.
func (st *stimulus) own(m experiment.Model) {
	if st.shared = m.Extraction == experiment.ExtractChunks; st.shared {
		st.clips = blockClips(st.windows, len(st.samples), samplesOf(m.ChunkSeconds), samplesOf(m.WindowSeconds))
	} else {
		st.clips = ownClips(st.windows)
	}
	st.groups = groups(st.clips)
}

// cut cuts the waveform of a story into windows and finds the weights that carry them to its rows.
func cut(exp *experiment.Experiment, clock design.Clock, story string, samples []float32, rows int) (*stimulus, error) {
	if exp.Compat.TimesAtTRStarts {
		clock.RowTime = 0
	}
	st := &stimulus{name: story, rows: rows, samples: samples}
	st.windows = design.Windows(len(samples), dataset.SampleRate, exp.Model.WindowSeconds, exp.Model.StrideSeconds)
	if len(st.windows) == 0 {
		return nil, fault.New(fault.BadData, "cut windows", story, "%.3g s of audio give no window of %g s every %g s",
			float64(len(samples))/dataset.SampleRate, exp.Model.WindowSeconds, exp.Model.StrideSeconds)
	}
	st.own(exp.Model)
	times, ends := clock.Times(0, rows), design.FeatureTimes(st.windows)
	if exp.Model.Downsample == experiment.DownsampleAverage {
		st.weights = design.Average(times, ends, clock.TR, clock.RowTime)
		st.training = st.weights
		return st, nil
	}
	opt := design.LanczosOptions{Cutoff: 1 / clock.TR}
	st.weights = design.Lanczos(times, ends, opt)
	st.training = st.weights
	if opt.ClipNegative = exp.Compat.ClipLanczos; opt.ClipNegative {
		st.training = design.Lanczos(times, ends, opt)
	}
	return st, nil
}

func (st *Study) loadStimuli(ctx context.Context) error {
	st.stimuli = map[string]*stimulus{}
	for _, story := range st.Data.Stories() {
		rows := 0
		for _, p := range st.people {
			if r := p.responses[story]; r != nil && p.statisticsRows(story) != nil {
				rows = max(rows, r.rows)
			}
		}
		if rows == 0 {
			continue
		}
		s, err := st.loadStimulus(ctx, story, func(design.Clock, int) int { return rows })
		if err != nil {
			return err
		}
		s.statistics = statisticsRows(st.people, story)
		st.stimuli[story] = s
		st.stories = append(st.stories, story)
	}
	return nil
}

// loadStimulus reads the audio of a story, if no variant has done so, and cuts it. The function says how many rows it
// has, given its clock and samples.
func (st *Study) loadStimulus(ctx context.Context, story string, rows func(design.Clock, int) int) (*stimulus, error) {
	wave, err := st.wave(ctx, story)
	if err != nil {
		return nil, err
	}
	clock, err := st.Data.Clock(story)
	if err != nil {
		return nil, err
	}
	return cut(st.Experiment, clock, story, wave, rows(clock, len(wave)))
}

// wave is the audio of a story as the model hears it.
func (st *Study) wave(ctx context.Context, story string) ([]float32, error) {
	if wave := st.waves[story]; wave != nil {
		return wave, nil
	}
	defer torch.Part(ctx, PartData)()
	wave, err := st.Data.Audio(ctx, story)
	if err != nil {
		return nil, err
	}
	if st.normalises() {
		wave = wavlm.Normalise(wave)
	}
	st.waves[story] = wave
	return wave, nil
}

// normalises says whether the whole waveform of a story is standardised.
func (st *Study) normalises() bool {
	how := st.Experiment.Model.Normalise
	return how == experiment.NormaliseStory || how == experiment.NormaliseAuto && st.Model.Preprocessor.Normalise
}

// statisticsRows are the rows of a story behind the z-score of its features: those of the first split in which
// anybody has the story.
func statisticsRows(people []*person, story string) []design.Rows {
	for _, split := range Splits {
		var rows []design.Rows
		for _, p := range people {
			for _, r := range p.parts[split] {
				if r.Story == story {
					rows = append(rows, design.Rows{From: r.From, To: r.To})
				}
			}
		}
		if rows != nil {
			return union(rows)
		}
	}
	return nil
}

// union sorts ranges of rows and joins those that touch, so that each row counts once.
func union(rows []design.Rows) (out []design.Rows) {
	slices.SortFunc(rows, func(a, b design.Rows) int { return cmp.Compare(a.From, b.From) })
	for _, r := range rows {
		if last := len(out) - 1; last >= 0 && r.From <= out[last].To {
			out[last].To = max(out[last].To, r.To)
			continue
		}
		out = append(out, r)
	}
	return out
}
