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
                 tensors (.safetensors, .bin, .pt): structure, names, shapes, values that are not
                 numbers, configuration
  data set       its folder or dataset.yaml: rows against audio, values that are not numbers,
                 repeats, voxels that are constant or raw (in units of the scanner), words,
                 motion, ROIs, and masks or surfaces against voxels, of all stories and subjects

Each part is ok, wrong, or has a note: unusual, and maybe right. The exit code is 65 if a part is wrong, else 0.
bwlm check-timing goes further into a data set: it looks for the lag between sound and responses.

Two figures of each subject of a data set come with it. tSNR is the median over voxels of mean / SD over the rows of a
story; it is not meaningful, and there is a dash, where the mean was taken out, as by z-scoring. FD is the framewise
displacement of the head in mm (Power et al. 2012; rotations count at 50 mm): its mean, and the share of rows above 0.5
mm. It needs motion as .tsv with the columns trans_x to rot_z.

--json prints {"schema", "path", "kind", "verdict", "parts": [{"part", "verdict", "found"}]}, and of a data set
"stories": [{"story", "seconds", "rows"}], "responses": [{"subject", "story", "repeats", "rows", "voxels", "constant",
"raw", "not_finite", "empty"}] and "subjects": [{"subject", "stories", "rows", "seconds", "voxels", "space", "tsnr",
"framewise_displacement": {"rows", "mean_mm", "share_above_half_mm"}}]; of "subjects", what is not known is left out.`,
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
				fmt.Sprint(m.Voxels), fmt.Sprint(m.Constant), fmt.Sprint(m.Raw), fmt.Sprint(m.NotFinite)})
		}
		head := []string{"subject", "story", "repeats", "rows", "voxels", "constant", "raw", "not finite"}
		if err := ui.Table(w, head, rows); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	if err := printFigures(w, r.Subjects); err != nil {
		return err
	}
	var found []ui.Finding
	for _, p := range r.Parts {
		found = append(found, ui.Finding{Verdict: string(p.Verdict), Name: p.Name, Text: p.Found})
	}
	return ui.Findings(w, found)
}

// printFigures writes a line of figures for each subject of a data set.
func printFigures(w io.Writer, subjects []verify.Subject) error {
	if len(subjects) == 0 {
		return nil
	}
	var rows [][]string
	for _, s := range subjects {
		tsnr, fd, much, space := "-", "-", "-", "-"
		if s.TSNR > 0 {
			tsnr = fmt.Sprintf("%.1f", s.TSNR)
		}
		if s.FD != nil {
			fd, much = fmt.Sprintf("%.3f", s.FD.Mean), fmt.Sprintf("%.1f %%", 100*s.FD.Share)
		}
		if s.Space != "" {
			space = s.Space
		}
		rows = append(rows, []string{s.Name, fmt.Sprint(s.Stories), fmt.Sprint(s.Rows), fmt.Sprintf("%.0f", s.Seconds),
			fmt.Sprint(s.Voxels), tsnr, fd, much, space})
	}
	err := ui.Table(w, []string{"subject", "stories", "rows", "seconds", "voxels", "tSNR", "FD mm", "above 0.5 mm",
		"space"}, rows)
	fmt.Fprintln(w)
	return err
}
