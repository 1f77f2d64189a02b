package responses

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/internal/brain/colstats"
	"github.com/brainwavlm/bwlm/internal/brain/rowsource"
	"github.com/brainwavlm/bwlm/internal/parallel"
)

// Measure reads the responses that have not been read yet and keeps of each column what rows need: drift, mean and SD,
// and which columns vary. Values that are not finite are refused. Each story is read once, the next while one is
// measured; only one that is too large to be held is read twice, and with several repeats or drift more often. Where
// stories are z-scored by the mean and SD of all training rows, these are merged from those of the stories.
func (s *SubjectResponses) Measure(ctx context.Context) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.measure(ctx, s.names)
}

// measure measures those of some stories that have not been measured.
func (s *SubjectResponses) measure(ctx context.Context, names []string) error {
	var todo []*storyPass
	for _, name := range s.order() {
		if !slices.Contains(names, name) && !(s.trainMissing() && of(s.train(), name) != nil) {
			continue
		}
		if st := s.stories[name]; !st.measured.Load() {
			if p := s.passOf(st); p != nil {
				todo = append(todo, p)
			} else {
				st.measured.Store(true)
			}
		}
	}
	err := parallel.Ahead(ctx, len(todo), func(i int, buffer *[]float32) error {
		st := todo[i].st
		if m, ok := st.Source.(rowsource.Memory); ok {
			todo[i].held = m.Held()
		} else if st.fits() {
			todo[i].held = grow(buffer, st.Repeats*st.Responses.Rows*st.Columns)
			return readWhole(ctx, st.Responses, todo[i].held)
		}
		return nil
	}, func(i int, _ *[]float32) error {
		err := s.run(ctx, todo[i])
		todo[i] = nil
		return err
	})
	if err != nil {
		return err
	}
	if s.trainMissing() {
		return s.mergeTrain(ctx)
	}
	return nil
}

// trainMissing reports whether the mean and SD of all training rows are needed and not known.
func (s *SubjectResponses) trainMissing() bool {
	return s.how.ZScore == ZScoreTrain && len(s.names) > 0 && s.stories[s.names[0]].zscore == nil
}

// measureFirst measures the stories of some ranges that cannot be measured while their rows are read.
func (s *SubjectResponses) measureFirst(ctx context.Context, ranges []design.Rows) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	var names []string
	for _, r := range ranges {
		if st := s.stories[r.Story]; !st.measured.Load() && (!st.fits() || s.trainMissing()) {
			names = append(names, r.Story)
		}
	}
	if names == nil {
		return nil
	}
	return s.measure(ctx, names)
}

// measureHeld measures a story from all of its values, unless it has been measured.
func (s *SubjectResponses) measureHeld(ctx context.Context, st *story, x []float32) error {
	if st.measured.Load() {
		return nil
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	if st.measured.Load() {
		return nil
	}
	p := s.passOf(st)
	if p == nil {
		st.measured.Store(true)
		return nil
	}
	p.held = x
	return s.run(ctx, p)
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

// contains reports whether one of the ranges has row k.
func contains(rows []design.Rows, k int) bool {
	for _, r := range rows {
		if r.From <= k && k < r.To {
			return true
		}
	}
	return false
}

// passOf returns the pass that measures what is not known of a story; nil: all is known.
func (s *SubjectResponses) passOf(st *story) *storyPass {
	p := newStoryPass(st)
	for i := range s.splits {
		if rows := of(s.splits[i], st.Story); !s.kept[i] && rows != nil {
			p.parts = append(p.parts, part{rows, i, newExtremes(s.Columns)})
		}
	}
	switch {
	case s.how.ZScore == ZScoreStory && st.zscore == nil:
		if p.rows = s.statisticsRows(st.Story); p.rows == nil {
			p.rows = []design.Rows{{To: st.Responses.Rows}}
		}
	case s.trainMissing():
		p.rows = of(s.train(), st.Story)
	}
	if p.rows != nil {
		p.moments = colstats.NewMoments(count(p.rows), s.Columns)
	}
	if st.fit == nil {
		p.begin(s.how.Polynomials)
	} else if p.moments == nil && p.parts == nil {
		return nil
	}
	return p
}

// run measures a story.
func (s *SubjectResponses) run(ctx context.Context, p *storyPass) error {
	if err := p.run(ctx); err != nil {
		return err
	}
	st := p.st
	if p.moments != nil && s.how.ZScore == ZScoreStory {
		mean, sd := p.moments.MeanSD()
		st.zscore = &design.ZScore{Mean: mean, SD: sd}
	} else {
		st.ofTrain = p.moments
	}
	for _, part := range p.parts {
		if s.extremes[part.split] == nil {
			s.extremes[part.split] = newExtremes(s.Columns)
		}
		if s.how.ZScore == ZScoreStory {
			part.fold(s.extremes[part.split], st.zscore)
		} else {
			part.fold(s.extremes[part.split], nil)
		}
	}
	if !s.trainMissing() {
		st.measured.Store(true)
	}
	return nil
}

// mergeTrain ends the statistics of all training rows.
func (s *SubjectResponses) mergeTrain(ctx context.Context) error {
	var parts []*colstats.Moments
	for _, name := range s.order() {
		if st := s.stories[name]; st.ofTrain != nil {
			parts = append(parts, st.ofTrain)
		}
	}
	mean, sd := colstats.Merge(s.Columns, parts...).MeanSD()
	z := design.ZScore{Mean: mean, SD: sd}
	for _, st := range s.stories {
		if st.zscore, st.ofTrain = &z, nil; st.fit != nil {
			st.measured.Store(true)
		}
	}
	return context.Cause(ctx)
}

// Bytes returns the memory of what is kept of all stories once they are measured.
func (s *SubjectResponses) Bytes() int64 {
	each := 0 // of a column of a story
	if s.how.ZScore != ZScoreNone {
		each += 2 * 8
	}
	total := int64(0)
	for _, st := range s.stories {
		total += int64(each + st.Repeats*(8*s.how.Polynomials+1))
	}
	return total * int64(s.Columns)
}

// PassBytes returns the memory of a pass over the rows: two stories or slabs, and the bytes of one as they are read.
func (s *SubjectResponses) PassBytes() int64 {
	most := 0
	for _, st := range s.stories {
		all := 4 * st.Repeats * st.Responses.Rows * s.Columns
		if _, held := st.Source.(rowsource.Memory); !held {
			most = max(most, min(all, max(slabOf(st.hold), 4*st.Repeats*s.Columns)))
			if st.fits() {
				most = max(most, all)
			}
		}
	}
	return int64(2*most + min(most, slabBytes))
}

// StoredBytes returns the size of the values of all stories and repeats as float32.
func (s *SubjectResponses) StoredBytes() (total int64) {
	for _, st := range s.stories {
		total += 4 * int64(st.Repeats) * int64(st.Responses.Rows) * int64(s.Columns)
	}
	return total
}

// ByStory returns the responses with each story z-scored by itself where they are z-scored by all training rows: to
// read some stories without all others.
func (s *SubjectResponses) ByStory() *SubjectResponses {
	if s.how.ZScore != ZScoreTrain {
		return s
	}
	out := *s
	out.how.ZScore = ZScoreStory
	return out.Resplit(s.splits)
}
