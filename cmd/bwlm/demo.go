package main

import (
	"context"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/internal/brain/demo"
)

func demoCommand(a *app) *cobra.Command {
	opt := demo.Options{}
	c := &cobra.Command{
		Use:   "demo --out DIR",
		Short: "Run a whole study on simulated subjects with known truth",
		Long: `Simulates stories of synthetic speech and subjects' responses to them, tunes a small speech model on one
subject in three ways (the whole cortex; auditory cortex only; and, as a control, circularly shifted responses), and
scores each on stories in a voice that was not in the tuning. The scores come with their ceiling, encoding models of
acoustic features, word rate and word identity, probes of meaning and sound in the representation, and the transfer to
other subjects. The model is a nano WavLM trained on synthetic speech: the demo shows the method and no result about
real brains.

The directory holds everything: a run directory for each way to tune, with predictions and responses as .npy, a made-up
surface with the voxels, and report.html, one page with all of it (see bwlm report). About 4 minutes and 2 GB on 2
cores.`,
		Example: "  bwlm demo --out demo\n  bwlm demo --out null --null --seed 7   # responses are noise: no effect " +
			"may be found",
		Args: wantArgs(),
		RunE: func(c *cobra.Command, _ []string) error {
			if opt.Out == "" {
				return usage(c, "--out is missing")
			}
			study, err := a.studyOptions(0, nil)
			if err != nil {
				return err
			}
			opt.Study = study
			report, err := a.demo(c.Context(), opt)
			if err != nil {
				return err
			}
			page := filepath.Join(opt.Out, "report.html")
			if _, err := writeReport(c.Context(), page, opt.Out); err != nil {
				return err
			}
			a.ui.Note("report: %s", page)
			return a.answer(report, func(w io.Writer) error { return printDemo(w, report, opt.Out) })
		},
	}
	a.limits.cache.add(c)
	a.limits.addMemory(c)
	f := c.Flags()
	f.StringVar(&opt.Out, "out", "", "`directory` for the study")
	f.Uint64Var(&opt.Seed, "seed", 1, "seed of stories, subjects, noise and tuning")
	f.BoolVar(&opt.Null, "null", false, "replace the responses of all subjects by noise")
	f.BoolVar(&opt.Force, "force", false, "replace a directory that a demo wrote")
	return c
}

func (a *app) demo(ctx context.Context, opt demo.Options) (*demo.Report, error) {
	var bar *ui.Progress
	opt.Progress = func(e demo.Event) {
		if e.Warning != "" {
			a.ui.Warn("%s: %s", e.Arm, e.Warning)
		}
		if bar == nil && e.Total > 0 {
			bar = a.ui.Progress("demo", 0, e.Total)
		}
		if bar != nil {
			bar.Set(e.Done, e.Arm+" "+e.Detail)
		}
	}
	a.left.by(func() string {
		return opt.Out + " is unfinished; make the demo again with --force, which replaces it"
	})
	report, err := demo.Run(ctx, opt)
	if bar != nil {
		bar.End()
	}
	return report, err
}
