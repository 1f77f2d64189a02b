package main

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/brain/analysisplan"
)

func sealCommand(a *app) *cobra.Command {
	var exp experimentFlags
	var e analysisplan.Endpoints
	c := &cobra.Command{
		Use:   "seal EXPERIMENT",
		Short: "Write down what will be tested, before tuning",
		Long: `Writes OUT.seal.json beside the run directory of an experiment: hashes of each person's splits and masks, the endpoints and
the margin δ. From then on each look at the test rows (eval, train, probe, controls, transfer, …) adds a line to OUT.looks.jsonl and is
counted in what it prints; where splits or masks are no longer those that were sealed, it is refused. A training that has begun
cannot be sealed.

δ is written down in r, too, for auditory cortex (a region called auditory or AC) and the regions named: so much of what the
untuned model scores there on the validation rows, which are there to be looked at. Test rows are not. eval then says
whether a loss of that much is excluded.

--json prints what OUT.seal.json holds: {"schema": 1, "time", "splits_sha256", "masks_sha256", "endpoints": {"regions", "test",
"sides", "delta"}, "margins": {REGION: {"base_validation_r", "delta_r"}}, "sha256"}.`,
		Example: "  bwlm seal alice.yaml --region LPTL --region LATL --sides 1\n  bwlm seal alice.yaml --delta 0.05 --set out=runs/seed2",
		Args:    wantArgs("EXPERIMENT"),
		RunE: func(c *cobra.Command, args []string) error {
			x, err := exp.load(args[0])
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
				regions := "all voxels"
				if len(e.ROIs) > 0 {
					regions = strings.Join(e.ROIs, ", ")
				}
				_, err := fmt.Fprintf(w, "%s.seal.json: %s, %s, %d-sided, δ %g of the base score; SHA-256 %s\n",
					filepath.Clean(x.Out), regions, e.Test, e.Sides, e.Delta, s.SHA256)
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
	f.StringArrayVar(&e.ROIs, "region", nil, "a `region` that is an endpoint; repeatable, the first matters most; none: all voxels")
	f.StringVar(&e.Test, "test", "paired block bootstrap of tuned-base", "how tuned and base are compared, in `words`")
	f.IntVar(&e.Sides, "sides", 2, "1: tuned is better; 2: tuned differs")
	f.Float64Var(&e.Delta, "delta", .05, "the largest loss that counts as none, as a share of the base score")
	return c
}
