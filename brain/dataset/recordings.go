package dataset

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/brainwavlm/bwlm/audio"
)

// recordings reads the recordings of a data set and keeps the remarks on them.
type recordings struct {
	allowTruncated bool

	mu    sync.Mutex
	notes map[string][]string // by story
}

// of returns what reads the recording of a story.
func (r *recordings) of(story string) func(folder, context.Context, string) ([]float32, error) {
	return func(f folder, ctx context.Context, name string) ([]float32, error) {
		path, err := f.find(name)
		if err != nil {
			return nil, err
		}
		clip, err := audio.Load(ctx, path, audio.Options{AllowTruncated: r.allowTruncated})
		if err != nil {
			return nil, err
		}
		r.note(story, clip.Info)
		return clip.Samples, nil
	}
}

// stream reads the recording of a story in blocks.
func (r *recordings) stream(f folder, ctx context.Context, story, name string,
	visit func(samples []float32) error) error {
	path, err := f.find(name)
	if err != nil {
		return err
	}
	info, err := audio.Stream(ctx, path, audio.Options{AllowTruncated: r.allowTruncated}, visit)
	if err == nil {
		r.note(story, info)
	}
	return err
}

// note keeps the remarks on the recording of a story. Another rate is usual and changes nothing that one should know.
func (r *recordings) note(story string, info audio.Info) {
	notes := slices.DeleteFunc(slices.Clone(info.Notes), func(note string) bool {
		return strings.HasPrefix(note, "resampled ")
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.notes == nil {
		r.notes = map[string][]string{}
	}
	r.notes[story] = notes
}

// lengthOf returns what finds the length of a recording in seconds, as a rule by its headers.
func (r *recordings) lengthOf(f folder, name string) func(context.Context) (float64, error) {
	return func(ctx context.Context) (float64, error) {
		path, err := f.find(name)
		if err != nil {
			return 0, err
		}
		return audio.Length(ctx, path, audio.Options{AllowTruncated: r.allowTruncated})
	}
}

func (r *recordings) notesOn(story string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.notes[story]
}
