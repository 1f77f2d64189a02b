package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/brain/controls"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/internal/decimal"
)

func controlsCommand(a *app) *cobra.Command {
	var exp experimentFlags
	var opt controls.Options
	c := &cobra.Command{
		Use:   "controls RUN|EXPERIMENT",
		Short: "Run control analyses",
		Long: `Scores the run's tuned model and a dozen controls that a gain must be compared with: models tuned on
shuffled, phase-randomised, other stories' or other subjects' responses, on acoustic features or on word vectors; an
adapter of random numbers; the untuned model's best layer; the spectrum, word rate and position, and slow functions of
time without a speech model. Each is scored by a ridge fitted anew on the same rows, with the same folds and seeds, and
compared with base. Controls that the data set does not allow are skipped, with the reason.

Given an experiment file whose run does not exist or is not finished, the run is tuned first. Each control is stored
below RUN/controls; finished ones are read, not computed again, and an interrupted one is resumed.

Controls: tuned best_layer random_adapter envelope spectrum word_rate word_rate_position autocorrelation motion shuffled
phase_randomised wrong_story other_subject stimulus word_vectors.

--json prints {"schema": 1, "rows", "subjects", "base": {…}, "controls": {NAME: {"mean_r", "rois", "delta": {"mean_r",
"ci95", "rois"}, "chosen_epoch"} or {"skipped"}}}; deltas are Δr to base.`,
		Example: "  bwlm controls runs/alice --glove glove.6B.50d.txt\n  bwlm controls alice.yaml --only " +
			"tuned,shuffled,random_adapter --json",
		Args: wantArgs("RUN|EXPERIMENT"),
		RunE: func(c *cobra.Command, args []string) error {
			report, err := a.controls(c.Context(), args[0], &exp, opt)
			if err != nil {
				return err
			}
			return a.answer(report, func(w io.Writer) error { return printControls(w, report) })
		},
	}
	exp.add(c)
	a.limits.add(c)
	f := c.Flags()
	f.StringSliceVar(&opt.Only, "only", nil, "run only these `controls`")
	f.StringSliceVar(&opt.Skip, "skip", nil, "skip these `controls`")
	f.StringVar(&opt.Glove, "glove", "",
		"word vectors: GloVe's text `file`, a .npy next to its .vocab.txt, or the folder of either")
	return c
}

func (a *app) controls(ctx context.Context, path string, exp *experimentFlags, opt controls.Options) (*results.Controls,
	error) {
	st, run, end, err := a.openRunOrExperiment(ctx, "controls", path, exp)
	if err != nil {
		return nil, err
	}
	defer end()
	if run == nil {
		if run, err = st.StartOrResume(ctx); err != nil {
			return nil, err
		}
		defer run.Close()
	}
	a.leavesRuns(run.Dir)
	if _, err := st.Fit(ctx, run); err != nil {
		return nil, advisedResume(ctx, err, run)
	}
	return controls.Run(ctx, st, run, opt)
}

func printControls(w io.Writer, r *results.Controls) error {
	fmt.Fprintf(w, "r on %d test rows of %s; base %.3f.\n", r.Rows, subjects(r.Subjects), r.Base.MeanR)
	var rows, skipped [][]string
	for _, name := range controls.Names {
		c := r.Controls[name]
		switch {
		case c == nil:
		case c.Skipped != "":
			skipped = append(skipped, []string{name, c.Skipped})
		default:
			epoch := "-"
			if c.Epoch != nil {
				epoch = fmt.Sprint(*c.Epoch)
			}
			rows = append(rows, []string{name, score(c.MeanR), decimal.Signed(c.Delta.MeanR, 3),
				interval(c.Delta.CI95), epoch})
		}
	}
	if err := ui.Table(w, []string{"control", "r", "Δr to base", "95 % interval", "epoch"}, rows); err != nil {
		return err
	}
	for _, s := range skipped {
		fmt.Fprintf(w, "Skipped: %s: %s.\n", s[0], inTerms(s[1]))
	}
	return nil
}
