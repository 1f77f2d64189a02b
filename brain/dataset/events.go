package dataset

import (
	"context"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/rowsource"
)

// The designs of data sets.
const (
	designBOLD   = "bold"   // rows are TRs of stories; "" means the same
	DesignEvent  = "event"  // rows are clips
	DesignSeries = "series" // rows are bins of milliseconds, of clips or stories
)

// Event is a clip that subjects responded to.
type Event struct {
	Name   string
	Labels map[string]string // by column of the table, such as category
	Audio  Input[[]float32]  // 16 kHz mono
}

// EventStory is the story that clips make: they follow each other after equal times, with silence after those that are
// shorter. Each has one row, or in the design series some, and the rows of clip k follow those of clip k-1.
const EventStory = "events"

// makeEvents checks the design and its clips, if there are any, and makes the one story of them.
func (s *Spec) makeEvents() *fault.Error {
	switch s.Design {
	case "", designBOLD:
		if len(s.Events) > 0 {
			return wrong("events", "there are clips, and the design is %s", designBOLD).WithHint("set design: event")
		}
		return nil
	case DesignEvent:
	case DesignSeries:
		if err := s.Series.check(s.TR, len(s.Events) > 0); err != nil {
			return err
		}
		for _, name := range s.Channels {
			if name == "" || strings.ContainsFunc(name, unicode.IsControl) {
				return wrong("channels", "%q cannot be the name of a channel", name)
			}
		}
		s.RowTime = 1
		if len(s.Events) == 0 {
			return nil
		}
	default:
		return wrong("design", "%q is no design", s.Design).WithHint("write bold, event or series")
	}
	if !(s.TR > 0) || math.IsInf(s.TR, 0) {
		return wrong("clip_seconds", "%g is not above 0", s.TR)
	}
	if len(s.Events) == 0 {
		return wrong("events", "there are no clips")
	}
	seen := map[string]bool{}
	for _, e := range s.Events {
		switch {
		case !usable(e.Name) || strings.ContainsAny(e.Name, "=&!"):
			return wrong("events", "%q cannot be the name of a clip", e.Name)
		case seen[e.Name]:
			return wrong("events", "clip %s is listed twice", e.Name)
		case e.Audio.Absent():
			return wrong("events", "clip %s has no audio", e.Name).
				WithHint("give events/audio, or a column audio in the table")
		}
		seen[e.Name] = true
	}
	s.Trimmed = true
	if s.Design == DesignEvent {
		s.RowTime = 0
	}
	c := &clips{events: s.Events, seconds: float64(s.clipRows()) * s.TR}
	s.Stories = []Story{{Name: EventStory, Audio: Input[[]float32]{Load: c.load}, Clips: c.lengths,
		Seconds: func(context.Context) (float64, error) { return float64(len(s.Events)) * c.seconds, nil }}}
	return nil
}

// makeRows makes responses and features those of rows: bins in the design series, and of clips some for each of them.
func (s *Spec) makeRows() {
	if s.Design != DesignSeries && len(s.Events) == 0 {
		return
	}
	answers := func(subjects []Subject) []Subject {
		subjects = slices.Clone(subjects)
		for i := range subjects {
			subjects[i].Responses = s.rowsOf(subjects[i].Responses, false)
		}
		return subjects
	}
	s.Subjects, s.Derived = answers(s.Subjects), answers(s.Derived)
	s.Features = slices.Clone(s.Features)
	for i := range s.Features {
		s.Features[i].Stories = s.rowsOf(s.Features[i].Stories, true)
	}
}

// rowsOf is makeRows of one subject, or of features.
func (s *Spec) rowsOf(list []Response, features bool) []Response {
	list = slices.Clone(list)
	for k := range list {
		r := &list[k]
		if r.asRows {
			continue
		}
		if s.Design == DesignSeries {
			*r = s.binned(*r, features)
		}
		if len(s.Events) > 0 && r.Story == "" {
			*r = r.ordered(s.Events, s.clipRows(), nil)
		}
		r.asRows = true
	}
	return list
}

// ordered returns responses in which the rows of clip k, some of each, are those at order[k] now; nil: k.
func (r Response) ordered(events []Event, each int, order []int) Response {
	from := r
	var names []string
	var rows []int
	for k, e := range events {
		at := k
		if order != nil {
			at = order[k]
		}
		for j := range each {
			rows, names = append(rows, at*each+j), append(names, e.Name)
		}
	}
	return Response{Story: EventStory, Source: Input[Source]{Path: from.path(), Load: func(ctx context.Context) (Source,
		error) {
		opened, err := from.open(ctx, "rows of clips")
		if err != nil {
			return nil, err
		}
		if opened.Rows != len(rows) {
			return nil, fault.New(fault.BadData, "read rows of clips", opened.Where,
				"%d rows, there are %d clips", opened.Rows, len(events)).
				WithHint("give one row for each line of the table of events, in its order")
		}
		return rowsource.Clips(opened.Source, rows, names), nil
	}}, asRows: true}
}

// clips is the audio of the clips as that of one story.
type clips struct {
	events  []Event
	seconds float64 // from the beginning of one clip to that of the next

	mu    sync.Mutex
	known []int // samples of each clip; nil: not read yet
}

// load reads the clips and lays them on one clock.
func (c *clips) load(ctx context.Context) ([]float32, error) {
	at := func(k int) int { return int(math.Round(float64(k) * c.seconds * SampleRate)) }
	out, lengths := make([]float32, at(len(c.events))), make([]int, len(c.events))
	for k, e := range c.events {
		samples, err := e.Audio.Load(ctx)
		if err != nil {
			return nil, err
		}
		if room := at(k+1) - at(k); len(samples) > room {
			return nil, fault.New(fault.BadData, "read audio", e.Audio.Path, "clip %s lasts %.4g s, clip_seconds is %g",
				e.Name, float64(len(samples))/SampleRate, c.seconds).
				WithHint("set clip_seconds to the length of the longest clip, or cut clips that outlast responses")
		}
		lengths[k] = copy(out[at(k):], samples)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known = lengths
	return out, nil
}

// lengths returns the samples of each clip, which are read unless they were before.
func (c *clips) lengths(ctx context.Context) ([]int, error) {
	c.mu.Lock()
	known := c.known
	c.mu.Unlock()
	if known != nil {
		return known, nil
	}
	if _, err := c.load(ctx); err != nil {
		return nil, err
	}
	return c.known, nil
}

// Events returns the clips of a data set in the order of rows; none where stimuli are stories.
func (d *Dataset) Events() []Event { return d.spec.Events }

// IsEvents reports whether stimuli are clips.
func (d *Dataset) IsEvents() bool { return len(d.spec.Events) > 0 }
