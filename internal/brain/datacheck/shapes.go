package datacheck

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/dataset"
)

// Shapes is what the numbers of rows and columns of responses and the lengths of recordings say about each
// other.
type Shapes struct {
	Notes []string // differences that are usual, with their seconds

	// Errors, of kind BadData, in the order of subjects and stories.
	Wrong   []error // shapes that no clock makes right: transposed, swapped, of another story, other voxels
	Lengths []error // numbers of rows that do not fit the audio or the other subjects
}

// Err returns the first error, those of shapes before those of lengths.
func (s *Shapes) Err() error {
	if all := slices.Concat(s.Wrong, s.Lengths); len(all) > 0 {
		return all[0]
	}
	return nil
}

// CheckShapes compares the rows of responses with the audio, and shapes with those of the other stories and
// subjects. It reads headers alone: of .npy files and of recordings; text and what is in memory are loaded, and so are
// the values of a matrix whose columns fit the audio better than its rows. Of each subject those of the stories count
// that it has responses to.
//
// A difference of one row is none. Up to 3 % of the rows or 20 s, missing or left over, are a note, since
// scanning often begins before a story and goes on after it. More is an error, unless Rows of the story or of
// the response states where the rows begin and end; their number must then be right, give or take one. Errors
// reading a file are returned as such.
func CheckShapes(ctx context.Context, d *dataset.Dataset, subjects, stories []string) (*Shapes, error) {
	seconds := map[string]float64{}
	var matrices []matrixShape
	for _, subject := range subjects {
		given, err := responsesOf(d, subject)
		if err != nil {
			return nil, err
		}
		for _, name := range d.StoriesOf(subject) {
			if !slices.Contains(stories, name) {
				continue
			}
			story, err := d.Story(name)
			if err != nil {
				return nil, err
			}
			if _, known := seconds[name]; !known {
				if seconds[name], err = Seconds(ctx, d, story); err != nil {
					return nil, err
				}
			}
			r, err := d.OpenResponses(ctx, subject, name)
			if err != nil {
				return nil, err
			}
			response := given[slices.IndexFunc(given, func(r dataset.Response) bool { return r.Story == name })]
			clock, err := d.Clock(name)
			if err != nil {
				return nil, err
			}
			m := matrixShape{Subject: subject, Story: name, Path: response.Source.Path + response.Matrix.Path,
				Rows: r.Rows, Voxels: r.Columns, Audio: seconds[name], Clock: clock, Span: story.Rows}
			if response.Rows != nil {
				m.Span = response.Rows
			}
			if s, ok := r.Source.(interface{ Array() string }); ok {
				m.Array = s.Array()
			}
			if m.doubtful() {
				if m.Lies, err = orientationOf(ctx, r); err != nil {
					return nil, err
				}
			}
			matrices = append(matrices, m)
		}
	}
	return judgeShapes(matrices), nil
}

// responsesOf returns what the data set says of the responses of a subject, real or derived.
func responsesOf(d *dataset.Dataset, subject string) ([]dataset.Response, error) {
	if _, err := d.Subjects(subject); err != nil {
		return nil, err
	}
	spec := d.Spec()
	for _, s := range slices.Concat(spec.Subjects, spec.Derived) {
		if s.Name == subject {
			return s.Responses, nil
		}
	}
	return nil, nil
}

// Seconds returns the length of the audio of a story, as a rule by the headers of its recording.
func Seconds(ctx context.Context, d *dataset.Dataset, story *dataset.Story) (float64, error) {
	if story.Seconds != nil {
		return story.Seconds(ctx)
	}
	wave, err := d.Audio(ctx, story.Name)
	return float64(len(wave)) / dataset.SampleRate, err
}
