package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/internal/decimal"
	"github.com/brainwavlm/bwlm/internal/roikeys"
)

func compareCommand(a *app) *cobra.Command {
	opt := results.CompareOptions{}
	var unit string
	c := &cobra.Command{
		Use:   "compare RUN RUN…",
		Short: "Compare finished runs on the same test rows, ROI by ROI",
		Long: `Compares the scores of finished runs: for each ROI the untuned model, each run, and Δr of the run to the
untuned model and to the first run, with intervals of a paired block bootstrap. The command reads the predictions below
eval/ of each run and needs neither data set nor model, so controls below RUN/controls can be compared as well. Runs
whose subjects, test rows, ROIs or responses differ are refused with the difference. Intervals are not corrected for the
number of ROIs and runs.

p is that of a paired permutation test: predictions of the two are swapped in random blocks of rows, and every r is
computed anew. It generalises to more rows of these stories and subjects; with --unit stories or subjects whole ones are
swapped, and it generalises to more of those. q is the false discovery rate over all differences of the table.

--json prints {"schema": 1, "subjects", "rows", "units": to swap, "runs": [{"dir", "chosen_epoch"}], "rois": [{"name":
"" for all voxels, "voxels", "base": SCORE, "scores": [{"tuned": SCORE, "delta": DELTA, "delta_first": DELTA}]}]}; SCORE
is {"mean_r", "ci95"}, DELTA has "p" and "q" as well.`,
		Example: "  bwlm compare runs/whole runs/retained\n  bwlm compare demo/whole_cortex demo/auditory_cortex " +
			"--json\n" +
			"  bwlm compare runs/all/controls/word_rate runs/all/controls/envelope runs/all --unit subjects",
		Args: wantSome("RUN", 2),
		RunE: func(c *cobra.Command, args []string) error {
			units := []string{stats.Blocks: "blocks", stats.Stories: "stories", stats.Subjects: "subjects"}
			if unit == "people" {
				return usage(c, "--unit: people is now subjects")
			}
			if opt.Unit = stats.Unit(slices.Index(units, unit)); opt.Unit < 0 {
				return usage(c, "--unit: %q, want one of %s", unit, strings.Join(units, ", "))
			}
			r, err := brain.Compare(c.Context(), args, opt)
			if err != nil {
				return err
			}
			for _, note := range r.Notes {
				a.ui.Note("note: %s", note)
			}
			return a.answer(r, func(w io.Writer) error { return printComparison(w, r) })
		},
	}
	c.Flags().StringVar(&unit, "unit", "blocks",
		"unit that the paired test swaps: `blocks` of rows, stories or subjects")
	c.Flags().IntVar(&opt.Permutations, "permutations", 1000, "number of permutations of the paired test")
	c.Flags().Uint64Var(&opt.Seed, "seed", 1, "seed of the bootstrap and the paired test")
	c.Flags().IntVar(&opt.Resamples, "resamples", 2000, "number of bootstrap resamples")
	return c
}

// wantSome accepts at least a number of arguments of a name.
func wantSome(name string, least int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < least {
			return usage(c, "%d %s, want at least %d", len(args), name, least)
		}
		return nil
	}
}

// printComparison writes a line for each ROI and run.
func printComparison(w io.Writer, c *results.Comparison) error {
	labels := runNames(c.Runs)
	head := []string{"ROI", "run", "r", "Δr to untuned", "95 % interval", "p", "q", "Δr to " + labels[0],
		"95 % interval", "p", "q"}
	difference := func(d *results.ComparedDelta) []string {
		if d == nil {
			return make([]string, 4)
		}
		return []string{decimal.Signed(d.Mean, 3), interval(d.CI95), decimal.Text(d.P, 3),
			decimal.Text(d.Q, 3)}
	}
	var rows [][]string
	for _, region := range c.ROIs {
		rows = append(rows, []string{roikeys.Label(region.Name), "untuned", score(region.Base.Mean)})
		for k, s := range region.Scores {
			row := append([]string{"", labels[k], score(s.Tuned.Mean)}, difference(&s.Delta)...)
			rows = append(rows, append(row, difference(s.DeltaFirst)...))
		}
	}
	fmt.Fprintf(w, "Score: r on %d test rows of %s, by a ridge fitted on the training rows.\n", c.Rows,
		subjects(c.Subjects))
	if err := ui.Table(w, head, rows); err != nil {
		return err
	}
	if reason := c.ROIs[0].Reason; reason != "" {
		fmt.Fprintf(w, "No interval: %s.\n", reason)
	}
	_, err := fmt.Fprintf(w, "p: two-sided, by swapping any of %d units; q: false discovery rate over this table.\n",
		c.Units)
	return err
}

// runNames are the last parts of the runs' paths where those differ, else the paths.
func runNames(runs []results.ComparedRun) []string {
	out, seen := make([]string, len(runs)), map[string]bool{}
	for i, r := range runs {
		out[i] = filepath.Base(r.Dir)
		seen[out[i]] = true
	}
	if len(seen) < len(runs) {
		for i, r := range runs {
			out[i] = r.Dir
		}
	}
	return out
}
