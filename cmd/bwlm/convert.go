package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/wavlm"
)

func convertCommand(a *app) *cobra.Command {
	var opt wavlm.ConvertOptions
	c := &cobra.Command{
		Use:   "convert IN --out DIR",
		Short: "Convert a speech model to Hugging Face format with safetensors",
		Long: `Writes a speech model as a folder that bwlm and Hugging Face transformers load: config.json,
model.safetensors in f32, and preprocessor_config.json. IN is one of

  Microsoft's file of a WavLM (WavLM-Base.pt, WavLM-Base+.pt, WavLM-Large.pt), whose settings and names are translated;
  a folder with config.json and pytorch_model.bin, whole or in shards, or with safetensors in half precision.

Pickles are read without executing anything; a file with more than tensors and plain settings is refused (65).
The head of a task is left out and named in a note.

All weights of the architecture must be there with the right shapes, finite and not all zero (65). DIR is written
atomically. An existing DIR is refused (73); --force replaces one that holds a converted model and nothing else.

--json prints {"schema", "out", "family", "layers", "width", "tensors", "parameters", "notes"}.`,
		Example: `  bwlm convert WavLM-Base+.pt --out models/wavlm-base-plus
  bwlm convert downloads/hubert-base-ls960 --out models/hubert-base`,
		Args: wantArgs("IN"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := required(c, "out"); err != nil {
				return err
			}
			opt.In = args[0]
			made, err := wavlm.Convert(c.Context(), opt)
			if err != nil {
				return err
			}
			for _, note := range made.Notes {
				a.ui.Note("note: %s", note)
			}
			answer := struct {
				Schema     int          `json:"schema"`
				Out        string       `json:"out"`
				Family     wavlm.Family `json:"family"`
				Layers     int          `json:"layers"`
				Width      int          `json:"width"`
				Tensors    int          `json:"tensors"`
				Parameters int          `json:"parameters"`
				Notes      []string     `json:"notes"`
			}{1, opt.Out, made.Config.Family, made.Config.Layers, made.Config.Hidden, made.Tensors, made.Parameters,
				append([]string{}, made.Notes...)}
			return a.answer(answer, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%s: %s of %d layers, %d wide, %d parameters\n", opt.Out, answer.Family,
					answer.Layers, answer.Width, answer.Parameters)
				return err
			})
		},
	}
	flags := c.Flags()
	flags.StringVar(&opt.Out, "out", "", "`folder` to create")
	flags.BoolVar(&opt.Force, "force", false, "replace a folder that holds a converted model")
	flags.BoolVar(&opt.AnyValues, "any-values", false, "accept weights that are NaN, infinite or all zero")
	return c
}
