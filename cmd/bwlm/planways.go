package main

import (
	"fmt"
	"io"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/plan"
	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/internal/decimal"
)

// printWays writes a line for each way to extract features.
func printWays(w io.Writer, p *plan.Plan) error {
	if len(p.Ways) < 2 {
		return nil
	}
	if p.Epochs == 0 {
		return printSeriesWays(w, p)
	}
	fmt.Fprintln(w, "\nWays to extract features, the experiment's own first:")
	head := []string{"way", "time", "memory", "TFLOP/s hours", "features r", "worst tenth", "rows r", "base r, train",
		"base r, val", "difference"}
	var rows [][]string
	for _, y := range p.Ways {
		rows = append(rows, []string{wayName(y), duration(y.Seconds), megabytes(y.PeakMB), hours(y.Hours),
			optional(y.FeatureR), optional(y.LowR), optional(y.RowR), optional(y.TrainR), optional(y.ValR),
			difference(y)})
	}
	if err := ui.Table(w, head, rows); err != nil {
		return err
	}
	fmt.Fprintln(w, "TFLOP/s hours: of matrix products, on a machine that sustains 10^12 operations a second; divide "+
		"by what yours sustains.")
	c := p.Compared
	if c.TrainRows > 0 {
		fmt.Fprintf(w, "Agreement: %d training and %d validation rows in %d pieces, %d voxels of %s, in %s; no "+
			"test rows. Few rows: small differences are noise.\n", c.TrainRows, c.ValRows, c.Pieces,
			c.Voxels, counted(c.Subjects), duration(c.Seconds))
	}
	if c.Reason != "" {
		fmt.Fprintf(w, "Not all is compared: %s. --compare-seconds gives more time.\n", c.Reason)
	}
	for _, y := range p.Ways {
		if y.Refused != "" {
			fmt.Fprintf(w, "%s: refused with these splits: %s.\n", wayName(y), y.Refused)
		}
	}
	_, err := fmt.Fprintln(w, "Chunks hear what comes after a window, too, and are another measurement, not a faster "+
		"way to the same (docs/chunks.md).")
	return err
}

// printSeriesWays writes the price of the ways to read bins.
func printSeriesWays(w io.Writer, p *plan.Plan) error {
	fmt.Fprintln(w, "\nWays to read bins, the experiment's own first:")
	var rows [][]string
	for _, y := range p.Ways {
		rows = append(rows, []string{wayName(y), duration(y.Seconds)})
	}
	return ui.Table(w, []string{"way", "time"}, rows)
}

func wayName(y plan.Way) string {
	if y.Extraction == string(experiment.ExtractClip) {
		return "one pass over each clip, acausal (model.extraction: clip)"
	}
	if y.Chunk > 0 {
		return fmt.Sprintf("chunks of %g s, every %g s", y.Chunk, y.Stride)
	}
	return fmt.Sprintf("windows every %g s", y.Stride)
}

// optional is an r, or a dash for none.
func optional(r *float64) string {
	if r == nil {
		return "-"
	}
	return score(*r)
}

// difference is the difference on validation rows, with its interval if there is one.
func difference(y plan.Way) string {
	switch d := y.Delta; {
	case d == nil:
		return "-"
	case d.CI95 == nil:
		return decimal.Signed(d.Mean, 3)
	default:
		return decimal.Signed(d.Mean, 3) + " " + interval(d.CI95)
	}
}

// hours is a number of hours with two digits.
func hours(h float64) string {
	if h >= 100 {
		return fmt.Sprintf("%.0f", h)
	}
	return fmt.Sprintf("%.2g", h)
}

func counted(subjects int) string {
	if subjects == 1 {
		return "1 subject"
	}
	return fmt.Sprintf("%d subjects", subjects)
}
