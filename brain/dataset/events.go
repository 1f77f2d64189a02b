package dataset

import (
	"context"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/rowsource"
)

// The designs of data sets.
const (
	designBOLD  = "bold"  // rows are TRs of stories; "" means the same
	DesignEvent = "event" // rows are clips
)

// Event is a clip that subjects responded to.
type Event struct {
	Name   string
	Labels map[string]string // by column of the table, such as category
	Audio  Input[[]float32]  // 16 kHz mono
}

// EventStory is the story that the clips of a data set of the design event make: they follow each other every TR
// seconds, with silence after those that are shorter, and row k is the response to clip k.
const EventStory = "events"

// makeEvents makes the one story of the design event, whose clock has a row for each clip, and checks the clips.
func (s *Spec) makeEvents() *fault.Error {
	switch s.Design {
	case "", designBOLD:
		if len(s.Events) > 0 {
			return wrong("events", "there are clips, and the design is %s", designBOLD).WithHint("set design: event")
		}
		return nil
	case DesignEvent:
	default:
		return wrong("design", "%q is no design", s.Design).WithHint("write bold or event")
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
	s.RowTime, s.Trimmed = 0, true
	c := &clips{events: s.Events, seconds: s.TR}
	s.Stories = []Story{{Name: EventStory, Audio: Input[[]float32]{Load: c.load}, Clips: c.lengths,
		Seconds: func(context.Context) (float64, error) { return float64(len(s.Events)) * s.TR, nil }}}
	s.Subjects, s.Derived = s.answers(s.Subjects), s.answers(s.Derived)
	s.Features = slices.Clone(s.Features)
	for i := range s.Features {
		s.Features[i].Stories = s.ofClips(s.Features[i].Stories)
	}
	return nil
}

// answers names the story of responses that have none, and sees to it that they have a row for each clip.
func (s *Spec) answers(subjects []Subject) []Subject {
	subjects = slices.Clone(subjects)
	for i := range subjects {
		subjects[i].Responses = s.ofClips(subjects[i].Responses)
	}
	return subjects
}

// ofClips is answers of one subject.
func (s *Spec) ofClips(list []Response) []Response {
	list = slices.Clone(list)
	for k := range list {
		if r := &list[k]; r.Story == "" {
			*r = r.ordered(s.Events, nil)
		}
	}
	return list
}

// ordered returns responses whose row k is the present row order[k], the response to event k; nil: k.
func (r Response) ordered(events []Event, order []int) Response {
	from, names := r, make([]string, len(events))
	for k, e := range events {
		names[k] = e.Name
	}
	if order == nil {
		for k := range events {
			order = append(order, k)
		}
	}
	return Response{Story: EventStory, Source: Input[Source]{Path: from.path(), Load: func(ctx context.Context) (Source,
		error) {
		opened, err := from.open(ctx, "rows of clips")
		if err != nil {
			return nil, err
		}
		if opened.Rows != len(events) {
			return nil, fault.New(fault.BadData, "read rows of clips", opened.Where,
				"%d rows, there are %d clips", opened.Rows, len(events)).
				WithHint("give one row for each line of the table of events, in its order")
		}
		return rowsource.Clips(opened.Source, order, names), nil
	}}}
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
				WithHint("set clip_seconds to the length of the longest clip")
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

// Events returns the clips of a data set of the design event in the order of rows; none for other designs.
func (d *Dataset) Events() []Event { return d.spec.Events }

// IsEvents reports whether rows are clips.
func (d *Dataset) IsEvents() bool { return d.spec.Design == DesignEvent }
