package dataset

import (
	"context"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/fault"
)

// SampleRate is the rate of every story's audio, in samples a second.
const SampleRate = 16000

// Spec describes a data set. [New] checks it.
type Spec struct {
	Name, Licence, Citation string

	// Design is what rows are: TRs of stories ("bold", or ""), clips (DesignEvent), or bins of milliseconds of clips
	// or stories (DesignSeries, with Series). With clips there are Events in place of Stories, TR is the length of the
	// longest clip or of a bin, and responses are in the order of Events; they need not name a story.
	Design string
	Events []Event
	Series Series

	TR       float64 // seconds
	RowTime  float64 // the instant within its TR that a row stands for, 0 to 1
	Trimmed  bool    // rows at both ends of the stories were cut before the responses were stored
	Stories  []Story
	Subjects []Subject
	Derived  []Subject // made from subjects, such as an average; must be named exactly
	ROIs     []ROI
	Channels []string   // names of the columns of responses in the design series; nil: their numbers
	Features []Features // of stories or clips, made without the speech model

	// CacheDir keeps copies by rows of responses in text, of those that are stored by columns, and of compressed ones,
	// which are then read as fast as others. With CacheOnly copies that are there are read, and none is made.
	CacheDir  string
	CacheOnly bool

	// AllowTruncated has recordings that end early, or MP3 whose data are missing in places, read as far as
	// they go, where Open makes what reads them. Without it they are errors.
	AllowTruncated bool

	Space Space // where the voxels of subjects without a Space of their own are
}

// Story is one stimulus.
type Story struct {
	Name    string
	First   float64  // audio second at which row 0 begins
	Rows    *RowSpan // where the rows begin and end, if they leave out much of the audio or go far beyond it
	SameAs  *SameAs  // set if this story is a piece of another
	Audio   Input[[]float32]
	Words   Input[[]Word]
	Phones  Input[[]Word] // Text is the phone
	Speaker string        // the speaker, if there is one; "" if unknown

	// Seconds returns the length of the audio without decoding it; nil: the audio is loaded for its length.
	Seconds func(context.Context) (float64, error)

	// Remarks on a recording that was loaded from a file, such as that it ends early; nil for others.
	Remarks func() []string

	// Clips returns the samples of each clip of a story that is made of them; nil for others.
	Clips func(context.Context) ([]int, error)

	// Stream reads Audio in blocks, in a slice that is used again; nil: Audio is loaded whole.
	Stream func(ctx context.Context, visit func(samples []float32) error) error
}

// RowSpan is the stretch of a story during which rows were acquired, in seconds of its audio: the first row
// begins at First, as the story's First says, and the last row ends at Last. Last may lie before the end of
// the audio or after it.
type RowSpan struct{ First, Last float64 }

// SameAs refers to the story of which this one is a piece: row 0 is row Row of the other. With Audio it is the other's
// recording from its beginning, with another clock.
type SameAs struct {
	Story string
	Row   int
	Audio bool
}

// Subject is a subject, or in Spec.Derived what was made from several.
type Subject struct {
	Name      string
	From      []string // of a derived subject: the subjects it was made from; empty means all
	Responses []Response
	Motion    []Response // of the head during a story, (TRs, parameters); a story without it is left out
	Space     *Space     // nil: that of the data set

	// Empty are columns of the responses that hold no values, such as NaN on the medial wall of a surface. They are
	// read as 0 in all rows, so that no loss, fit, score or mean takes part of them.
	Empty Input[Region]
}

// Response refers to the responses of a subject to a story: a matrix in memory, or a source that is
// read by rows.
type Response struct {
	Story  string
	Matrix Input[*Matrix]
	Source Input[Source] // instead of Matrix
	First  *float64      // audio second at which row 0 begins, instead of that of the story
	Rows   *RowSpan      // instead of that of the story

	asRows bool // its rows are those of the data set already
}

// ROI is a named region of interest: the same columns for all subjects, or others for each.
type ROI struct {
	Name      string
	Region    Input[Region]
	BySubject []SubjectRegion
}

// SubjectRegion is the region of one subject.
type SubjectRegion struct {
	Subject string
	Region  Input[Region]
}

// wrong returns an error of a Spec; where is the key of dataset.yaml.
func wrong(where, why string, args ...any) *fault.Error {
	return fault.New(fault.BadData, "read data set", where, why, args...)
}

// key returns the path of a key of dataset.yaml.
func key(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), "/")
}

// check returns the first mistake in a Spec, after each clock has a story of its own.
func (s *Spec) check() *fault.Error {
	if err := s.makeEvents(); err != nil {
		return err
	}
	s.makeRows()
	s.splitClocks()
	switch {
	case !(s.TR > 0) || math.IsInf(s.TR, 0):
		return wrong("tr_seconds", "%g is not above 0", s.TR)
	case s.TR >= 100:
		return wrong("tr_seconds", "%g s looks like milliseconds", s.TR).WithHint("write %g", s.TR/1000)
	case !(s.RowTime >= 0 && s.RowTime <= 1):
		return wrong("row_time", "%g is not between 0 and 1", s.RowTime)
	case len(s.Stories) == 0:
		return wrong("stories", "there are none")
	case len(s.Subjects) == 0:
		return wrong("subjects", "there are none")
	}
	for _, text := range [][2]string{{"name", s.Name}, {"licence", s.Licence}, {"citation", s.Citation}} {
		if !printable(text[1]) {
			return wrong(text[0], "%q has control characters", text[1]).WithHint("remove them")
		}
	}
	stories := make(map[string]*Story)
	for i := range s.Stories {
		story := &s.Stories[i]
		where := key("stories", story.Name)
		switch {
		case !printable(story.Speaker):
			return wrong(key(where, "speaker"), "%q has control characters", story.Speaker).WithHint("remove them")
		case !usable(story.Name):
			return wrong(where, "%q cannot be the name of a story", story.Name)
		case stories[story.Name] != nil:
			return wrong(where, "the story is listed twice")
		case math.IsNaN(story.First) || math.IsInf(story.First, 0):
			return wrong(key(where, "first_tr_seconds"), "%g is not a time", story.First)
		}
		if err := s.checkSpan(where, story.Rows, story); err != nil {
			return err
		}
		stories[story.Name] = story
	}
	for _, check := range []func(map[string]*Story) *fault.Error{s.checkSameAs, s.checkSubjects} {
		if err := check(stories); err != nil {
			return err
		}
	}
	if err := s.checkROIs(); err != nil {
		return err
	}
	if err := s.checkFeatures(stories); err != nil {
		return err
	}
	return s.checkSpaces()
}

// printable reports whether a text has no control characters but ends of lines and tabs: reports and terminals show it.
func printable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return r != '\n' && r != '\t' && unicode.IsControl(r)
	})
}

// checkSpan refuses a stretch of rows that is none, or that begins at another time than the clock of the
// story says.
func (s *Spec) checkSpan(where string, span *RowSpan, story *Story) *fault.Error {
	switch {
	case span == nil:
	case !(span.Last-span.First >= s.TR) || math.IsInf(span.Last-span.First, 0):
		return wrong(key(where, "rows"), "from %g to %g s there is no row of %g s", span.First, span.Last, s.TR)
	case math.Abs(span.First-story.First) > 1e-6:
		return wrong(key(where, "rows"), "the first row begins at %g s, first_tr_seconds is %g", span.First,
			story.First).WithHint("make the two equal, or leave one of them out")
	}
	return nil
}

// checkSameAs refuses a chain of pieces that does not end at a whole story.
func (s *Spec) checkSameAs(stories map[string]*Story) *fault.Error {
	for _, story := range s.Stories {
		if story.SameAs != nil && stories[story.SameAs.Story] == nil {
			return wrong(key("stories", story.Name, "same_as"), "there is no story %q", story.SameAs.Story)
		}
	}
	for _, story := range s.Stories {
		at := &story
		for range s.Stories {
			if at.SameAs != nil {
				at = stories[at.SameAs.Story]
			}
		}
		if at.SameAs != nil {
			return wrong(key("stories", story.Name, "same_as"), "it goes round in a circle")
		}
	}
	return nil
}

func (s *Spec) checkSubjects(stories map[string]*Story) *fault.Error {
	seen := make(map[string]bool)
	for _, group := range []struct {
		name     string
		subjects []Subject
	}{{"subjects", s.Subjects}, {"derived", s.Derived}} {
		for _, subject := range group.subjects {
			where := key(group.name, subject.Name)
			switch {
			case !usable(subject.Name) || slices.Contains(takenNames, subject.Name):
				return wrong(where, "%q cannot be the name of a subject", subject.Name)
			case seen[subject.Name]:
				return wrong(where, "the subject is listed twice")
			case len(subject.Responses) == 0:
				return wrong(where, "there are no responses")
			}
			seen[subject.Name] = true
			has := make(map[string]bool)
			for _, r := range subject.Responses {
				if err := r.check(where, stories, has); err != nil {
					return err
				}
				if err := s.checkSpan(key(where, stories[r.Story].Recording()), r.Rows, stories[r.Story]); err != nil {
					return err
				}
				has[r.Story] = true
			}
			for _, m := range subject.Motion {
				if !has[m.Story] {
					return wrong(key("motion", subject.Name, m.Story), "%s has no responses to story %q",
						subject.Name, m.Story)
				}
			}
			for _, name := range subject.From {
				if !slices.ContainsFunc(s.Subjects, func(p Subject) bool { return p.Name == name }) {
					return wrong(key(where, "from"), "there is no subject %q", name)
				}
			}
		}
	}
	return nil
}

func (s *Spec) checkROIs() *fault.Error {
	seen := make(map[string]bool)
	for _, roi := range s.ROIs {
		where := key("rois", roi.Name)
		if !usable(roi.Name) {
			return wrong(where, "%q cannot be the name of an ROI", roi.Name)
		}
		if seen[roi.Name] {
			return wrong(where, "the ROI has no name of its own")
		}
		seen[roi.Name] = true
		if roi.Region.Absent() == (len(roi.BySubject) == 0) {
			return wrong(where, "want columns for all subjects, or for each")
		}
		for _, r := range roi.BySubject {
			if !slices.ContainsFunc(slices.Concat(s.Subjects, s.Derived),
				func(p Subject) bool { return p.Name == r.Subject }) {
				return wrong(key(where, r.Subject), "there is no subject %q", r.Subject)
			}
		}
	}
	return nil
}

// clock returns the clock of a story.
func (s *Spec) clock(story *Story) design.Clock {
	return design.Clock{First: story.First, TR: s.TR, RowTime: s.RowTime}
}

// check refuses rows of a story that there is not, or that has some, and rows of no source. where names the list.
func (r *Response) check(where string, stories map[string]*Story, has map[string]bool) *fault.Error {
	switch {
	case stories[r.Story] == nil:
		return wrong(key(where, r.Story), "there is no story %q", r.Story)
	case has[r.Story]:
		return wrong(key(where, r.Story), "the story is listed twice")
	case r.Matrix.Absent() == r.Source.Absent():
		return wrong(key(where, r.Story), "want a matrix or a source of rows")
	}
	return nil
}
