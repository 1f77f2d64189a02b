package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/internal/brain/publish"
)

func publishCommand(a *app) *cobra.Command {
	var out string
	var opt publish.Options
	c := &cobra.Command{
		Use:   "publish RUN --out DIR",
		Short: "Make a package of a run to give to others",
		Long: `Writes what others need to predict with a run, and nothing else: the adapter, the readout of each subject
under an alias (subject-1, …), the keys that predictions follow from, a card, and the licence and SHA-256 of each file.

Not in the package: names of subjects, stories, ROIs and files, paths, responses, predictions, scores of single subjects
or voxels, surfaces, dataset.yaml, texts of file headers. Names of model and data set and both licences are those that
you give. The aliases are printed beside the names; keep that list to yourself.

The folder is a run directory: predict.Open of the Go library reads it, given the folder of the base model.`,
		Example: "  bwlm publish runs/study --out package --base microsoft/wavlm-base-plus --base-licence mit \\\n" +
			"      --data 'LeBel et al. 2023 (ds003020)' --data-licence cc0-1.0",
		Args: wantArgs("RUN"),
		RunE: func(c *cobra.Command, args []string) error {
			for _, flag := range []string{"out", "base", "base-licence", "data", "data-licence"} {
				if err := required(c, flag); err != nil {
					return err
				}
			}
			p, err := publish.Write(c.Context(), args[0], out, opt)
			if err != nil {
				return err
			}
			return a.answer(p, func(w io.Writer) error {
				for i, alias := range p.Aliases {
					if _, err := fmt.Fprintf(w, "%s  %s\n", alias, p.Subjects[i]); err != nil {
						return err
					}
				}
				_, err := fmt.Fprintf(w, "%s: %d files and their list\n", out, len(p.Files))
				return err
			})
		},
	}
	f := c.Flags()
	f.StringVar(&out, "out", "", "`directory` to write")
	f.StringVar(&opt.Base, "base", "", "`name` of the base model, such as microsoft/wavlm-base-plus")
	f.StringVar(&opt.BaseRevision, "base-revision", "", "`commit` of the base model")
	f.StringVar(&opt.BaseLicence, "base-licence", "", "SPDX `identifier` of the base model's licence")
	f.StringVar(&opt.Data, "data", "", "`name` of the data set, as others may cite it")
	f.StringVar(&opt.DataLicence, "data-licence", "", "SPDX `identifier` of the data's licence")
	return c
}
