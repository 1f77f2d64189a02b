package main

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/fault"
)

func trainCommand(a *app) *cobra.Command {
	var exp experimentFlags
	c := &cobra.Command{
		Use:   "train EXPERIMENT",
		Short: "Tune a speech model on brain responses",
		Long: `Tunes the model that the experiment file names and writes a run directory (out): the resolved experiment, a manifest with
the hash of every input, checkpoints of each epoch, the adapter of the epoch that validation chose, and the scores on the
test rows before and after. Splits that hear the same audio are refused. A run that was interrupted goes on with
bwlm resume.`,
		Example: "  bwlm train alice.yaml\n  bwlm train alice.yaml --set train.seed=2 --set out=runs/seed2",
		Args:    wantArgs("EXPERIMENT"),
		RunE: func(c *cobra.Command, args []string) error {
			e, err := exp.load(args[0])
			if err != nil {
				return err
			}
			st, end, err := a.openStudy(c.Context(), e)
			if err != nil {
				return err
			}
			defer end()
			run, err := st.Begin(c.Context())
			if err != nil {
				return err
			}
			defer run.Close()
			return a.fit(c.Context(), st, run)
		},
	}
	exp.add(c)
	a.limits.add(c)
	return c
}

func resumeCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "resume RUN",
		Short: "Go on with an interrupted training",
		Long: `Continues a training from its newest good checkpoint. At an equal number of threads the result is the same, to the bit,
as if it had never stopped. A finished run is scored again and otherwise left alone.`,
		Example: "  bwlm resume runs/alice",
		Args:    wantArgs("RUN"),
		RunE: func(c *cobra.Command, args []string) error {
			run, err := brain.OpenRun(args[0])
			if err != nil {
				return err
			}
			defer run.Close()
			exp, err := run.Experiment()
			if err != nil {
				return err
			}
			st, end, err := a.openStudy(c.Context(), exp)
			if err != nil {
				return err
			}
			defer end()
			return a.fit(c.Context(), st, run)
		},
	}
	a.limits.add(c)
	return c
}

// fit tunes, scores and prints.
func (a *app) fit(ctx context.Context, st *brain.Study, run *brain.Run) error {
	if _, err := st.Fit(ctx, run); err != nil {
		return advisedResume(ctx, err, run)
	}
	s, err := st.EvaluateRun(ctx, run)
	if err != nil {
		return advisedResume(ctx, err, run)
	}
	return a.answer(s, func(w io.Writer) error { return printSummary(w, s) })
}

// advisedResume tells how to go on after an interruption.
func advisedResume(ctx context.Context, err error, run *brain.Run) error {
	if ctx.Err() == nil {
		return err
	}
	if f, ok := errors.AsType[*fault.Error](context.Cause(ctx)); ok {
		return fault.New(f.Kind, "stopped", run.Dir, "%s; all finished steps are saved", f.Why).Advise("go on with `bwlm resume %s`", run.Dir)
	}
	return err
}
