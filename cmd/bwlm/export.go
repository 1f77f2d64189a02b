package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/brain/bids"
	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/internal/version"
)

func exportCommand(a *app) *cobra.Command {
	var out string
	var opt bids.Options
	c := &cobra.Command{
		Use:   "export RUN --out DIR",
		Short: "Export maps and tables of a run as BIDS derivatives",
		Long: `Writes the results of a run for nilearn, pycortex, BIDS apps and spreadsheets, under names of BIDS
derivatives:

  dataset_description.json
  sub-01/func/sub-01_task-story_hemi-L_stat-r_desc-tuned_statmap.func.gii    on surfaces, a file for each side
  sub-01/func/sub-01_task-story_stat-r_desc-tuned_statmap.nii.gz             in a mask
  group/…                                                                    mean over subjects that share a space
  rois.csv, rois.json                                                  one line for each ROI and subject

stat is r, or percentofceiling, p or q; desc is base, basebestlayer, tuned, delta (tuned - base) or ceiling. A .json
next to each map describes it. The space is that of dataset.yaml (surface or mask); without one there are tables only.
NaN is where there is no voxel and where responses do not vary.

p and q of ROIs are in the tables. Those of voxels become maps if eval/test/SUBJECT has them: delta_p.npy and
delta_q.npy, which an evaluation writes, and base_p.npy, tuned_p.npy or _q.npy, which you can put there (for example
p.npy and q.npy of bwlm stats test).

A demo's directory is a RUN, too: each way of tuning gets a folder. Files are written one by one; --force replaces what
an export wrote, and nothing else. --json prints {"schema", "out", "formats", "files"}.`,
		Example: "  bwlm export runs/alice --out maps\n  bwlm export runs/alice --out maps --space fsaverage5 --task " +
			"alice --format gifti,csv\n" +
			"  bwlm export demo --out maps --force --json",
		Args: wantArgs("RUN"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := required(c, "out"); err != nil {
				return err
			}
			var bar *ui.Progress
			opt.Version = version.String()
			opt.Note = func(text string) { a.ui.Note("note: %s", text) }
			opt.Progress = func(done, total int) {
				if bar == nil {
					bar = a.ui.Progress("export", 0, total)
				}
				bar.Set(done, "")
			}
			res, err := bids.Write(c.Context(), args, out, opt)
			if bar != nil {
				bar.End()
			}
			if err != nil {
				return err
			}
			return a.answer(res, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%s: %s: %s\n", out, count(res.Files, "file", "files"),
					strings.Join(res.Formats, ", "))
				return err
			})
		},
	}
	f := c.Flags()
	f.StringVar(&out, "out", "", "`directory` to write")
	f.StringSliceVar(&opt.Formats, "format", nil, "nifti, gifti, csv, json (default all that the run allows)")
	f.StringVar(&opt.Space, "space", "", "`name` of the space in file names, e.g. fsaverage5; left out without it")
	f.StringVar(&opt.Task, "task", "",
		"`name` of the task in file names; the test story without it, or \"stories\" if there are several")
	f.BoolVar(&opt.Force, "force", false, "replace what an export wrote")
	return c
}
