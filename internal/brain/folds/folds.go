package folds

import (
	"context"
	"path/filepath"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/subrun"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/roikeys"
)

// Options configures the folds. Open is required.
type Options struct {
	Open  func(context.Context, *experiment.Experiment) (st *brain.Study, end func(), err error)
	Begin func(story string, index, total int) // called before each fold runs or is read; may be nil
}

// Run trains and scores the folds that are not finished and returns the scores of all. After each fold it writes
// folds.json. An error ends it; finished folds are saved.
func Run(ctx context.Context, exp *experiment.Experiment, opt Options) (*results.Folds, error) {
	data, err := study.OpenData(exp, study.Options{})
	if err != nil {
		return nil, err
	}
	list, err := study.Folds(exp, data)
	if err != nil {
		return nil, err
	}
	out := &results.Folds{Schema: 1, Label: exp.Eval.Label()}
	var dirs []string
	audited := false
	for i, f := range list {
		if opt.Begin != nil {
			opt.Begin(f.Story, i, len(list))
		}
		s, err := scores(ctx, f, exp.Eval.Label(), opt, &audited)
		if err != nil {
			return nil, err
		}
		if err := subrun.SameData("train folds", append(dirs, f.Experiment.Out)); err != nil {
			return nil, err
		}
		dirs = append(dirs, f.Experiment.Out)
		out.Folds = append(out.Folds, foldOf(f, s))
		summarise(out, s)
		if err := jsonfile.Write(filepath.Join(exp.Out, study.FoldsFile), out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// scores returns the scores of a fold, which it trains, resumes or reads. The first study that is opened audits all
// folds.
func scores(ctx context.Context, f study.Fold, label string, opt Options, audited *bool) (*results.Summary, error) {
	open := func(ctx context.Context, exp *experiment.Experiment) (*brain.Study, func(), error) {
		st, end, err := opt.Open(ctx, exp)
		if err != nil || *audited {
			return st, end, err
		}
		if err := st.Internal().AuditFolds(ctx, label); err != nil {
			end()
			return nil, nil, err
		}
		*audited = true
		return st, end, nil
	}
	return subrun.Scores(ctx, "train folds", f.Experiment, open)
}

// foldOf is the line of a fold.
func foldOf(f study.Fold, s *results.Summary) results.Fold {
	out := results.Fold{Story: f.Story, Validation: f.Validation, Run: filepath.Join(study.FoldsDir, f.Story),
		Rows: s.Test.Rows, Base: s.Test.Base.MeanR, Chosen: s.Chosen, Delta: map[string]float64{}}
	for _, own := range s.Test.Features {
		if out.Features == nil {
			out.Features = map[string]float64{}
		}
		out.Features[own.Name] = own.MeanR
	}
	if s.Test.Tuned != nil {
		out.BaseBestLayer, out.Tuned = &s.Test.BaseBestLayer.MeanR, &s.Test.Tuned.MeanR
		out.Delta[roikeys.All] = s.Test.Delta.MeanR
		for roi, d := range s.Test.Delta.ROIs {
			out.Delta[roi] = d.MeanR
		}
	}
	return out
}

// summarise computes the means over the folds that are there. last is a summary of one of them.
func summarise(f *results.Folds, last *results.Summary) {
	f.Subjects = last.Test.Subjects
	mean := func(of func(results.Fold) float64) results.FoldMean {
		var values []float64
		for _, fold := range f.Folds {
			values = append(values, of(fold))
		}
		score, reason := stats.MeanOverStories(values)
		return results.FoldMean{Score: score, Reason: reason}
	}
	f.Base = mean(func(x results.Fold) float64 { return x.Base })
	f.Features = nil
	for _, own := range last.Test.Features {
		if f.Features == nil {
			f.Features = map[string]results.FoldMean{}
		}
		f.Features[own.Name] = mean(func(x results.Fold) float64 { return x.Features[own.Name] })
	}
	f.Tuned, f.BaseBestLayer, f.Delta = nil, nil, nil
	if last.Test.Tuned == nil {
		return
	}
	tuned, best := mean(func(x results.Fold) float64 { return *x.Tuned }),
		mean(func(x results.Fold) float64 { return *x.BaseBestLayer })
	f.Tuned, f.BaseBestLayer, f.Delta = &tuned, &best, map[string]results.FoldMean{}
	for roi := range f.Folds[0].Delta {
		f.Delta[roi] = mean(func(x results.Fold) float64 { return x.Delta[roi] })
	}
}
