package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/sweep"
	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/decimal"
	"github.com/brainwavlm/bwlm/internal/roikeys"
)

func sweepCommand(a *app) *cobra.Command {
	var exp experimentFlags
	var vary []string
	var out string
	var reveal bool
	c := &cobra.Command{
		Use:   "sweep EXPERIMENT --vary KEY=VALUE,VALUE --out DIR",
		Short: "Train with every combination of settings (grid search)",
		Long: `Trains once for every combination of the values given, each in a run directory of its own below DIR, and
ranks the settings by r on the validation rows (val r, mean over seeds). Only the best setting is scored on the test
rows: a choice by the test rows spoils the test. Settings that differ in data (subjects, ROIs, rows, but for data.train)
are validated on other responses, so each has a best setting of its own. --reveal scores the test rows of all runs.
DIR/test_reads.jsonl has a line for each run whose test rows were scored; a locked analysis plan counts them, too.

Several processes may run the same command, on one machine or many that share DIR: each takes the next run that no
other one has locked, and waits when only runs of others are left. When all are finished each writes the same table:
DIR/sweep.csv has a line for each run, DIR/sweep.json everything. docs/cluster.md has scripts for SLURM.

Repeating the command continues an interrupted sweep: finished runs are read, an interrupted one is resumed, a failed
one is tried again, unless its loss was not finite. Values may be added; another experiment or other keys are refused
(73). A run that fails does not stop the others: it is a line of the table with its reason.

Exit codes: 0 the table is written, failed runs in it or not; 73 DIR is of another sweep; 130, 143 stopped, with all
finished steps saved; if no run has a score, that of the first failure.`,
		Example: `  bwlm sweep alice.yaml --vary train.lr=1e-4,3e-4 --vary train.seed=1,2,3 --out sweeps/lr
  bwlm sweep alice.yaml --vary data.subjects=sub-18,sub-22 --out sweeps/each   # one model for each subject
  bwlm sweep alice.yaml --vary 'data.roi=[],[temporal]' --vary adapter.r=2,4 --out sweeps/roi --json`,
		Args: wantArgs("EXPERIMENT"),
		RunE: func(c *cobra.Command, args []string) error {
			if out == "" {
				return usage(c, "--out is missing")
			}
			opt := sweep.Options{Out: out, Reveal: reveal}
			for _, v := range vary {
				axis, err := sweep.ParseAxis(v)
				if err != nil {
					return err
				}
				opt.Axes = append(opt.Axes, axis)
			}
			opt.Experiment = func(sets ...string) (*experiment.Experiment, error) {
				e, err := experiment.LoadContext(c.Context(), args[0], slices.Concat(exp.settings(), sets)...)
				if err == nil && e.Train.Reliability == "test" && a.caveat == "" {
					a.caveat = results.TestRepeatsShared // unless a study that is opened knows better
				}
				return e, err
			}
			opt.Open = func(ctx context.Context, e *experiment.Experiment, o brain.Options) (*brain.Study, error) {
				st, err := brain.Open(ctx, e, o)
				if err == nil {
					a.caveat = st.TestRepeats()
				}
				return st, err
			}
			r, err := a.sweep(c, opt)
			if err != nil {
				return err
			}
			if err := a.answer(r, func(w io.Writer) error { return printSweep(w, r, out) }); err != nil {
				return err
			}
			return noScore(r, out)
		},
	}
	exp.add(c)
	a.limits.add(c)
	c.Flags().StringArrayVar(&vary, "vary", nil, "`KEY=VALUE,VALUE` to try, values as YAML; repeatable")
	c.Flags().StringVar(&out, "out", "", "`directory` for the runs and the table")
	c.Flags().BoolVar(&reveal, "reveal", false, "score the test rows of all settings, which is recorded")
	return c
}

// sweep runs a sweep and shows where it is.
func (a *app) sweep(c *cobra.Command, opt sweep.Options) (*results.Sweep, error) {
	out, err := filepath.Abs(opt.Out)
	if err != nil {
		return nil, fault.Wrap(fault.IO, "sweep", opt.Out, err)
	}
	opt.Out = out
	watch := &watcher{ui: a.ui}
	study, err := a.studyOptions(0, watch.event) // each run's own max_memory holds where the flag is not given
	if err != nil {
		return nil, err
	}
	opt.Study = study
	if opt.Reveal {
		opt.Study.Purpose += " --reveal"
	}
	a.leavesRuns(out)
	opt.Begin = func(s progress.RunStatus) {
		watch.end()
		a.ui.Note("%s", statusLine("run", s))
	}
	r, err := sweep.Run(c.Context(), opt)
	watch.end()
	if ctx := c.Context(); err != nil && ctx.Err() != nil {
		stop := fault.Wrap(fault.KindOf(err), "stopped", out, err)
		stop.Reason = "all finished steps are saved"
		return nil, stop.WithHint("continue with the same command")
	}
	return r, err
}

// statusLine says which run begins, or for how many this process waits.
func statusLine(what string, s progress.RunStatus) string {
	others := ""
	if s.Others > 0 {
		others = fmt.Sprintf(" (%d more at work in other processes)", s.Others)
	}
	switch {
	case s.Run == "":
		return fmt.Sprintf("waiting: %d of %d at work in other processes, nothing else is left", s.Others, s.Total)
	case s.Scores:
		return fmt.Sprintf("test rows of %s %d of %d: %s%s", what, s.Index+1, s.Total, s.Run, others)
	}
	return fmt.Sprintf("%s %d of %d: %s%s", what, s.Index+1, s.Total, s.Run, others)
}

// noScore returns the first failure as an error if no run was trained to the end.
func noScore(r *results.Sweep, out string) error {
	for _, run := range r.Runs {
		if run.ValR != nil {
			return nil
		}
	}
	first := r.Runs[0]
	return fault.New(fault.Kind(first.Code), "sweep", out, "none of %d runs has a score; the first: %s", len(r.Runs),
		first.Error)
}

// printSweep writes a line for each setting, the best first.
func printSweep(w io.Writer, r *results.Sweep, out string) error {
	head := []string{"rank"}
	var keys []string
	for _, a := range r.Axes {
		if len(r.Settings) > 0 && r.Settings[0].Values[a.Key] != "" {
			keys = append(keys, a.Key)
		}
	}
	head = append(append(head, keys...), "seeds", "val r", "val Δr", "best epochs", "below base", "diverged", "failed")
	regions := r.ROIs()
	for _, roi := range regions {
		head = append(head, "test Δr "+roikeys.Label(roi))
	}
	var rows [][]string
	best := 0
	for _, s := range r.Settings {
		row := []string{"-"}
		if s.Rank > 0 {
			row[0] = fmt.Sprint(s.Rank)
		}
		if s.Rank == 1 {
			best++
		}
		for _, key := range keys {
			row = append(row, s.Values[key])
		}
		epochs := strings.Trim(strings.ReplaceAll(fmt.Sprint(s.Best), " ", ","), "[]")
		row = append(row, fmt.Sprint(s.Seeds), spread(s.ValR, score), spread(s.ValDelta, signed), epochs,
			fmt.Sprintf("%.0f%%", 100*s.Below), fmt.Sprint(s.Diverged), fmt.Sprint(s.Failed))
		for _, region := range regions {
			var delta *results.Spread
			if d, ok := s.Delta[region]; ok {
				delta = &d
			}
			row = append(row, spread(delta, signed))
		}
		rows = append(rows, row)
	}
	fmt.Fprintf(w, "%d settings in %d runs, ranked by r on the validation rows: mean over seeds (SD).\n",
		r.Configurations, len(r.Runs))
	if err := ui.Table(w, head, rows); err != nil {
		return err
	}
	for _, t := range r.Runs {
		if t.Error != "" {
			fmt.Fprintf(w, "%s failed: %s\n", t.Name, t.Error)
		}
	}
	if unmoved(r) {
		fmt.Fprintln(w, "No setting is better than the untuned model on the validation rows: ranks are those of "+
			"chance. "+results.AfterNoEpoch)
	}
	if best > 1 {
		fmt.Fprintln(w, "Settings that differ in data are validated on other responses: each has a best one of its "+
			"own.")
	}
	shown := "of the best setting alone; --reveal shows all"
	if r.Revealed {
		shown = "of all: a choice by them spoils the test"
	}
	fmt.Fprintf(w, "Test rows: shown %s. Scored so far: %d of %d runs.\n", shown, r.TestScored, len(r.Runs))
	_, err := fmt.Fprintf(w, "Each run is in %s.\n", out)
	return err
}

// unmoved reports whether in each run that was trained to the end validation chose epoch 0, the untuned model.
func unmoved(r *results.Sweep) bool {
	tuned := 0
	for _, run := range r.Runs {
		if run.ValR == nil {
			continue
		}
		if tuned++; run.Best > 0 {
			return false
		}
	}
	return tuned > 0
}

// spread is a mean with its SD; number prints the mean.
func spread(s *results.Spread, number func(float64) string) string {
	switch {
	case s == nil:
		return "-"
	case s.SD == nil:
		return number(s.Mean)
	}
	return fmt.Sprintf("%s (%.3f)", number(s.Mean), *s.SD)
}

// signed is a difference of r.
func signed(x float64) string { return decimal.Signed(x, 3) }
