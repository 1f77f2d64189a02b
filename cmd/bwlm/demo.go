package main

import (
	"context"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/brain/demo"
	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
)

func demoCommand(a *app) *cobra.Command {
	opt := demo.Options{}
	c := &cobra.Command{
		Use:   "demo --out DIR",
		Short: "Run a whole study on simulated people, where the truth is known",
		Long: `Makes stories of synthetic speech and people whose responses to them are simulated, tunes a small speech model on one of
them in three ways (the whole cortex; auditory cortex only; and, as control, responses rolled in time), and scores each on
stories in a voice that was never tuned on. Beside the scores stand the ceiling, what sound, word rate and word identity
alone would reach, probes of what the representation gained in meaning or lost in sound, and the transfer to other people.
The model is a nano WavLM trained on synthetic speech: the demo shows the method, it says nothing about real brains.

Everything is left in the directory: a run directory for each way to tune, with predictions and responses as .npy, a made-up
surface that the voxels are on, and report.html, one page with all of it (see bwlm report).
About 4 minutes and 2 GB on 2 cores.`,
		Example: "  bwlm demo --out demo\n  bwlm demo --out null --null --seed 7   # nobody hears anything: nothing may come out",
		Args:    wantArgs(),
		RunE: func(c *cobra.Command, _ []string) error {
			if opt.Out == "" {
				return usage(c, "--out is missing")
			}
			study, done, err := a.studyOptions(0, nil)
			if err != nil {
				return err
			}
			defer done()
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
	f.Uint64Var(&opt.Seed, "seed", 1, "of stories, people, noise and tuning")
	f.BoolVar(&opt.Null, "null", false, "replace the responses of all people by noise")
	f.BoolVar(&opt.Force, "force", false, "replace a directory that a demo made")
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
	report, err := demo.Run(ctx, opt)
	if bar != nil {
		bar.End()
	}
	return report, err
}
