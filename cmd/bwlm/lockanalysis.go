package main

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/spf13/cobra"
)

func lockAnalysisCommand(a *app) *cobra.Command {
	var exp experimentFlags
	var e results.Endpoints
	c := &cobra.Command{
		Use:   "lock-analysis EXPERIMENT",
		Short: "Lock splits, ROIs and endpoints before tuning",
		Long: `Writes OUT.analysis_plan.json next to the run directory of an experiment: the hashes of each subject's
splits and ROI masks, the endpoints and the non-inferiority margin δ, with a SHA-256 of all of it. Register that hash
where you register studies. From then on each command that reads the test rows (eval, train, probe, controls, transfer,
…) appends a line to OUT.test_reads.jsonl and reports the count; where splits or masks differ from the locked ones, it
is refused. An experiment whose training has begun cannot be locked.

δ is also stored in units of r, for auditory cortex (an ROI named auditory or AC) and for the ROIs named: that fraction
of the untuned model's score on the validation rows. The test rows are not read. eval then reports whether a loss of δ
is excluded.

--json prints the content of OUT.analysis_plan.json: {"schema", "time", "splits_sha256", "masks_sha256", "endpoints":
{"rois", "test", "sides", "delta"}, "margins": {ROI: {"base_validation_r", "delta_r"}}, "sha256"}.`,
		Example: "  bwlm lock-analysis alice.yaml --roi LPTL --roi LATL --sides 1\n  bwlm lock-analysis alice.yaml " +
			"--delta 0.05 --set out=runs/seed2",
		Args: wantArgs("EXPERIMENT"),
		RunE: func(c *cobra.Command, args []string) error {
			x, err := exp.load(c.Context(), args[0])
			if err != nil {
				return err
			}
			st, end, err := a.openStudy(c.Context(), x)
			if err != nil {
				return err
			}
			defer end()
			s, err := st.LockAnalysis(c.Context(), e)
			if err != nil {
				return err
			}
			return a.answer(s, func(w io.Writer) error {
				rois := "all voxels"
				if len(e.ROIs) > 0 {
					rois = strings.Join(e.ROIs, ", ")
				}
				_, err := fmt.Fprintf(w,
					"%s.analysis_plan.json: %s, %s, %d-sided, δ %g of the base score; SHA-256 %s\n",
					filepath.Clean(x.Out), rois, e.Test, e.Sides, e.Delta, s.SHA256)
				for _, name := range slices.Sorted(maps.Keys(s.Margins)) {
					m := s.Margins[name]
					fmt.Fprintf(w, "%s: δ %.4f, of r %.3f on the validation rows\n", name, m.Delta, m.BaseR)
				}
				return err
			})
		},
	}
	exp.add(c)
	f := c.Flags()
	f.StringArrayVar(&e.ROIs, "roi", nil,
		"an `ROI` that is an endpoint; repeatable, the first is the primary one; none: all voxels")
	f.StringVar(&e.Test, "test", "paired block bootstrap of tuned-base",
		"statistical test of tuned against base, as `text`")
	f.IntVar(&e.Sides, "sides", 2, "1: tuned is better; 2: tuned differs")
	f.Float64Var(&e.Delta, "delta", .05, "non-inferiority margin, as a fraction of the base score")
	return c
}
