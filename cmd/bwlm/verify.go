package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/internal/brain/verify"
)

func verifyCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "verify RUN|CKPT|DATA",
		Short: "Verify a run, a checkpoint, a model, an adapter or a data set",
		Long: `Reads all of what a path holds and lists what is damaged. It changes nothing, and takes no lock.

  run directory  config.yaml; manifest.json and the hash of each input; sizes and hashes of
                 checkpoints, and whether a training can stand where they say; metrics.jsonl,
                 line by line; adapter, readouts and features; the files of eval/ against their
                 layout. A folder of runs stands for all of them.
  checkpoint     a folder ckpt/step-NNNNNN of a run, an adapter, a speech model, or a file of
                 tensors (.safetensors, .bin, .pt): structure, names, shapes, values that are no
                 numbers, configuration
  data set       its folder or dataset.yaml: rows against audio, values that are no numbers,
                 repeats, constant voxels, words, motion and ROIs, of all stories and subjects

Each part is ok, wrong, or has a note: unusual, and maybe right. The exit code is 65 if a part is wrong, else 0.
bwlm check-timing goes further into a data set: it looks for the lag between sound and responses.

--json prints {"schema", "path", "kind", "verdict", "parts": [{"part", "verdict", "found"}]}, and "stories" and
"responses" of a data set.`,
		Example: "  bwlm verify runs/alice\n  bwlm verify runs/alice/ckpt/step-000120 --json\n" +
			"  bwlm verify models/wavlm-base-plus\n  bwlm verify data/alice",
		Args: wantArgs("RUN|CKPT|DATA"),
		RunE: func(c *cobra.Command, args []string) error {
			r, err := verify.Path(c.Context(), args[0])
			if err != nil {
				return err
			}
			if err := a.answer(r, func(w io.Writer) error { return printVerified(w, r) }); err != nil {
				return err
			}
			return r.Err()
		},
	}
}

// printVerified writes tables of a data set, and what was found of each part.
func printVerified(w io.Writer, r *verify.Report) error {
	fmt.Fprintf(w, "%s: %s\n\n", r.Path, r.Kind)
	if len(r.Stories) > 0 {
		var rows [][]string
		for _, s := range r.Stories {
			rows = append(rows, []string{s.Name, fmt.Sprintf("%.2f", s.Seconds), fmt.Sprint(s.Rows)})
		}
		if err := ui.Table(w, []string{"story", "seconds", "TRs"}, rows); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	if len(r.Responses) > 0 {
		var rows [][]string
		for _, m := range r.Responses {
			rows = append(rows, []string{m.Subject, m.Story, fmt.Sprint(m.Repeats), fmt.Sprint(m.Rows),
				fmt.Sprint(m.Voxels), fmt.Sprint(m.Constant), fmt.Sprint(m.Raw)})
		}
		head := []string{"subject", "story", "repeats", "rows", "voxels", "constant", "raw"}
		if err := ui.Table(w, head, rows); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	var found []ui.Finding
	for _, p := range r.Parts {
		found = append(found, ui.Finding{Verdict: string(p.Verdict), Name: p.Name, Text: p.Found})
	}
	return ui.Findings(w, found)
}
