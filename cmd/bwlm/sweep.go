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
	c := &cobra.Command{
		Use:   "sweep EXPERIMENT --vary KEY=VALUE,VALUE --out DIR",
		Short: "Train with every combination of settings (grid search)",
		Long: `Trains and scores once for every combination of the values given, each in a run directory of its own
below DIR, and prints a line for each setting: mean and SD over seeds of Δr (tuned - base), the best epoch, the share of
epochs below the untuned model on the validation rows, and diverged runs. DIR/sweep.csv has a line for each run,
DIR/sweep.json everything.

Repeating the command continues an interrupted sweep: finished runs are read, an interrupted one is resumed, a failed
one is tried again. Values may be added. A run that fails does not stop the others. Choose settings by Δr on the
validation rows (val Δr): a choice by the test rows spoils the test.`,
		Example: `  bwlm sweep alice.yaml --vary train.lr=1e-4,3e-4 --vary train.seed=1,2,3 --out sweeps/lr
  bwlm sweep alice.yaml --vary data.subjects=sub-18,sub-22 --out sweeps/each   # one model for each subject
  bwlm sweep alice.yaml --vary 'data.roi=[],[temporal]' --vary adapter.r=2,4 --out sweeps/roi --json`,
		Args: wantArgs("EXPERIMENT"),
		RunE: func(c *cobra.Command, args []string) error {
			if out == "" {
				return usage(c, "--out is missing")
			}
			opt := sweep.Options{Out: out}
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
			return a.answer(r, func(w io.Writer) error { return printSweep(w, r, out) })
		},
	}
	exp.add(c)
	a.limits.add(c)
	c.Flags().StringArrayVar(&vary, "vary", nil, "`KEY=VALUE,VALUE` to try, values as YAML; repeatable")
	c.Flags().StringVar(&out, "out", "", "`directory` for the runs and the table")
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
	a.leavesRuns(out)
	opt.Begin = func(run string, index, total int) {
		watch.end()
		a.ui.Note("run %d of %d: %s", index+1, total, run)
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

// printSweep writes a line for each setting.
func printSweep(w io.Writer, r *results.Sweep, out string) error {
	var head []string
	for _, a := range r.Axes {
		if len(r.Settings) > 0 && r.Settings[0].Values[a.Key] != "" {
			head = append(head, a.Key)
		}
	}
	keys := len(head)
	head = append(head, "seeds")
	regions := r.ROIs()
	for _, roi := range regions {
		head = append(head, "Δr "+roikeys.Label(roi))
	}
	head = append(head, "val Δr", "best epochs", "below base", "diverged", "failed")
	var rows [][]string
	for _, s := range r.Settings {
		var row []string
		for _, key := range head[:keys] {
			row = append(row, s.Values[key])
		}
		row = append(row, fmt.Sprint(s.Seeds))
		for _, region := range regions {
			row = append(row, spread(s.Delta[region], s.Seeds))
		}
		best := strings.Trim(strings.ReplaceAll(fmt.Sprint(s.Best), " ", ","), "[]")
		rows = append(rows, append(row, spread(s.ValDelta, s.Seeds), best, fmt.Sprintf("%.0f%%", 100*s.Below),
			fmt.Sprint(s.Diverged), fmt.Sprint(s.Failed)))
	}
	fmt.Fprintln(w, "Δr (tuned - base) on the test rows, by ROI: mean over seeds (SD).")
	if err := ui.Table(w, head, rows); err != nil {
		return err
	}
	for _, t := range r.Runs {
		if t.Error != "" {
			fmt.Fprintf(w, "%s failed: %s\n", t.Name, t.Error)
		}
	}
	_, err := fmt.Fprintf(w, "Each run is in %s; choose by val Δr, not by test rows.\n", out)
	return err
}

// spread is a mean with its SD.
func spread(s results.Spread, seeds int) string {
	switch {
	case seeds == 0:
		return "-"
	case s.SD == nil:
		return decimal.Signed(s.Mean, 3)
	}
	return fmt.Sprintf("%s (%.3f)", decimal.Signed(s.Mean, 3), *s.SD)
}
