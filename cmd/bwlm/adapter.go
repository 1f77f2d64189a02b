package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/peft"
)

func adapterCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "adapter",
		Short: "Inspect, combine, scale and convert adapters",
		Long: `Works on adapter folders in the format of Hugging Face PEFT (adapter_config.json,
adapter_model.safetensors): of LoRA with rsLoRA, DoRA and its other options, IA3, VeRA, LN_TUNING, BitFit, and AdaLoRA,
which is read as a LoRA.`,
		Example: "  bwlm adapter list runs\n  bwlm adapter info runs/alice/adapter --json",
		Args:    onlyCommands,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(adapterListCommand(a), adapterInfoCommand(a), adapterCombineCommand(a), adapterScaleCommand(a),
		adapterDiffCommand(a),
		adapterExportCommand(a))
	merge := mergeCommand(a)
	merge.Example = "  bwlm adapter merge --model models/wavlm-base-plus --adapter runs/alice/adapter --out " +
		"models/wavlm-alice"
	c.AddCommand(merge)
	return c
}

// adapterSummary is an adapter in a line.
type adapterSummary struct {
	Path       string   `json:"path"`
	Method     string   `json:"method"`
	Layers     int      `json:"layers"`
	Parameters int      `json:"parameters"`
	Inactive   []string `json:"inactive"` // modules that certainly change nothing
}

func summarise(dir string) (*adapterSummary, *peft.File, error) {
	f, err := peft.Open(dir)
	if err != nil {
		return nil, nil, err
	}
	s := &adapterSummary{Path: dir, Method: f.Method(), Parameters: f.Params(), Inactive: []string{}}
	for _, m := range f.Modules() {
		s.Layers++
		if m.State == peft.Inactive {
			s.Inactive = append(s.Inactive, m.Path)
		}
	}
	return s, f, nil
}

func adapterListCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list FOLDER",
		Short: "List the adapters in a folder and below",
		Long: `Lists every folder with an adapter_config.json in it. One that cannot be read is named in a warning.

--json prints {"schema", "adapters": [{"path", "method", "layers", "parameters", "inactive"}]}.`,
		Example: "  bwlm adapter list runs",
		Args:    wantArgs("FOLDER"),
		RunE: func(_ *cobra.Command, args []string) error {
			answer := struct {
				Schema   int               `json:"schema"`
				Adapters []*adapterSummary `json:"adapters"`
			}{1, []*adapterSummary{}}
			err := filepath.WalkDir(args[0], func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.Name() != peft.ConfigFile {
					return err
				}
				s, _, err := summarise(filepath.Dir(path))
				if err != nil {
					a.ui.Warn("%v", err)
					return nil
				}
				answer.Adapters = append(answer.Adapters, s)
				return nil
			})
			if err != nil {
				return fault.Wrap(fault.Missing, "adapter list", args[0], err)
			}
			return a.answer(answer, func(w io.Writer) error {
				head, rows := []string{"adapter", "method", "layers", "parameters", "inactive"}, [][]string{}
				for _, s := range answer.Adapters {
					rows = append(rows, []string{s.Path, s.Method, fmt.Sprint(s.Layers), fmt.Sprint(s.Parameters),
						fmt.Sprint(len(s.Inactive))})
				}
				return ui.Table(w, head, rows)
			})
		},
	}
}

func adapterInfoCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "info DIR",
		Short: "Describe an adapter layer by layer",
		Long: `Prints the method and, for each layer, the rank, the number of parameters and the state. A layer is
inactive if it certainly changes nothing, such as a LoRA whose B is zero. The state is unknown where it depends on the
model (copies of the model's parameters, an untrained DoRA); bwlm features and bwlm merge then print it.

--json prints {"schema", "path", "method", "layers", "parameters", "inactive", "base_model", "modules": [{"path",
"rank", "parameters", "state"}]}.`,
		Example: "  bwlm adapter info runs/alice/adapter",
		Args:    wantArgs("DIR"),
		RunE: func(_ *cobra.Command, args []string) error {
			s, f, err := summarise(args[0])
			if err != nil {
				return err
			}
			answer := struct {
				Schema int `json:"schema"`
				*adapterSummary
				BaseModel string        `json:"base_model"`
				Modules   []peft.Module `json:"modules"`
			}{1, s, f.Config.BaseModel, f.Modules()}
			if len(s.Inactive) > 0 {
				a.ui.Warn("%d of %d layers are inactive: they change nothing", len(s.Inactive), s.Layers)
			}
			return a.answer(answer, func(w io.Writer) error {
				if _, err := fmt.Fprintf(w, "%s: %s, %d layers, %d parameters\n", s.Path, s.Method, s.Layers,
					s.Parameters); err != nil {
					return err
				}
				head, rows := []string{"module", "rank", "parameters", "state"}, [][]string{}
				for _, m := range answer.Modules {
					rank := "-"
					if m.Rank > 0 {
						rank = fmt.Sprint(m.Rank)
					}
					rows = append(rows, []string{m.Path, rank, fmt.Sprint(m.Parameters), m.State.String()})
				}
				return ui.Table(w, head, rows)
			})
		},
	}
}

// saveAdapter writes a new adapter folder and says so.
func (a *app) saveAdapter(f *peft.File, out string) error {
	if _, err := os.Lstat(out); err == nil {
		return fault.New(fault.Exists, "save adapter", out, "exists already").WithHint("choose another folder")
	}
	if err := f.Save(out); err != nil {
		return err
	}
	answer := struct {
		Schema     int    `json:"schema"`
		Out        string `json:"out"`
		Method     string `json:"method"`
		Layers     int    `json:"layers"`
		Parameters int    `json:"parameters"`
	}{1, out, f.Method(), len(f.Modules()), f.Params()}
	return a.answer(answer, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s: %s, %d layers, %d parameters\n", out, answer.Method, answer.Layers,
			answer.Parameters)
		return err
	})
}
