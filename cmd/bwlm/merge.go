package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/brain/extract"
)

func mergeCommand(a *app) *cobra.Command {
	var opt extract.MergeOptions
	var f adapterFlags
	c := &cobra.Command{
		Use:   "merge --model DIR --adapter DIR --out DIR",
		Short: "Merge adapters into the weights of a speech model",
		Long: `Adds an adapter to the weights of its speech model, or several (summed, or combined by --weights and
--combine), and writes the result as a new folder in Hugging Face's format (config.json, model.safetensors,
preprocessor_config.json, README.md), which any program that reads such models can use: in stock transformers an adapter
on the attention of WavLM has no effect until it is merged. Sums are computed in 64 bits and rounded once to 32.

An existing folder is refused (73); --force replaces one that holds a merged model and nothing else.

--json prints {"schema", "out", "modules", "max_rounding", "notes"}: the layers that changed, and by how much the stored
sums differ at most.`,
		Example: `  bwlm merge --model models/wavlm-base-plus --adapter runs/alice/adapter --out models/wavlm-alice
  bwlm merge --model models/wavlm-base-plus --adapter one --adapter two --weights 0.5,0.5 --combine svd --out both`,
		Args: wantArgs(),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := required(c, "model", "out"); err != nil {
				return err
			}
			var err error
			if opt.Adapters, err = f.adapters(c); err != nil {
				return err
			}
			if len(f.dirs) == 0 {
				return usage(c, "--adapter is missing")
			}
			merged, err := extract.Merge(c.Context(), opt)
			if err != nil {
				return err
			}
			for _, note := range merged.Notes {
				a.ui.Note("note: %s", note)
			}
			answer := struct {
				Schema      int      `json:"schema"`
				Out         string   `json:"out"`
				Modules     []string `json:"modules"`
				MaxRounding float64  `json:"max_rounding"`
				Notes       []string `json:"notes"`
			}{1, opt.Out, merged.Modules, merged.MaxRounding, append([]string{}, merged.Notes...)}
			return a.answer(answer, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%s: %d layers changed, rounded by at most %.2g\n", opt.Out,
					len(merged.Modules), merged.MaxRounding)
				return err
			})
		},
	}
	flags := c.Flags()
	flags.StringVar(&opt.Model, "model", "", "`folder` of the speech model")
	f.register(c)
	flags.StringVar(&opt.Out, "out", "", "`folder` to create")
	flags.BoolVar(&opt.Force, "force", false, "replace a folder that holds a merged model")
	return c
}
