package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/controls"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/internal/decimal"
	"github.com/brainwavlm/bwlm/internal/rundir"
)

func variancePartitionCommand(a *app) *cobra.Command {
	var glove string
	var tries int
	c := &cobra.Command{
		Use:   "variance-partition RUN...",
		Short: "Partition the gain in R² among alternative explanations",
		Long: `Variance partitioning of the gain in R² (tuned - base) on the test rows: the part that a better untuned
layer, the spectrum, eval.features of the experiment, the word rate (with the position in the story) and word vectors
(--glove) explain as well, and the part that only tuning gave. With ΔR²(X) = R²(tuned and X) - R²(base and X) for
features X that both models are given, the column "sequential" is the decrease of ΔR² as each line's features are
added to those above it; that column and "unexplained" add up to the gain. "alone" is the decrease by that line's
features alone: it does not depend on the order, and these parts overlap.

Each feature space has a penalty of its own for each voxel (banded ridge), chosen among --tries random sets by the
variance explained in held-out training rows; each set costs as much as an ordinary ridge. --tries 1 is one penalty for
all feature spaces, with which wide ones drown narrow ones.

Given runs of one experiment with several seeds, gains are averaged over them. Variance components follow: the variation
of the gain between seeds, stories and subjects, and the number of each at which the gain would be 2.8 standard errors
(80 % power at .05) if it were the only source.

--json prints {"schema": 1, "base_r2", "tuned_r2", "delta_r2", "components": [{"name", "sequential", "alone"}],
"unexplained", "unique_base", "unique_tuned", "variance": {"seeds": {"n", "sd", "needed"}, "stories", "subjects",
"residual_sd"}}; null is what cannot be estimated.`,
		Example: "  bwlm variance-partition runs/alice --glove glove.6B.50d.txt\n  bwlm variance-partition " +
			"runs/seed1 runs/seed2 runs/seed3 --json",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage(c, "RUN is missing")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			x, err := a.variancePartition(c.Context(), args, glove, tries)
			if err != nil {
				return err
			}
			return a.answer(x, func(w io.Writer) error { return printPartition(w, x) })
		},
	}
	c.Flags().StringVar(&glove, "glove", "",
		"word vectors: GloVe's text `file`, a .npy next to its .vocab.txt, or the folder of either")
	c.Flags().IntVar(&tries, "tries", 20, "random `sets` of penalties")
	a.limits.add(c)
	return c
}

func (a *app) variancePartition(ctx context.Context, paths []string, glove string,
	tries int) (*results.VariancePartition, error) {
	var runs []*rundir.Run
	for _, path := range paths {
		run, err := brain.OpenRun(path)
		if err != nil {
			return nil, err
		}
		defer run.Close()
		runs = append(runs, run)
	}
	exp, err := runs[0].Experiment()
	if err != nil {
		return nil, err
	}
	st, end, err := a.openStudy(ctx, exp)
	if err != nil {
		return nil, err
	}
	defer end()
	return controls.PartitionVariance(ctx, st, runs, glove, tries)
}

func printPartition(w io.Writer, x *results.VariancePartition) error {
	fmt.Fprintf(w, "R² on test rows: base %.4f, tuned %.4f, ΔR² %s (%s).\n", x.Base, x.Tuned,
		decimal.Signed(x.DeltaR2, 4),
		count(x.Runs, "run", "runs"))
	var rows, skipped [][]string
	for _, c := range x.Components {
		if c.Skipped != "" {
			skipped = append(skipped, []string{c.Name, c.Skipped})
			continue
		}
		rows = append(rows, []string{c.Name, decimal.Signed(c.Sequential, 4), decimal.Signed(c.Alone, 4)})
	}
	rows = append(rows, []string{"unexplained", decimal.Signed(x.Unexplained, 4)})
	if err := ui.Table(w, []string{"component", "sequential", "alone"}, rows); err != nil {
		return err
	}
	fmt.Fprintf(w, "Unique variance given all of these: base %.4f, tuned %.4f.\n\n", x.UniqueBase, x.UniqueTuned)
	rows = nil
	for _, s := range []struct {
		name string
		of   results.VarianceSource
	}{{"seeds", x.Variance.Seeds}, {"stories", x.Variance.Stories}, {"subjects", x.Variance.Subjects}} {
		sd, needed := "-", "-"
		if s.of.SD != nil {
			sd = decimal.Text(*s.of.SD, 4)
		}
		if s.of.Needed != nil {
			needed = fmt.Sprint(*s.of.Needed)
		}
		rows = append(rows, []string{s.name, fmt.Sprint(s.of.N), sd, needed, s.of.Why})
	}
	if err := ui.Table(w, []string{"variation between", "n", "SD", "needed", ""}, rows); err != nil {
		return err
	}
	for _, s := range skipped {
		fmt.Fprintf(w, "Skipped: %s: %s.\n", s[0], inTerms(s[1]))
	}
	return nil
}
