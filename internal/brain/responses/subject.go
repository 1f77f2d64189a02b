package responses

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/colstats"
)

// ZScoreRule is the rule by which the responses of a subject are z-scored.
type ZScoreRule string

// Rules of ZScoreRule.
const (
	ZScoreNone  ZScoreRule = "none"  // responses stay as they are
	ZScoreStory ZScoreRule = "story" // each story by its own mean and SD, of the rows of the first split that has it
	ZScoreTrain ZScoreRule = "train" // all stories by the mean and SD of all training rows
)

// Standardisation holds the steps that turn responses as they are stored into those that are fitted
// and scored: drift is removed from each repeat, and z-scores are taken of the mean over repeats.
// The zero value removes no drift.
type Standardisation struct {
	Polynomials int // Legendre polynomials, from order 0 on, that are fitted to each repeat and removed
	ZScore      ZScoreRule
	Frugal      bool // responses are read a few MB at a time, more often
}

// SubjectResponses are the responses of one subject to the stories of a study: without drift,
// z-scored, the mean over repeats. No responses are held, only what was measured of each column:
// the coefficients of the drift, mean and SD. Rows are computed from the files when they are read,
// and are bit-identical to those of a matrix in memory.
//
// A story is measured when it is first read, or by [SubjectResponses.Measure]. The methods may be called from several
// goroutines at once.
type SubjectResponses struct {
	Subject string
	Columns int

	how      Standardisation
	splits   [][]design.Rows
	stories  map[string]*story
	names    []string    // of the stories, in the order in which they were given
	extremes []*extremes // by split, of the stories that were measured
	kept     []bool      // by split: extremes are of all its stories already
	all      []int       // the numbers of all columns
	lock     *sync.Mutex // held while a story is measured
}

// story are the responses to one story with what was measured of them.
type story struct {
	*dataset.Responses
	*fit
	hold   int            // bytes of it that are in memory
	zscore *design.ZScore // nil: none, or not measured yet

	ofTrain  *colstats.Moments // of its training rows, until those of all stories are merged
	measured atomic.Bool
	again    []atomic.Pointer[design.ZScore] // by split, of the standardised values; nil: not needed yet
}

// fit is what is measured of all rows of a story, and so does not depend on the splits.
type fit struct {
	drift         []*colstats.Drift // by repeat; nil: no drift is removed
	varies        [][]bool          // by repeat and column, before drift is removed
	constant, raw []int
}

// Standardise makes the responses of a subject to some stories ready to be measured. Splits are the
// rows that are used, training rows first, then validation and test rows, whose statistics must not
// flow into one another. Only shapes are checked here: all stories must have the same columns, and
// rows enough for the drift.
func Standardise(responses []*dataset.Responses, splits [][]design.Rows, how Standardisation) (*SubjectResponses,
	error) {
	s := &SubjectResponses{how: how, splits: splits, stories: map[string]*story{},
		extremes: make([]*extremes, len(splits)), kept: make([]bool, len(splits)), lock: &sync.Mutex{}}
	for _, r := range responses {
		where := r.Subject + "/" + r.Story
		if s.Columns != 0 && s.Columns != r.Columns {
			return nil, fault.New(fault.BadData, "load responses", where, "%d voxels, other stories have %d",
				r.Columns, s.Columns)
		}
		if degree := how.Polynomials - 1; degree >= r.Rows {
			return nil, fault.New(fault.BadData, "load responses", where, "%d rows cannot carry drift of degree %d",
				r.Rows, degree).
				WithHint("lower data.detrend")
		}
		s.Subject, s.Columns = r.Subject, r.Columns
		s.names, s.stories[r.Story] = append(s.names, r.Story), s.newStory(r)
	}
	for _, split := range splits {
		for _, rows := range split {
			if s.stories[rows.Story] == nil || rows.From < 0 || rows.To > s.stories[rows.Story].Rows {
				panic(fmt.Sprintf("responses: rows %s are not there", rows))
			}
		}
	}
	s.all = make([]int, s.Columns)
	for c := range s.all {
		s.all[c] = c
	}
	return s, nil
}

func (s *SubjectResponses) newStory(r *dataset.Responses) *story {
	hold := holdBytes
	if s.how.Frugal {
		hold = frugalBytes
	}
	return &story{Responses: r, hold: hold, again: make([]atomic.Pointer[design.ZScore], len(s.splits))}
}

// Resplit returns the same responses with as many other splits, which must be measured in turn.
// What is as it was is not measured again.
func (s *SubjectResponses) Resplit(splits [][]design.Rows) *SubjectResponses {
	s.lock.Lock()
	defer s.lock.Unlock()
	out := *s
	out.splits, out.stories, out.lock = splits, map[string]*story{}, &sync.Mutex{}
	out.extremes, out.kept = make([]*extremes, len(splits)), make([]bool, len(splits))
	same := func(split int) bool { return slices.Equal(s.splits[split], splits[split]) }
	for name, st := range s.stories {
		n := out.newStory(st.Responses)
		n.fit = st.fit
		if s.how.ZScore == ZScoreTrain && same(0) ||
			s.how.ZScore == ZScoreStory && slices.Equal(s.statisticsRows(name), out.statisticsRows(name)) {
			n.zscore = st.zscore
		}
		out.stories[name] = n
	}
	for i := range splits {
		moved := func(r design.Rows) bool { return out.stories[r.Story].zscore == nil }
		if s.isMeasured(i) && same(i) && !(s.how.ZScore == ZScoreStory && slices.ContainsFunc(splits[i], moved)) {
			out.extremes[i], out.kept[i] = s.extremes[i], true
		}
	}
	return &out
}

// Stories returns the names of the stories in the order in which they were given.
func (s *SubjectResponses) Stories() []string { return slices.Clone(s.names) }

// Rows returns the number of rows of a story, 0 if it is not among the stories.
func (s *SubjectResponses) Rows(story string) int {
	if st := s.stories[story]; st != nil {
		return st.Responses.Rows
	}
	return 0
}

// Repeats returns the number of repeats of a story, 0 if it is not among the stories.
func (s *SubjectResponses) Repeats(story string) int {
	if st := s.stories[story]; st != nil {
		return st.Responses.Repeats
	}
	return 0
}

// Constant returns the columns of a story that vary in no repeat once drift is removed.
func (s *SubjectResponses) Constant(story string) []int { return s.mustHaveMeasured(story).constant }

// Raw returns the columns of a story whose mean is more than 3 SD from 0, as in scanner units; none
// where drift is removed.
func (s *SubjectResponses) Raw(story string) []int { return s.mustHaveMeasured(story).raw }

// ZScore returns the mean and SD by which a story is z-scored, nil without.
func (s *SubjectResponses) ZScore(story string) *design.ZScore {
	return s.mustHaveMeasured(story).zscore
}

// Varies reports for each column whether its standardised responses are not all the same in the
// rows of a split.
func (s *SubjectResponses) Varies(split int) []bool {
	if !s.isMeasured(split) {
		panic(fmt.Sprintf("responses: split %d of %s has not been measured", split, s.Subject))
	}
	out := make([]bool, s.Columns)
	if len(s.splits[split]) == 0 {
		return out
	}
	// A z-score does not change the order of values, so that its extremes are the z-scores of the
	// extremes. Values that differ may have one z-score in float32.
	e := s.extremes[split]
	for c := range out {
		least, largest := e.least[c], e.largest[c]
		if s.how.ZScore == ZScoreTrain {
			z := s.stories[s.splits[split][0].Story].zscore
			least, largest = z.Value(c, least), z.Value(c, largest)
		}
		out[c] = least != largest
	}
	return out
}

// isMeasured reports whether all stories of a split have been measured.
func (s *SubjectResponses) isMeasured(split int) bool {
	missing := func(r design.Rows) bool { return !s.stories[r.Story].measured.Load() }
	return !slices.ContainsFunc(s.splits[split], missing)
}

func (s *SubjectResponses) mustHave(name string) *story {
	st := s.stories[name]
	if st == nil {
		panic(fmt.Sprintf("responses: %s has no responses to story %q", s.Subject, name))
	}
	return st
}

// mustHaveMeasured returns a story of which something is asked that is measured.
func (s *SubjectResponses) mustHaveMeasured(name string) *story {
	st := s.mustHave(name)
	if !st.measured.Load() {
		panic(fmt.Sprintf("responses: story %q of %s has not been measured", name, s.Subject))
	}
	return st
}
