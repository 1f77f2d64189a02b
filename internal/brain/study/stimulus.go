package study

import (
	"cmp"
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
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

// loadStimulus cuts the audio of a story, by the headers of its recording. The
// function returns the number of rows for a clock and a number of samples.
func (st *Study) loadStimulus(ctx context.Context, story string, rows func(design.Clock, int) int) (*windows.Stimulus,
	error) {
	samples, err := st.samplesOf(ctx, story)
	if err != nil {
		return nil, err
	}
	clock, err := st.Data.Clock(story)
	if err != nil {
		return nil, err
	}
	return windows.Cut(st.Experiment, st.Design(), clock, story, recording{st, story, samples}, rows(clock, samples))
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
