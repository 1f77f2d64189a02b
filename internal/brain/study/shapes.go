package study

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
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
