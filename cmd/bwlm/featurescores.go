package main

import (
	"fmt"
	"io"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/internal/decimal"
	"github.com/brainwavlm/bwlm/internal/roikeys"
)

// printFeatures writes the table of eval.features: a line for each, for all voxels and each ROI.
func printFeatures(w io.Writer, list []results.FeatureScore) error {
	if len(list) == 0 {
		return nil
	}
	model := list[0].Model
	var rows [][]string
	for _, f := range list {
		line := func(roi string, r float64, d results.DeltaROI) {
			rows = append(rows, []string{f.Name, roikeys.Label(roi), score(r), decimal.Signed(d.MeanR, 3),
				interval(d.CI95), score(d.P)})
		}
		line(roikeys.All, f.MeanR, results.DeltaROI{MeanR: f.Less.MeanR, CI95: f.Less.CI95,
			Significance: f.Less.Significance})
		for _, roi := range roikeys.Sorted(f.ROIs) {
			line(roi, f.ROIs[roi], f.Less.ROIs[roi])
		}
	}
	fmt.Fprintln(w, "\nFeatures of the data set in place of the model's, on the same rows by the same ridge:")
	head := []string{"features", "ROI", "r", model + " - features", "95 % interval", "p"}
	if err := ui.Table(w, head, rows); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w)
	return err
}

// printLags writes the table of lags alone: a line for each window and lag, with all channels and each ROI.
func printLags(w io.Writer, list []results.LagScore) error {
	if len(list) == 0 {
		return nil
	}
	names := roikeys.Sorted(list[0].ROIs)
	head := append([]string{"lags", "ms", "all channels"}, names...)
	var rows [][]string
	for _, l := range list {
		first, last := l.LagsMS[0], l.LagsMS[len(l.LagsMS)-1]
		r := []string{l.Window, fmt.Sprintf("%g", first), score(l.MeanR)}
		if last > first {
			r[1] = fmt.Sprintf("%g to %g", first, last)
		}
		for _, name := range names {
			r = append(r, score(l.ROIs[name]))
		}
		rows = append(rows, r)
	}
	fmt.Fprintln(w, "r of the model at lags by themselves (channels and latencies: channels.tsv of each subject):")
	if err := ui.Table(w, head, rows); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w)
	return err
}
