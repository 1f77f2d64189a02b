package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/quote"
)

func initCommand(a *app) *cobra.Command {
	var design string
	c := &cobra.Command{
		Use:   "init",
		Short: "Print a commented experiment file",
		Long: `Prints an experiment file to standard output: the keys that must be given with examples, all others
commented out with their defaults and what they mean. Redirect it to a file, fill in model, data and out, and train.
With --design event it is for a data set of clips with one response each, with --design series for one of responses
in milliseconds.`,
		Example: "  bwlm init > exp.yaml\n  bwlm init --design event > sounds.yaml",
		Args:    wantArgs(),
		RunE: func(c *cobra.Command, _ []string) error {
			if design != "bold" && design != dataset.DesignEvent && design != dataset.DesignSeries {
				return usage(c, "--design is bold, event or series, not %s", quote.Escaped(design, ""))
			}
			answer := struct {
				Schema     int    `json:"schema"`
				Experiment string `json:"experiment"`
			}{1, experiment.Template(design)}
			return a.answer(answer, func(w io.Writer) error {
				_, err := io.WriteString(w, answer.Experiment)
				return err
			})
		},
	}
	c.Flags().StringVar(&design, "design", "bold",
		"`design` of the data set: bold (stories), event (clips) or series (milliseconds)")
	return c
}
