package imports

import (
	"context"
	"iter"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/fault"
)

// Stimuli are recordings and TextGrids by the names of their files, which are those of stories.
type Stimuli struct{ audio, words map[string]string }

// Add takes up a file by its name, and reports whether it is a recording or a TextGrid. The first of a name counts.
func (s *Stimuli) Add(path string) bool {
	to := &s.audio
	if strings.EqualFold(filepath.Ext(path), ".TextGrid") {
		to = &s.words
	} else if !IsAudio(path) {
		return false
	}
	if *to == nil {
		*to = map[string]string{}
	}
	if name := stemOf(path); (*to)[name] == "" {
		(*to)[name] = path
	}
	return true
}

// Hear makes a story of each of those that subjects have responses to, that fit patterns and that have a recording.
// Responses to other stories are forgotten. That there is no recording of a story is noted, that there is none at all
// an error, whose hint is given.
func (f *Found) Hear(s *Stimuli, patterns []string, hint string) error {
	in := map[string]string{} // the file of the first response
	for _, p := range f.Subjects {
		for _, r := range p.Responses {
			if in[r.Story] == "" {
				in[r.Story] = r.File
			}
		}
	}
	all := slices.Sorted(maps.Keys(in))
	chosen, err := f.Select("story", all, patterns)
	if err != nil {
		return err
	}
	for _, name := range chosen {
		sound := s.audio[name]
		if sound == "" {
			f.NoRecording(in[name], name)
			continue
		}
		for _, path := range []string{sound, s.words[name]} {
			if path == "" {
				continue
			}
			if _, _, err := f.File(path); err != nil {
				return err
			}
		}
		f.Stories = append(f.Stories, Story{Name: name, Audio: sound, Words: s.words[name], Phones: s.words[name]})
	}
	if len(f.Stories) == 0 {
		return fault.New(fault.Missing, op, f.Source, "no story has a recording: there are %s", listed(all)).
			WithHint("%s", hint)
	}
	f.Unheard(slices.Sorted(maps.Keys(s.audio)), all)
	f.OnlyHeard()
	return nil
}

// Length is the length of a recording in seconds, 0 if its content is not there.
func (f *Found) Length(ctx context.Context, path string) (float64, error) {
	if _, there, err := f.File(path); err != nil || !there {
		return 0, err
	}
	return audio.Length(ctx, path, audio.Options{})
}

// ResponsesTo are the responses to a story, with their subjects.
func (f *Found) ResponsesTo(story string) iter.Seq2[*Subject, *Response] {
	return func(yield func(*Subject, *Response) bool) {
		for i := range f.Subjects {
			s := &f.Subjects[i]
			for k := range s.Responses {
				if r := &s.Responses[k]; r.Story == story && !yield(s, r) {
					return
				}
			}
		}
	}
}

// Heard reports whether a subject has responses to a story.
func (f *Found) Heard(story string) bool {
	for range f.ResponsesTo(story) {
		return true
	}
	return false
}

// NoRecording notes that a story is left out whose responses, or the first of them, are in a file.
func (f *Found) NoRecording(file, story string) {
	f.Leave(file, "there is no recording of story %s, which is left out", story)
}

// Unheard notes the recordings that are of none of the stories that there are responses to.
func (f *Found) Unheard(recordings, stories []string) {
	rest := slices.DeleteFunc(slices.Clone(recordings),
		func(name string) bool { return slices.Contains(stories, name) })
	if len(rest) > 0 {
		f.Note("there are recordings without responses: %s", listed(rest))
	}
}

// OnlyHeard forgets responses to what is no story, and notes which subjects have no others.
func (f *Found) OnlyHeard() {
	for i := range f.Subjects {
		s := &f.Subjects[i]
		s.Responses = slices.DeleteFunc(s.Responses, func(r Response) bool {
			return !slices.ContainsFunc(f.Stories, func(s Story) bool { return s.Name == r.Story })
		})
		if len(s.Responses) == 0 {
			f.Note("subject %s has responses to none of the stories, and is left out", s.Name)
		}
	}
	f.Subjects = slices.DeleteFunc(f.Subjects, func(s Subject) bool { return len(s.Responses) == 0 })
}
