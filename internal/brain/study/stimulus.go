package study

import (
	"cmp"
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/phases"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
)

func (st *Study) loadStimuli(ctx context.Context) error {
	st.Stimuli = map[string]*windows.Stimulus{}
	for _, story := range st.Data.Stories() {
		rows := 0
		for _, p := range st.Subjects {
			if p.statisticsRows(story) != nil {
				rows = max(rows, p.Responses.Rows(story))
			}
		}
		if rows == 0 {
			continue
		}
		s, err := st.loadStimulus(ctx, story, func(design.Clock, int) int { return rows })
		if err != nil {
			return err
		}
		s.SetStatistics(StatisticsRows(st.Subjects, story))
		st.Stimuli[story] = s
		st.Stories = append(st.Stories, story)
	}
	return nil
}

// loadStimulus reads the audio of a story, unless a variant of the study has, and cuts it. The
// function returns the number of rows for a clock and a number of samples.
func (st *Study) loadStimulus(ctx context.Context, story string, rows func(design.Clock, int) int) (*windows.Stimulus,
	error) {
	wave, err := st.Wave(ctx, story)
	if err != nil {
		return nil, err
	}
	clock, err := st.Data.Clock(story)
	if err != nil {
		return nil, err
	}
	return windows.Cut(st.Experiment, st.Delays, clock, story, wave, rows(clock, len(wave)))
}

// Wave returns the audio of a story as the model gets it: 16 kHz, normalised.
func (st *Study) Wave(ctx context.Context, story string) ([]float32, error) {
	if wave := st.waves[story]; wave != nil {
		return wave, nil
	}
	defer torch.Part(ctx, phases.PartData)()
	wave, err := st.Data.Audio(ctx, story)
	if err != nil {
		return nil, err
	}
	if s, err := st.Data.Story(story); err == nil && s.Remarks != nil {
		for _, note := range s.Remarks() {
			st.Note("recording of %s: %s", story, note)
		}
	}
	if err := st.heard(story, wave); err != nil {
		return nil, err
	}
	if st.normalise == experiment.NormaliseStory {
		wave = speech.Normalise(wave)
	}
	st.waves[story] = wave
	return wave, nil
}

// StatisticsRows returns the rows whose mean and SD standardise the features of a story: those of
// the first split that has the story.
func StatisticsRows(subjects []*Subject, story string) []design.Rows {
	for _, split := range Splits {
		var rows []design.Rows
		for _, p := range subjects {
			for _, r := range p.Parts[split] {
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
