package report

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/internal/brain/demo"
	"github.com/brainwavlm/bwlm/internal/brain/finished"
)

// Report is the content of a page.
type Report struct {
	Runs []*pageOfRun
	Demo *demo.Report // where the page is about a demo

	folds *results.Folds // where it is about folds over stories
}

// pageOfRun is a finished run on a page.
type pageOfRun struct{ *finished.Run }

// Read reads run directories. The directory of a demo, or of folds, stands for all its runs. A directory with
// neither an experiment nor scores is refused. A damaged file is an error; a missing one is listed
// on the page.
func Read(ctx context.Context, dirs ...string) (*Report, error) {
	found, err := finished.Read(ctx, dirs...)
	if err != nil {
		return nil, err
	}
	out := &Report{Demo: found.Demo, folds: found.Folds}
	for _, r := range found.Runs {
		out.Runs = append(out.Runs, &pageOfRun{r})
	}
	return out, nil
}
