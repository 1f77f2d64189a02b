package finished

import (
	"context"
	"path/filepath"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
)

// readFolds reads the scores of folds over stories, and the run of each.
func (rep *Found) readFolds(ctx context.Context, dir string) error {
	f := &results.Folds{}
	if err := jsonfile.ReadOwn(reading, dir, foldsFile, f); err != nil {
		return err
	}
	if f.Schema != 1 || len(f.Folds) == 0 {
		return fault.New(fault.BadData, reading, filepath.Join(dir, foldsFile), "no folds of schema 1")
	}
	for _, fold := range f.Folds {
		if !filepath.IsLocal(fold.Run) {
			return fault.New(fault.BadData, reading, filepath.Join(dir, foldsFile), "%q is no folder below it",
				fold.Run)
		}
		run, err := readRun(ctx, filepath.Join(dir, fold.Run))
		if err != nil {
			return err
		}
		rep.Runs = append(rep.Runs, run)
	}
	rep.Folds = f
	return nil
}
