package report

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/demo"
	"github.com/brainwavlm/bwlm/brain/internal/finished"
)

// Report is the content of a page.
type Report struct {
	Runs []*Run
	Demo *demo.Report // where the page is about a demo
}

// Run is a finished run on a page.
type Run struct{ *finished.Run }

// Read reads run directories. The directory of a demo stands for all its runs. A directory with
// neither an experiment nor scores is refused. A damaged file is an error; a missing one is listed
// on the page.
func Read(ctx context.Context, dirs ...string) (*Report, error) {
	found, err := finished.Read(ctx, dirs...)
	if err != nil {
		return nil, err
	}
	out := &Report{Demo: found.Demo}
	for _, r := range found.Runs {
		out.Runs = append(out.Runs, &Run{r})
	}
	return out, nil
}
