package study

import (
	"context"
	"errors"
	"fmt"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/datacheck"
)

// checkShapes compares rows, voxels and audio of the subjects and stories of an experiment by their headers,
// before the model is loaded, and refuses responses that are listed under two names. It returns notes for the user.
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
	if err := shapes.Err(); err != nil {
		return nil, err
	}
	copies, err := datacheck.CheckCopies(ctx, data, subjects, stories)
	if err != nil || len(copies) == 0 {
		return shapes.Notes, err
	}
	if !exp.Data.AllowLeak {
		if f := (*fault.Error)(nil); errors.As(copies[0], &f) {
			return nil, f.WithHint("%s; or, if it is meant, set data.allow_leak: true", f.Hint)
		}
		return nil, copies[0]
	}
	notes := shapes.Notes
	for _, c := range copies {
		notes = append(notes, fmt.Sprintf("RESPONSES LISTED TWICE, allowed by data.allow_leak: %v", c))
	}
	return notes, nil
}
