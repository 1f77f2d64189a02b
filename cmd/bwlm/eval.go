package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/rundir"
)

func evalCommand(a *app) *cobra.Command {
	var exp experimentFlags
	var sum sumFlags
	c := &cobra.Command{
		Use:   "eval RUN|EXPERIMENT",
		Short: "Score pretrained and tuned features on the test rows",
		Long: `Fits a ridge on the training rows, for each subject and for the features of the model before and after
tuning, and scores its predictions of the test rows: r of each voxel, means of ROIs, and Δr (tuned - base) with a
block-bootstrap interval. Given an experiment file, it scores the untuned model alone, and refuses (73)
an out that holds a training. Scores of each voxel are written below eval/ of the run.

With --scale, --add, --subtract or --average it scores the run's adapter times each scale, plus, minus or averaged with
those of other runs (task arithmetic), which may have other ranks, and writes nothing: how much of the adapter is
needed, and what two adapters share.`,
		Example: "  bwlm eval runs/alice\n  bwlm eval alice.yaml --json\n  bwlm eval runs/whole --scale " +
			"0,.25,.5,.75,1,1.25,1.5\n" +
			"  bwlm eval runs/whole --subtract runs/auditory",
		Args: wantArgs("RUN|EXPERIMENT"),
		RunE: func(c *cobra.Command, args []string) error {
			if sum.given(c) {
				r, err := a.arithmetic(c.Context(), args[0], &exp, &sum)
				if err != nil {
					return err
				}
				return a.answer(r, func(w io.Writer) error { return printArithmetic(w, r) })
			}
			s, err := a.evaluate(c.Context(), args[0], &exp)
			if err != nil {
				return err
			}
			return a.answer(s, func(w io.Writer) error { return printSummary(w, s) })
		},
	}
	exp.add(c)
	a.limits.add(c)
	sum.add(c)
	return c
}

// evaluate scores a run directory or an experiment file.
func (a *app) evaluate(ctx context.Context, path string, flags *experimentFlags) (*results.Summary, error) {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return a.evaluateUntuned(ctx, path, flags)
	}
	st, run, end, err := a.openRunOrExperiment(ctx, "eval", path, flags)
	if err != nil {
		return nil, err
	}
	defer end()
	return st.EvaluateRun(ctx, run)
}

// evaluateUntuned scores the untuned model of an experiment file. It never touches the directory of a training.
func (a *app) evaluateUntuned(ctx context.Context, path string, flags *experimentFlags) (*results.Summary, error) {
	exp, err := flags.load(ctx, path)
	if err != nil {
		return nil, err
	}
	if exp.Eval.HasFolds() {
		return nil, fault.New(fault.Usage, "eval", "eval.folds", "the folds are trained and scored by `bwlm train %s`",
			path).WithHint("add --set eval.folds=none to score the splits of the file")
	}
	out, err := rundir.Reserve(exp.Out)
	if f := (*fault.Error)(nil); errors.As(err, &f) && f.Op == "write scores" && f.Kind == fault.Exists {
		f.WithHint("`bwlm eval %s` scores the training; `bwlm eval %s --set out=DIR` scores the untuned model "+
			"in another directory", exp.Out, path)
	}
	if err != nil {
		return nil, err
	}
	defer out.Close()
	st, end, err := a.openStudy(ctx, exp)
	if err != nil {
		return nil, err
	}
	defer end()
	return st.Evaluate(ctx, nil, out.File("eval"))
}

// openRunOrExperiment opens the study of a run directory, with the run, or of an experiment file, with none.
func (a *app) openRunOrExperiment(ctx context.Context, what, path string, flags *experimentFlags) (st *brain.Study,
	run *rundir.Run, end func(), err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, nil, fault.Wrap(fault.Missing, what, "", err)
	}
	if !info.IsDir() {
		exp, err := flags.load(ctx, path)
		if err != nil {
			return nil, nil, nil, err
		}
		st, end, err = a.openStudy(ctx, exp)
		return st, nil, end, err
	}
	if flags.given() {
		return nil, nil, nil, fault.New(fault.Usage, what, path,
			"--set and --allow-leak cannot change a run that is there")
	}
	if run, err = brain.OpenRun(path); err != nil {
		return nil, nil, nil, err
	}
	var done func()
	exp, err := run.Experiment()
	if err == nil {
		st, done, err = a.openStudy(ctx, exp)
	}
	if err != nil {
		run.Close()
		return nil, nil, nil, err
	}
	return st, run, func() { done(); run.Close() }, nil
}
