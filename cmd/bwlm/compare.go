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
)

func compareCommand(a *app) *cobra.Command {
	opt := results.CompareOptions{}
	var unit string
	c := &cobra.Command{
		Use:   "compare RUN RUN…",
		Short: "Compare finished runs on the same test rows, region by region",
		Long: `Sets the scores of finished runs side by side: for each region the untuned model, each run, its difference to the untuned
model and to the first run, with intervals of a paired block bootstrap. It reads the predictions below eval/ of each run
and needs neither data set nor model, so controls that are left below RUN/controls can be compared too. Runs whose people, test
rows, regions or responses differ are refused with what differs. No interval is corrected for the number of regions and runs.

p is that of a paired test: predictions are swapped between the two in random blocks of rows, and every r is computed anew. It
is about more rows of these stories and people; with --unit stories or people whole ones are swapped, and it is about more of
those. q is the false discovery rate over all differences of the table.

--json prints {"schema": 1, "subjects", "rows", "units": to swap, "runs": [{"dir", "chosen_epoch"}], "regions": [{"name": "" for
all voxels, "voxels", "base": SCORE, "scores": [{"tuned": SCORE, "less_base": DELTA, "less_first": DELTA}]}]}; SCORE is {"mean_r",
"ci95"}, DELTA has "p" and "q" beside them.`,
		Example: "  bwlm compare runs/whole runs/guarded\n  bwlm compare demo/whole_cortex demo/auditory_cortex --json\n" +
			"  bwlm compare runs/all/controls/word_rate runs/all/controls/envelope runs/all --unit people",
		Args: wantSome("RUN", 2),
		RunE: func(c *cobra.Command, args []string) error {
			units := []string{stats.Blocks: "blocks", stats.Stories: "stories", stats.Subjects: "people"}
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
	c.Flags().StringVar(&unit, "unit", "blocks", "what the paired test swaps: `blocks` of rows, stories or people")
	c.Flags().IntVar(&opt.Permutations, "permutations", 1000, "of the paired test")
	c.Flags().Uint64Var(&opt.Seed, "seed", 1, "of the bootstrap and the paired test")
	c.Flags().IntVar(&opt.Resamples, "resamples", 2000, "draws of the bootstrap")
	return c
}

// wantSome accepts at least so many arguments of a name.
func wantSome(name string, least int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < least {
			return usage(c, "%d %s, want at least %d", len(args), name, least)
		}
		return nil
	}
}

// printComparison writes a line for each region and run.
func printComparison(w io.Writer, c *results.Comparison) error {
	labels := runNames(c.Runs)
	head := []string{"region", "run", "r", "less untuned", "95 % interval", "p", "q", "less " + labels[0], "95 % interval", "p", "q"}
	difference := func(d *results.ComparedDelta) []string {
		if d == nil {
			return make([]string, 4)
		}
		return []string{fmt.Sprintf("%+.3f", d.Mean), interval(d.CI95), fmt.Sprintf("%.3f", d.P), fmt.Sprintf("%.3f", d.Q)}
	}
	var rows [][]string
	for _, region := range c.ROIs {
		name := region.Name
		if name == "" {
			name = "all voxels"
		}
		rows = append(rows, []string{name, "untuned", score(region.Base.Mean), "", "", "", "", "", "", "", ""})
		for k, s := range region.Scores {
			row := append([]string{"", labels[k], score(s.Tuned.Mean)}, difference(&s.Delta)...)
			rows = append(rows, append(row, difference(s.DeltaFirst)...))
		}
	}
	fmt.Fprintf(w, "Score: r on %d test rows of %s, by a ridge fitted on the training rows.\n", c.Rows, people(c.Subjects))
	if err := ui.Table(w, head, rows); err != nil {
		return err
	}
	if reason := c.ROIs[0].Reason; reason != "" {
		fmt.Fprintf(w, "No interval: %s.\n", reason)
	}
	_, err := fmt.Fprintf(w, "p: two-sided, by swapping any of %d units; q: false discovery rate over this table.\n", c.Units)
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
