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
)

func probeCommand(a *app) *cobra.Command {
	var exp experimentFlags
	var opt probe.Options
	var layers string
	c := &cobra.Command{
		Use:   "probe RUN|EXPERIMENT",
		Short: "Ask what each layer knows, before and after tuning",
		Long: `Reads the audio of the test rows (or of --stories) with the untuned model, the run's, and one of the same shape with random
weights, and asks each layer by cross-validated ridge or logistic regression: word vectors (--glove; no word that is tested
is fitted), word identity, phonemes, loudness, spectrum, pitch, word rate, speaker. What the data set has no annotation for is
left out, and why is said. Given an experiment file, it asks the untuned and the random model.

Beside each score stand its selectivity (less the score with labels dealt out at random) and the score on so few principal
components that all layers and models have equally many. It also measures how far tuning moved each layer (linear CKA to
base), on how many dimensions its frames vary (TwoNN), and what a ridge on each layer scores in each region on the test rows
(--no-regions leaves that out; it looks at the responses of the test rows).

--json prints {"schema": 1, "layers": [], "probes": {NAME: {"score", "base": [], "tuned": [], "untrained": [], "selectivity": {},
"pca": {"dims", …}, "by_dimension": {}, "chance", "items"} or {"skipped"}}, "cka": [], "intrinsic_dimension": {MODEL: []},
"regions": {NAME: {"base": [], "tuned": []}}}, lists in the order of "layers".`,
		Example: "  bwlm probe runs/alice --glove glove.6B.50d.txt\n  bwlm probe alice.yaml --layers 0,9,12 --stories alice --no-regions --json",
		Args:    wantArgs("RUN|EXPERIMENT"),
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
	f.StringVar(&opt.Glove, "glove", "", "word vectors: GloVe's text `file`, a .npy beside its .vocab.txt, or the folder of either")
	f.StringVar(&layers, "layers", "all", "hidden states to ask: all, or numbers such as 0,9")
	f.StringSliceVar(&opt.Stories, "stories", nil, "whole `stories` to ask about instead of the audio of the test rows")
	f.IntVar(&opt.Frames, "frames", 2000, "how many frames to look at, at most")
	f.BoolVar(&opt.NoROIs, "no-regions", false, "leave out the ridge score of each region at each layer")
	f.Uint64Var(&opt.Seed, "seed", 1, "of held-out words, random labels and random weights")
	return c
}

func (a *app) probe(ctx context.Context, path string, exp *experimentFlags, opt probe.Options) (*results.Probes, error) {
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
			return nil, fault.New(fault.Usage, "probe", path, "the run tuned readouts only: its model is the untuned one").
				WithHint("name its experiment file")
		}
		defer tuned.Close()
	}
	opt.Progress = st.Internal().Progress
	return probe.Run(ctx, st, tuned, opt)
}

// printProbe writes a table of layers × probes for each model, and one of layers × regions.
func printProbe(w io.Writer, r *results.Probes) error {
	var asked []string
	for _, name := range slices.Sorted(maps.Keys(r.Probes)) {
		if r.Probes[name].Skipped == "" {
			asked = append(asked, name)
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
		for _, name := range asked {
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
		for _, name := range slices.Sorted(maps.Keys(r.ROIs)) {
			add(name+" base", r.ROIs[name].Base)
			add(name+" tuned", r.ROIs[name].Tuned)
		}
		fmt.Fprintln(w, "\nregions, r of a ridge on the test rows:")
		if err := layerTable(w, r.Layers, head, columns); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Probes)) {
		if p := r.Probes[name]; p.Skipped != "" {
			fmt.Fprintf(w, "Left out: %s: %s.\n", name, p.Skipped)
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
