package main

import (
	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/internal/brain/imports/huthbox"
)

func importHuthBoxCommand(a *app) *cobra.Command {
	var f importFlags
	var audio []string
	c := &cobra.Command{
		Use:   "huthbox FOLDER",
		Short: "The Huth laboratory's release on Box: a joblib file of stories for each subject",
		Long: `Files below FOLDER are known by their names: SUBJECT_responses.jbl has the responses of a subject,
one array for each story; trfiles_huge.jbl the times of volumes; rois_S03.jbl the columns of
regions of interest; recordings and TextGrids have the names of stories. Nothing in the joblib
files is run.

Row 0 begins at trtimes[10] − soundstarttime; 10 volumes at the beginning and 5 at the end were
cut. Without times, row 0 is taken to begin at second 10 of the recording. Stories without a
recording are left out. Files that are not compressed can be read where they lie (--link).
--voxels FILE.npy keeps the columns of one subject that it lists, or has 1 for, in the order of
the release; voxels.json and columns.npy say which.`,
		Example: "  bwlm import huthbox box --subjects UTS03 --out uts03\n" +
			"  bwlm import huthbox responses --audio ds003020 --out uts03 --link",
		Args: wantArgs("FOLDER"),
		RunE: func(c *cobra.Command, args []string) error {
			if _, err := f.options(c, a); err != nil {
				return err
			}
			found, err := huthbox.Find(c.Context(), args[0], f.subjects, f.stories, audio)
			if err != nil {
				return err
			}
			if err := f.keep(c, found, nil); err != nil {
				return err
			}
			return a.imported(c, found, &f)
		},
	}
	f.add(c, false)
	f.addSelection(c)
	f.addVoxels(c, "")
	c.Flags().StringSliceVar(&audio, "audio", nil, "`folders` with recordings and TextGrids, besides FOLDER")
	return c
}
