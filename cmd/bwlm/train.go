package main

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/internal/tensorboard"
)

func trainCommand(a *app) *cobra.Command {
	var exp experimentFlags
	var boards string
	var profile profiling
	c := &cobra.Command{
		Use:   "train EXPERIMENT",
		Short: "Tune a speech model on brain responses",
		Long: `Tunes the model of an experiment file and writes a run directory (out): the resolved experiment, a
manifest with the hash of every input, checkpoints of each epoch, the adapter of the epoch that validation chose, and
the scores on the test rows before and after. Splits that share audio are refused. The same command continues a training
that was stopped or killed, as bwlm resume does; one that has come to its end is refused (73).

--tensorboard writes losses, validation scores (of ROIs, too), learning rates and seconds per step during the training,
for tensorboard --logdir DIR; numbers to compute with are in metrics.jsonl of the run.

With eval.folds: stories each story is tested once, with a tuning of its own on the others: each fold is a run below
out/folds, and folds.json in out has their scores. Of clips, eval.folds: label:COLUMN does so with each label of a
column. The same command continues an interrupted one; --json prints folds.json.

Under torchrun, srun or the like the processes share one training (docs/cluster.md). --fast-sums has them add gradients
up in any order: less is sent and kept, and the last bits of the results depend on the number of processes.

With --profile a table of the time by part, forward and backward, is printed at the end, and profile.json and trace.json
are written to the run directory; chrome://tracing and ui.perfetto.dev open the latter. On a GPU a profiled run is
slower, since each kernel is synchronised.`,
		Example: "  bwlm train alice.yaml\n  bwlm train alice.yaml --set train.seed=2 --set out=runs/seed2\n" +
			"  bwlm train alice.yaml --tensorboard board/alice\n  bwlm train alice.yaml --set train.epochs=1 --profile",
		Args: wantArgs("EXPERIMENT"),
		RunE: func(c *cobra.Command, args []string) error {
			e, err := exp.load(c.Context(), args[0])
			if err != nil {
				return err
			}
			if e.Eval.HasFolds() {
				if boards != "" || profile.on {
					return usage(c, "--tensorboard and --profile are for one run, and eval.folds makes several")
				}
				if err := alone("eval.folds", "start the processes on folds of their own, with data.test"); err != nil {
					return err
				}
				return a.trainFolds(c.Context(), e)
			}
			ctx := profile.start(c.Context())
			return a.ranked(ctx, e, func() error { return a.train(ctx, e, boards, &profile) })
		},
	}
	exp.add(c)
	tensorboardFlag(c, &boards)
	c.Flags().BoolVar(&a.fastSums, "fast-sums", false, "let processes add gradients up in any order")
	profile.add(c.Flags(), "measure where the time goes")
	a.limits.add(c)
	return c
}

// train opens the study of an experiment and its run, tunes and scores.
func (a *app) train(ctx context.Context, exp *experiment.Experiment, boards string, profile *profiling) error {
	if a.watched = boards != ""; a.follows() {
		boards = ""
	}
	shown, closed, err := a.openBoard(boards, exp)
	if err != nil {
		return err
	}
	defer closed()
	st, end, err := a.openStudy(ctx, exp, shown...)
	if err != nil {
		return err
	}
	defer end()
	run, err := a.openRun(exp.Out, func() (*rundir.Run, error) { return a.begin(ctx, st, exp.Out) })
	if err != nil {
		return err
	}
	defer run.Close()
	continueBoards(shown, run)
	err = a.fit(ctx, st, run)
	if a.follows() {
		return err
	}
	return profile.end(a, run.Dir, err)
}

// begin makes the run directory of a study, or opens that of the same training if it was interrupted.
func (a *app) begin(ctx context.Context, st *brain.Study, out string) (*rundir.Run, error) {
	if !rundir.Interrupted(out) {
		return st.Begin(ctx)
	}
	run, err := st.StartOrResume(ctx)
	if err == nil {
		a.ui.Note("%s holds this training, interrupted: continuing it", out)
	}
	return run, err
}

// continueBoards has boards begin where a run stands; without a checkpoint it begins again.
func continueBoards(boards []*tensorboard.Board, run *rundir.Run) {
	if run.Fresh() || len(boards) == 0 {
		return
	}
	if p, err := run.Progress(); err == nil {
		for _, b := range boards {
			b.From(*p)
		}
	}
}

// tensorboardFlag adds the flag that names the folder of a board.
func tensorboardFlag(c *cobra.Command, dir *string) {
	c.Flags().StringVar(dir, "tensorboard", "", "`directory` to show the training in, for TensorBoard")
}

// openBoard opens the board in a folder, none for "".
func (a *app) openBoard(dir string, exp *experiment.Experiment) (boards []*tensorboard.Board, end func(), err error) {
	if dir == "" {
		return nil, func() {}, nil
	}
	b, err := tensorboard.Open(dir, exp, func(err error) {
		a.ui.Warn("the training continues without TensorBoard: %v",
			err)
	})
	if err != nil {
		return nil, nil, err
	}
	return []*tensorboard.Board{b}, func() { _ = b.Close() }, nil
}

func resumeCommand(a *app) *cobra.Command {
	var boards string
	c := &cobra.Command{
		Use:   "resume RUN",
		Short: "Resume an interrupted training",
		Long: `Continues a training from its newest good checkpoint. With the same number of threads the result is
bit-identical to that of an uninterrupted run. A finished run is scored again and otherwise unchanged.

--tensorboard continues in the folder given to bwlm train: repeated steps replace the earlier ones.`,
		Example: "  bwlm resume runs/alice\n  bwlm resume runs/alice --tensorboard board/alice",
		Args:    wantArgs("RUN"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := alone("bwlm resume",
				"give all ranks bwlm train with the experiment file, which continues"); err != nil {
				return err
			}
			run, err := brain.OpenRun(args[0])
			if err != nil {
				return err
			}
			defer run.Close()
			exp, err := run.Experiment()
			if err != nil {
				return err
			}
			shown, closed, err := a.openBoard(boards, exp)
			if err != nil {
				return err
			}
			defer closed()
			continueBoards(shown, run)
			st, end, err := a.openStudy(c.Context(), exp, shown...)
			if err != nil {
				return err
			}
			defer end()
			return a.fit(c.Context(), st, run)
		},
	}
	tensorboardFlag(c, &boards)
	a.limits.add(c)
	return c
}

// fit tunes, scores and prints.
func (a *app) fit(ctx context.Context, st *brain.Study, run *rundir.Run) error {
	a.leavesRun(run)
	training := a.group.Context(ctx)
	if _, err := st.Fit(training, run); err != nil {
		return advisedResume(training, err, run)
	}
	if a.follows() {
		return nil
	}
	a.noteTraffic()
	s, err := st.EvaluateRun(ctx, run)
	if err != nil {
		return advisedResume(ctx, err, run)
	}
	return a.answer(s, func(w io.Writer) error { return printSummary(w, s) })
}

// advisedResume adds a hint on how to resume after an interruption.
func advisedResume(ctx context.Context, err error, run *rundir.Run) error {
	if ctx.Err() == nil {
		return err
	}
	if f, ok := errors.AsType[*fault.Error](context.Cause(ctx)); ok {
		return fault.New(f.Kind, "stopped", run.Dir, "%s; all finished steps are saved",
			f.Reason).WithHint("resume it with `bwlm resume %s`", run.Dir)
	}
	return err
}
