package dataset

import (
	"fmt"
	"slices"
)

// A story has one clock, from which its design matrix follows. Where a subject has another, because its scanning began
// earlier or later, the recording is a second story for that subject: the same audio and words, with another First. Its
// name is that of the story and the second at which its row 0 begins, "alice@6". Splits go on to name the story.

// splitClocks adds a story for each clock that responses have of their own.
func (s *Spec) splitClocks() {
	s.Stories, s.Subjects, s.Derived = slices.Clone(s.Stories), slices.Clone(s.Subjects), slices.Clone(s.Derived)
	for _, subjects := range [][]Subject{s.Subjects, s.Derived} {
		for i := range subjects {
			subject := &subjects[i]
			subject.Responses, subject.Motion = slices.Clone(subject.Responses), slices.Clone(subject.Motion)
			for k := range subject.Responses {
				r := &subject.Responses[k]
				if r.First == nil {
					continue
				}
				from, first := r.Story, *r.First
				r.First = nil
				r.Story = s.withClock(from, first)
				for m := range subject.Motion {
					if subject.Motion[m].Story == from {
						subject.Motion[m].Story = r.Story
					}
				}
			}
		}
	}
}

// withClock returns the name of a story with its row 0 at a second of the audio: a new one if there is none yet.
func (s *Spec) withClock(name string, first float64) string {
	i := slices.IndexFunc(s.Stories, func(s Story) bool { return s.Name == name })
	if i < 0 || s.Stories[i].First == first {
		return name
	}
	story := s.Stories[i]
	story.Name, story.First, story.Rows = fmt.Sprintf("%s@%g", name, first), first, nil
	story.SameAs = &SameAs{Story: name, Audio: true}
	if !slices.ContainsFunc(s.Stories, func(s Story) bool { return s.Name == story.Name }) {
		s.Stories = append(s.Stories, story)
	}
	return story.Name
}

// Recording returns the name by which splits name the story: that of the story whose audio it is.
func (s *Story) Recording() string {
	if s.SameAs != nil && s.SameAs.Audio {
		return s.SameAs.Story
	}
	return s.Name
}
