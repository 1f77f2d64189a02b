package main

import (
	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/internal/brain/imports/deniz"
)

func importDenizCommand(a *app) *cobra.Command {
	var f importFlags
	var o deniz.Options
	var rows string
	c := &cobra.Command{
		Use:   "deniz FOLDER",
		Short: "The Gallant laboratory's narratives (Deniz et al. 2019): HDF5, an array for each story",
		Long: `Files below FOLDER are known by their names: SUBJECT_listening_fmri_data_trn.hdf has an array (TRs
× voxels) for each story, …_val.hdf one of repeats × TRs × voxels. The release has no recordings:
they are looked for in the folders of --audio, by the names of the arrays, or by the names that
--names gives for them.

Volumes are 2.0045 s apart. The sound begins five volumes after row 0, or when STORY.report, a
report of the stimulus program, says. Of the rows those are taken that lie within the recording;
--rows all takes all.`,
		Example: "  bwlm import deniz narratives --audio stimuli --out deniz\n" +
			"  bwlm import deniz narratives --audio stimuli --names story_01=souls,story_11=wolf --out deniz",
		Args: wantArgs("FOLDER"),
		RunE: func(c *cobra.Command, args []string) error {
			if _, err := f.options(c, a); err != nil {
				return err
			}
			if o.AllRows = rows == "all"; !o.AllRows && rows != "audio" {
				return usage(c, "--rows: %s, want audio or all", rows)
			}
			if o.Modality != "listening" && o.Modality != "reading" {
				return usage(c, "--modality: %s, want listening or reading", o.Modality)
			}
			o.Subjects, o.Stories = f.subjects, f.stories
			found, err := deniz.Find(c.Context(), args[0], o)
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
	flags := c.Flags()
	flags.StringSliceVar(&o.Folders, "audio", nil, "`folders` with recordings, TextGrids and reports, besides FOLDER")
	flags.StringToStringVar(&o.Names, "names", nil, "`ARRAY=STORY`: names of the recordings, where arrays have others")
	flags.StringVar(&o.Modality, "modality", "listening", "`kind` of runs: listening or reading")
	flags.StringVar(&rows, "rows", "audio", "`rows` to take: those within the recording (audio), or all")
	return c
}
