package main

import (
	"fmt"
	"io"
	"math"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/brain/extract"
	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/speech"
)

// madeAdapter is what --json prints of a new adapter.
const madeAdapter = `

A folder that is there is refused (73). --json prints {"schema", "out", "method", "layers", "parameters"}.`

func adapterCombineCommand(a *app) *cobra.Command {
	var f adapterFlags
	var out string
	c := &cobra.Command{
		Use:   "combine --adapter DIR --adapter DIR --out DIR",
		Short: "Combine several LoRAs into one",
		Long: `Makes one LoRA of the weighted sum of several. cat is exact, its rank the sum of the ranks; svd is the
best approximation of the largest rank among them; linear, ties and magnitude_prune are those of PEFT, which combine A
and B separately and are approximate. rsLoRA, ranks per layer and biases of B are supported; DoRA and adapters with
biases or modules of their own are refused.` + madeAdapter,
		Example: "  bwlm adapter combine --adapter runs/one/adapter --adapter runs/two/adapter --weights 0.5,0.5 " +
			"--combine svd --out both",
		Args: wantArgs(),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := required(c, "out"); err != nil {
				return err
			}
			from, err := f.adapters(c)
			if err != nil {
				return err
			}
			if len(from.Dirs) == 0 {
				return usage(c, "--adapter is missing")
			}
			file, err := from.Combined(c.Context())
			if err != nil {
				return err
			}
			return a.saveAdapter(file, out)
		},
	}
	f.register(c)
	c.Flags().StringVar(&out, "out", "", "`folder` to create")
	return c
}

func adapterScaleCommand(a *app) *cobra.Command {
	by := math.NaN()
	var out string
	c := &cobra.Command{
		Use:   "scale DIR --by FACTOR --out DIR",
		Short: "Scale the effect of an adapter",
		Long: `Writes the adapter with its effect multiplied: 0.5 halves it, 0 removes it, -1 reverses it. The effect of
LoRA and VeRA is the change of a weight, that of IA3 the difference of its factors from 1.` + madeAdapter,
		Example: "  bwlm adapter scale runs/alice/adapter --by 0.5 --out half",
		Args:    wantArgs("DIR"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := required(c, "out"); err != nil {
				return err
			}
			if math.IsNaN(by) {
				return usage(c, "--by is missing")
			}
			f, err := peft.Open(args[0])
			if err != nil {
				return err
			}
			scaled, err := f.Scale(by)
			if err != nil {
				return err
			}
			return a.saveAdapter(scaled, out)
		},
	}
	c.Flags().Float64Var(&by, "by", by, "the factor")
	c.Flags().StringVar(&out, "out", "", "`folder` to create")
	return c
}

func adapterExportCommand(a *app) *cobra.Command {
	var model, out string
	c := &cobra.Command{
		Use:   "export DIR --out DIR",
		Short: "Write an adapter as a plain LoRA",
		Long: `Writes a LoRA of the same effect with scale 1 in every layer, for programs that know neither rsLoRA nor
patterns of alpha. AdaLoRA becomes a LoRA; PiSSA and OLoRA that were not converted need --model, the base model of their
training.` + madeAdapter,
		Example: "  bwlm adapter export runs/alice/adapter --out plain",
		Args:    wantArgs("DIR"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := required(c, "out"); err != nil {
				return err
			}
			f, err := peft.Open(args[0])
			if err != nil {
				return err
			}
			if model != "" {
				m, err := extract.OpenModel(c.Context(), model, args[0], speech.Options{})
				if err != nil {
					return err
				}
				f = m.Adapters()[0].File()
				m.Close()
			}
			plain, err := f.Plain(c.Context())
			if err != nil {
				return err
			}
			return a.saveAdapter(plain, out)
		},
	}
	c.Flags().StringVar(&model, "model", "", "`folder` of the speech model, for pissa and olora")
	c.Flags().StringVar(&out, "out", "", "`folder` to create")
	return c
}

func adapterDiffCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "diff DIR DIR",
		Short: "Compare two LoRAs, layer by layer",
		Long: `Compares the changes that two LoRAs make to each weight: the Frobenius norm of both and of their
difference, and the cosine of the angle between them: 1 for the same direction, 0 for orthogonal ones.

--json prints {"schema", "layers": [{"path", "first", "second", "distance", "cosine"}]}.`,
		Example: "  bwlm adapter diff runs/one/adapter runs/two/adapter",
		Args:    wantArgs("DIR", "DIR"),
		RunE: func(c *cobra.Command, args []string) error {
			var files [2]*peft.File
			for i := range files {
				f, err := peft.Open(args[i])
				if err != nil {
					return err
				}
				files[i] = f
			}
			layers, err := peft.Diff(c.Context(), files[0], files[1])
			if err != nil {
				return err
			}
			answer := struct {
				Schema int               `json:"schema"`
				Layers []peft.Difference `json:"layers"`
			}{1, layers}
			return a.answer(answer, func(w io.Writer) error {
				head, rows := []string{"layer", "first", "second", "distance", "cosine"}, [][]string{}
				for _, d := range layers {
					row := []string{d.Path}
					for _, v := range []float64{d.First, d.Second, d.Distance, d.Cosine} {
						row = append(row, fmt.Sprintf("%.3f", v))
					}
					rows = append(rows, row)
				}
				return ui.Table(w, head, rows)
			})
		},
	}
}
