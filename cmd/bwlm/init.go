package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/brain/experiment"
)

func initCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "init",
		Short: "Print a commented experiment file",
		Long: `Prints an experiment file to standard output: the keys that must be given with examples, all others
commented out with their defaults and what they mean. Redirect it to a file, fill in model, data and out, and train.`,
		Example: `  bwlm init > exp.yaml`,
		Args:    wantArgs(),
		RunE: func(*cobra.Command, []string) error {
			answer := struct {
				Schema     int    `json:"schema"`
				Experiment string `json:"experiment"`
			}{1, experiment.Template()}
			return a.answer(answer, func(w io.Writer) error {
				_, err := io.WriteString(w, answer.Experiment)
				return err
			})
		},
	}
}
