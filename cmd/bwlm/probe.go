package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/probe"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/roikeys"
)

func probeCommand(a *app) *cobra.Command {
	var exp experimentFlags
	var opt probe.Options
	var layers string
	c := &cobra.Command{
		Use:   "probe RUN|EXPERIMENT",
		Short: "Probe layers with linear models",
		Long: `Reads the audio of the test rows (or of --stories) with the untuned model, the run's, and one of the same
shape with random weights, and fits a cross-validated linear probe (ridge or logistic regression) to each layer: word
vectors (--glove; test words are not in the training folds), word identity, phonemes, loudness, spectrum, pitch, word
rate, speaker. Probes without annotations in the data set are skipped, with the reason. Given an experiment file, the
untuned and the random model are probed.

Each score is reported with its selectivity (score - score with shuffled labels) and with the score on a fixed number of
principal components, equal for all layers and models. The command also reports the similarity of each layer to base
(linear CKA), the intrinsic dimension of its frames (TwoNN), and the r of a ridge on each layer for each ROI on the test
rows (--no-rois skips it; it reads the responses of the test rows).

--json prints {"schema": 1, "layers": [], "probes": {NAME: {"score", "base": [], "tuned": [], "untrained": [],
"selectivity": {}, "pca": {"dims", …}, "by_dimension": {}, "chance", "items"} or {"skipped"}}, "cka": [],
"intrinsic_dimension": {MODEL: []}, "rois": {NAME: {"base": [], "tuned": []}}}, lists in the order of "layers".`,
		Example: "  bwlm probe runs/alice --glove glove.6B.50d.txt\n  bwlm probe alice.yaml --layers 0,9,12 " +
			"--stories alice --no-rois --json",
		Args: wantArgs("RUN|EXPERIMENT"),
		RunE: func(c *cobra.Command, args []string) (err error) {
			if opt.Layers, err = parseLayers(layers); err != nil {
				return usage(c, "--layers: %v", err)
			}
			if opt.Frames < 1 {
				return usage(c, "--frames: %d, want at least 1", opt.Frames)
			}
			report, err := a.probe(c.Context(), args[0], &exp, opt)
			if err != nil {
				return err
			}
			return a.answer(report, func(w io.Writer) error { return printProbe(w, report) })
		},
	}
	exp.add(c)
	a.limits.add(c)
	f := c.Flags()
	f.StringVar(&opt.Glove, "glove", "",
		"word vectors: GloVe's text `file`, a .npy next to its .vocab.txt, or the folder of either")
	f.StringVar(&layers, "layers", "all", "hidden states to probe: all, or numbers such as 0,9")
	f.StringSliceVar(&opt.Stories, "stories", nil, "whole `stories` instead of the audio of the test rows")
	f.IntVar(&opt.Frames, "frames", 2000, "maximum number of frames")
	f.BoolVar(&opt.NoROIs, "no-rois", false, "skip the ridge score of each ROI at each layer")
	f.Uint64Var(&opt.Seed, "seed", 1, "seed of held-out words, shuffled labels and random weights")
	return c
}

func (a *app) probe(ctx context.Context, path string, exp *experimentFlags, opt probe.Options) (*results.Probes,
	error) {
	st, run, end, err := a.openRunOrExperiment(ctx, "probe", path, exp)
	if err != nil {
		return nil, err
	}
	defer end()
	var tuned *brain.Tuned
	if run != nil {
		if tuned, err = st.LoadTuned(ctx, run); err != nil {
			return nil, err
		}
		if tuned == nil {
			return nil, fault.New(fault.Usage, "probe", path,
				"the run tuned readouts only: its model is the untuned one").
				WithHint("name its experiment file")
		}
		defer tuned.Close()
	}
	opt.Progress = st.Internal().Progress
	return probe.Run(ctx, st, tuned, opt)
}

// printProbe writes a table of layers × probes for each model, and one of layers × ROIs.
func printProbe(w io.Writer, r *results.Probes) error {
	var probed []string
	for _, name := range slices.Sorted(maps.Keys(r.Probes)) {
		if r.Probes[name].Skipped == "" {
			probed = append(probed, name)
		}
	}
	fmt.Fprintf(w, "Probes: %d frames and %d words of %s; r, or accuracy of word_identity, phonemes and speaker.\n",
		r.Frames, r.Words, count(r.Stories, "story", "stories"))
	tables := []struct {
		title string
		of    func(*results.Probe) []float64
	}{
		{"base", func(p *results.Probe) []float64 { return p.Base }},
		{"tuned", func(p *results.Probe) []float64 { return p.Tuned }},
		{"random weights", func(p *results.Probe) []float64 { return p.Untrained }},
		{"selectivity of base", func(p *results.Probe) []float64 { return p.Selectivity.Base }},
		{"selectivity of tuned", func(p *results.Probe) []float64 { return p.Selectivity.Tuned }},
	}
	for _, t := range tables {
		head, columns := []string{"layer"}, [][]float64{}
		for _, name := range probed {
			if x := t.of(r.Probes[name]); x != nil {
				head, columns = append(head, name), append(columns, x)
			}
		}
		if len(columns) > 0 {
			fmt.Fprintf(w, "\n%s:\n", t.title)
			if err := layerTable(w, r.Layers, head, columns); err != nil {
				return err
			}
		}
	}
	head, columns := []string{"layer"}, [][]float64{}
	add := func(name string, x []float64) {
		if x != nil {
			head, columns = append(head, name), append(columns, x)
		}
	}
	add("CKA to base", r.CKA)
	for _, model := range []string{"base", "tuned", "untrained"} {
		add("dimension "+model, r.IntrinsicDimension[model])
	}
	if len(columns) > 0 {
		fmt.Fprintln(w, "\nrepresentation:")
		if err := layerTable(w, r.Layers, head, columns); err != nil {
			return err
		}
	}
	if len(r.ROIs) > 0 {
		head, columns = []string{"layer"}, nil
		for _, name := range roikeys.Sorted(r.ROIs) {
			add(roikeys.Label(name)+" base", r.ROIs[name].Base)
			add(roikeys.Label(name)+" tuned", r.ROIs[name].Tuned)
		}
		fmt.Fprintln(w, "\nROIs, r of a ridge on the test rows:")
		if err := layerTable(w, r.Layers, head, columns); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Probes)) {
		if p := r.Probes[name]; p.Skipped != "" {
			fmt.Fprintf(w, "Left out: %s: %s.\n", name, inTerms(p.Skipped))
		}
	}
	return nil
}

// layerTable writes one line for each layer.
func layerTable(w io.Writer, layers []int, head []string, columns [][]float64) error {
	var rows [][]string
	for i, l := range layers {
		row := []string{fmt.Sprint(l)}
		for _, x := range columns {
			row = append(row, score(x[i]))
		}
		rows = append(rows, row)
	}
	return ui.Table(w, head, rows)
}

// count names a single thing, and numbers several.
func count(names []string, one, many string) string {
	if len(names) == 1 {
		return one + " " + names[0]
	}
	return fmt.Sprintf("%d %s", len(names), many)
}
