package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/rerun"
	"github.com/brainwavlm/bwlm/internal/rundir"
)

// rerunAnswer is the answer of bwlm rerun; Outcome is nil with --check.
type rerunAnswer struct {
	Schema      int                `json:"schema"`
	Run         string             `json:"run"`
	Out         string             `json:"out,omitempty"`
	Differences []rerun.Difference `json:"differences"`
	Outcome     *rerun.Outcome     `json:"outcome,omitempty"`
}

func rerunCommand(a *app) *cobra.Command {
	var out string
	var check bool
	c := &cobra.Command{
		Use:   "rerun RUN --out DIR",
		Short: "Repeat a finished run, or say what differs",
		Long: `Repeats a finished run from its config.yaml and manifest.json into another folder, and compares the two.

First what a repetition would be made with and of is compared with the manifest: versions, processor, threads, device,
and the hash of each file of data and model. Files that differ are listed and nothing is trained (65). Then the run is
trained and scored again, and metrics, adapter, readouts and scores are compared byte by byte. With the same program,
threads and kind of processor they are bit-identical; else the largest difference of a voxel's r is printed.

--check compares without training.`,
		Example: "  bwlm rerun runs/study --check\n" +
			"  OMP_NUM_THREADS=2 bwlm rerun runs/study --out runs/study-again --json",
		Args: wantArgs("RUN"),
		RunE: func(c *cobra.Command, args []string) error {
			if !check {
				if err := required(c, "out"); err != nil {
					return err
				}
			}
			if err := alone("bwlm rerun", "give all ranks bwlm train with the experiment file"); err != nil {
				return err
			}
			return a.rerun(c.Context(), args[0], out, check)
		},
	}
	c.Flags().StringVar(&out, "out", "", "`directory` of the repetition")
	c.Flags().BoolVar(&check, "check", false, "compare versions, machine and inputs, and train nothing")
	a.limits.add(c)
	return c
}

func (a *app) rerun(ctx context.Context, dir, out string, check bool) error {
	was, err := rerun.Manifest(dir)
	if err != nil {
		return err
	}
	exp, err := experiment.LoadRun(filepath.Join(dir, rundir.ConfigFile))
	if err != nil {
		return err
	}
	answer := rerunAnswer{Schema: 1, Run: dir, Out: out}
	if answer.Differences, err = a.differences(ctx, exp, was); err != nil {
		return err
	}
	for _, d := range answer.Differences {
		if d.Input && !check {
			return fault.New(fault.BadData, "rerun", dir, "%s differs: %.12s, now %.12s", d.What, d.Was, d.Is).
				WithHint("put back what the run was made of; `bwlm rerun %s --check` lists all that differs", dir)
		}
	}
	if !check {
		if exp.Out, err = filepath.Abs(out); err != nil {
			return fault.Wrap(fault.IO, "rerun", out, err)
		}
		if err := a.trainAgain(ctx, exp); err != nil {
			return err
		}
		if answer.Outcome, err = rerun.Compare(dir, exp.Out); err != nil {
			return err
		}
	}
	return a.answer(answer, answer.text)
}

// differences compares a manifest with that of the same experiment begun now, in a folder that is removed.
func (a *app) differences(ctx context.Context, exp *experiment.Experiment, was *results.Manifest) ([]rerun.Difference,
	error) {
	tmp, err := os.MkdirTemp("", "bwlm-rerun-")
	if err != nil {
		return nil, fault.Wrap(fault.IO, "rerun", "", err)
	}
	defer os.RemoveAll(tmp)
	now := *exp
	now.Out = filepath.Join(tmp, "run")
	st, end, err := a.openStudy(ctx, &now)
	if err != nil {
		return nil, err
	}
	defer end()
	run, err := st.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer run.Close()
	is, err := rerun.Manifest(run.Dir)
	if err != nil {
		return nil, err
	}
	return append([]rerun.Difference{}, rerun.Differences(was, is)...), nil
}

// trainAgain tunes and scores an experiment as bwlm train does, and prints nothing of it.
func (a *app) trainAgain(ctx context.Context, exp *experiment.Experiment) error {
	st, end, err := a.openStudy(ctx, exp)
	if err != nil {
		return err
	}
	defer end()
	run, err := a.openRun(exp.Out, func() (*rundir.Run, error) { return a.begin(ctx, st, exp.Out) })
	if err != nil {
		return err
	}
	defer run.Close()
	a.leavesRun(run)
	if _, err := st.Fit(ctx, run); err != nil {
		return advisedResume(ctx, err, run)
	}
	_, err = st.EvaluateRun(ctx, run)
	return err
}

func (r rerunAnswer) text(w io.Writer) error {
	for _, d := range r.Differences {
		if _, err := fmt.Fprintf(w, "differs  %s: %s, now %s\n", d.What, d.Was, d.Is); err != nil {
			return err
		}
	}
	line := fmt.Sprintf("%s: no difference in versions, machine and inputs\n", r.Run)
	if n := len(r.Differences); n > 0 {
		line = fmt.Sprintf("%s: differences: %d\n", r.Run, n)
	}
	if o := r.Outcome; o != nil && o.Identical {
		line = fmt.Sprintf("%s: bit-identical to %s in all %d files that were compared\n", r.Out, r.Run, o.Files)
	} else if o != nil {
		line = fmt.Sprintf("%s: %d of %d files differ from those of %s; r of a voxel by at most %.2g\n", r.Out,
			len(o.Differ), o.Files, r.Run, o.LargestR)
	}
	_, err := io.WriteString(w, line)
	return err
}
