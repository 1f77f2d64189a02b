package study

import (
	"context"
	"errors"
	"slices"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/datacheck"
)

// checkShapes compares rows, voxels and audio of the subjects and stories of an experiment by their headers,
// before the model is loaded. It returns notes for the user.
func checkShapes(ctx context.Context, exp *experiment.Experiment, data *dataset.Dataset) ([]string, error) {
	subjects, err := data.Subjects(exp.Data.Subjects...)
	if err != nil {
		return nil, err
	}
	var stories []string
	for _, story := range data.Stories() {
		used, err := Mentioned(exp, data, story)
		if err != nil {
			return nil, err
		}
		if used {
			stories = append(stories, story)
		}
	}
	shapes, err := datacheck.CheckShapes(ctx, data, subjects, stories)
	if err != nil {
		return nil, err
	}
	return shapes.Notes, shapes.Err()
}

// checkCopies refuses responses that are listed under two names, unless leaks are allowed. It reads a few rows of each
// matrix.
func (st *Study) checkCopies(ctx context.Context) error {
	var subjects, stories []string
	for _, p := range st.Subjects {
		subjects = append(subjects, p.Name)
		for _, story := range p.Responses.Stories() {
			if !slices.Contains(stories, story) {
				stories = append(stories, story)
			}
		}
	}
	copies, err := datacheck.CheckCopies(ctx, st.Data, subjects, stories)
	if err != nil || len(copies) == 0 {
		return err
	}
	if !st.Experiment.Data.AllowLeak {
		if f := (*fault.Error)(nil); errors.As(copies[0], &f) {
			return f.WithHint("%s; or, if it is meant, set data.allow_leak: true", f.Hint)
		}
		return copies[0]
	}
	for _, c := range copies {
		st.Note("RESPONSES LISTED TWICE, allowed by data.allow_leak: %v", c)
	}
	return nil
}
