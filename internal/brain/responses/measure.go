package responses

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/internal/brain/colstats"
)

// Measure reads the responses and keeps of each column what rows need: drift, mean and SD, and
// which columns vary. Values that are not finite are refused. It reads each story twice, the
// stories of several repeats and those with drift more often, in bounded memory.
func (s *SubjectResponses) Measure(ctx context.Context) error {
	if s.measured || len(s.names) == 0 {
		s.measured = true
		return nil
	}
	m := &measurement{SubjectResponses: s, extremes: make([]*extremes, len(s.splits))}
	for i, e := range s.extremes {
		if e == nil {
			m.extremes[i] = newExtremes(s.Columns)
		}
	}
	train := s.how.ZScore == ZScoreTrain && s.stories[s.names[0]].zscore == nil
	grouped := false
	if train {
		m.sums = colstats.NewMoments(count(s.train()), s.Columns)
		grouped = isGrouped(s.train())
	}
	for _, name := range s.order() {
		if err := m.story(ctx, name, train && grouped); err != nil {
			return err
		}
	}
	if train {
		if err := m.fitTrain(ctx, grouped); err != nil {
			return err
		}
	}
	for i, e := range m.extremes {
		if e != nil {
			s.extremes[i] = e
		}
	}
	s.measured = true
	return nil
}

// train returns the ranges of the first split.
func (s *SubjectResponses) train() []design.Rows {
	if len(s.splits) == 0 {
		return nil
	}
	return s.splits[0]
}

// order lists the stories, those of the first split first, in its order: sums over it run through
// its stories.
func (s *SubjectResponses) order() (names []string) {
	for _, r := range s.train() {
		if !slices.Contains(names, r.Story) {
			names = append(names, r.Story)
		}
	}
	for _, name := range s.names {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// statisticsRows returns the rows of a story that its mean and SD come from: those of the first
// split that has the story, so that no later split takes part; nil if none has it.
func (s *SubjectResponses) statisticsRows(story string) []design.Rows {
	for _, split := range s.splits {
		if rows := of(split, story); rows != nil {
			return rows
		}
	}
	return nil
}

// of returns the ranges of one story.
func of(rows []design.Rows, story string) (out []design.Rows) {
	for _, r := range rows {
		if r.Story == story {
			out = append(out, r)
		}
	}
	return out
}

// count returns the number of rows of some ranges.
func count(rows []design.Rows) (n int) {
	for _, r := range rows {
		n += r.Len()
	}
	return n
}

// ascend reports whether ranges of one story follow each other, so that one pass over its rows
// meets them in order.
func ascend(rows []design.Rows) bool {
	for i := 1; i < len(rows); i++ {
		if rows[i].From < rows[i-1].To {
			return false
		}
	}
	return true
}

// isGrouped reports whether the ranges of each story stand together, so that sums over them can run
// story by story.
func isGrouped(rows []design.Rows) bool {
	for i, r := range rows {
		if i > 0 && rows[i-1].Story != r.Story && of(rows[:i], r.Story) != nil {
			return false
		}
	}
	return true
}

// contains reports whether one of the ranges has row k.
func contains(rows []design.Rows, k int) bool {
	for _, r := range rows {
		if r.From <= k && k < r.To {
			return true
		}
	}
	return false
}

// measurement is a Measure in progress.
type measurement struct {
	*SubjectResponses
	extremes []*extremes       // by split; nil: those of the subject hold
	sums     *colstats.Moments // of all training rows, under ZScoreTrain
}

// story measures one story. If addTrain, its training rows are added to the mean of all training
// rows.
func (m *measurement) story(ctx context.Context, name string, addTrain bool) error {
	st := m.stories[name]
	p := newStoryPass(st)
	for i, e := range m.extremes {
		if rows := of(m.splits[i], name); e != nil && rows != nil {
			p.parts = append(p.parts, part{rows, e, newExtremes(m.Columns)})
		}
	}
	if p.own = m.how.ZScore == ZScoreStory && st.zscore == nil; p.own {
		if p.rows = m.statisticsRows(name); p.rows == nil {
			p.rows = []design.Rows{{To: st.Responses.Rows}}
		}
		p.moments = colstats.NewMoments(count(p.rows), m.Columns)
	} else if rows := of(m.train(), name); addTrain && rows != nil {
		p.rows, p.moments = rows, m.sums
	}
	if st.fit == nil {
		p.begin(m.how.Polynomials)
	} else if p.moments == nil && p.parts == nil {
		return nil
	}
	if err := p.run(ctx); err != nil {
		return err
	}
	for _, part := range p.parts {
		if m.how.ZScore == ZScoreStory {
			part.fold(st.zscore)
		} else {
			part.fold(nil)
		}
	}
	return nil
}

// fitTrain ends the statistics of all training rows.
func (m *measurement) fitTrain(ctx context.Context, added bool) error {
	visit := func(add func(column int, row []float32)) error {
		for _, r := range m.train() {
			p := newStoryPass(m.stories[r.Story])
			err := newPass(p.st.Responses).tiles(ctx, 0, m.Columns,
				func(t *tile) error { return p.over(ctx, t, []design.Rows{r}, add) })
			if err != nil {
				return err
			}
		}
		return nil
	}
	if !added {
		if err := visit(m.sums.Add); err != nil {
			return err
		}
	}
	m.sums.Centre(0, m.Columns)
	if err := visit(m.sums.AddSquares); err != nil {
		return err
	}
	mean, sd := m.sums.MeanSD()
	z := design.ZScore{Mean: mean, SD: sd}
	for _, st := range m.stories {
		st.zscore = &z
	}
	return nil
}
