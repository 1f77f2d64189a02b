package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/folds"
	"github.com/brainwavlm/bwlm/internal/decimal"
	"github.com/brainwavlm/bwlm/internal/roikeys"
)

// trainFolds trains and scores each fold of eval.folds, and prints the table of all.
func (a *app) trainFolds(ctx context.Context, exp *experiment.Experiment) error {
	a.leavesRuns(exp.Out)
	f, err := folds.Run(ctx, exp, folds.Options{
		Open: func(ctx context.Context, e *experiment.Experiment) (*brain.Study, func(), error) {
			return a.openStudy(ctx, e)
		},
		Begin: func(story string, index, total int) {
			a.ui.Note("fold %d of %d: test %s", index+1, total, story)
		}})
	if err != nil && ctx.Err() != nil {
		if stop, ok := errors.AsType[*fault.Error](context.Cause(ctx)); ok {
			return fault.New(stop.Kind, "stopped", exp.Out, "%s; all finished steps are saved", stop.Reason).
				WithHint("continue with the same command")
		}
	}
	if err != nil {
		return err
	}
	return a.answer(f, func(w io.Writer) error { return printFolds(w, f, exp.Out) })
}

// printFolds writes a line for each fold, then the means with their intervals over stories.
func printFolds(w io.Writer, f *results.Folds, out string) error {
	test, one, many := "test story", "story", "stories"
	if f.Label != "" {
		test, one, many = "test "+f.Label, f.Label, "labels of "+f.Label
	}
	head := []string{test, "rows", "base"}
	if f.Tuned != nil {
		head = append(head, "best layer", "tuned", "Δr", "epoch")
	}
	var rows [][]string
	for _, x := range f.Folds {
		row := []string{x.Story, fmt.Sprint(x.Rows), score(x.Base)}
		if x.Tuned != nil {
			row = append(row, score(*x.BaseBestLayer), score(*x.Tuned), decimal.Signed(x.Delta[roikeys.All], 3),
				fmt.Sprint(x.Chosen))
		}
		rows = append(rows, row)
	}
	fmt.Fprintf(w, "Score: r on the rows of each %s, which its tuning did not hear, of %s, by a ridge fitted on "+
		"the training rows of the fold.\n", one, subjects(f.Subjects))
	if err := ui.Table(w, head, rows); err != nil {
		return err
	}
	rows = [][]string{{"base, " + roikeys.Label(""), score(f.Base.Mean), plainInterval(f.Base)}}
	if f.Tuned != nil {
		rows = append(rows, []string{"best layer, " + roikeys.Label(""), score(f.BaseBestLayer.Mean),
			plainInterval(*f.BaseBestLayer)}, []string{"tuned, " + roikeys.Label(""), score(f.Tuned.Mean),
			plainInterval(*f.Tuned)})
	}
	for _, name := range slices.Sorted(maps.Keys(f.Features)) {
		rows = append(rows, []string{name + ", " + roikeys.Label(""), score(f.Features[name].Mean),
			plainInterval(f.Features[name])})
	}
	for _, roi := range roikeys.Sorted(f.Delta) {
		d := f.Delta[roi]
		rows = append(rows, []string{"Δr, " + roikeys.Label(roi), decimal.Signed(d.Mean, 3), interval(d.CI95)})
	}
	fmt.Fprintf(w, "\nMean over %d folds:\n", len(f.Folds))
	if err := ui.Table(w, []string{"score", "mean", "95 % over " + many}, rows); err != nil {
		return err
	}
	if f.Base.Reason != "" {
		fmt.Fprintf(w, "No interval: %s.\n", f.Base.Reason)
	}
	_, err := fmt.Fprintf(w, "Intervals: mean ± t·SE over folds, about other %s of these subjects; the folds "+
		"share training rows, so they are approximate. Each fold is a run in %s/folds.\n", many,
		strings.TrimSuffix(out, "/"))
	return err
}

// plainInterval is an interval of r, without signs.
func plainInterval(m results.FoldMean) string {
	if m.CI95 == nil {
		return "-"
	}
	return "[" + score(m.CI95[0]) + ", " + score(m.CI95[1]) + "]"
}
