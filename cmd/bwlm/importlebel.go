package main

import (
	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/internal/brain/imports/lebel"
)

func importLebelCommand(a *app) *cobra.Command {
	var f importFlags
	var fsaverage string
	c := &cobra.Command{
		Use:   "lebel FOLDER",
		Short: "OpenNeuro ds003020: nine subjects listening to stories (LeBel et al. 2023)",
		Long: `FOLDER is the data set as git-annex or DataLad leaves it, with derivative/ and stimuli/. Rows and
clock follow from respdict.json: responses begin at second 10 of the recording, and 10 TRs were
cut at both ends. Of the repeated story all repeats are taken. Words and phones are those of the
TextGrids; masks are those of pycortex.

Regions of each subject are made where the files for it are there: those outlined in overlays.svg,
auditory cortex (AC) first, else AC of the annotations of its FreeSurfer subject, and the whole
cortex. Glasser's areas need --fsaverage, whose label/{lh,rh}.HCPMMP1.annot goes to the subject
over the spheres. Voxel counts and overlaps are printed.

Of all voxels, --voxels cortical keeps those in mask_cortical.nii.gz, which lies beside the mask,
and --voxels FILE.npy those whose columns it lists (or has 1 for), in the order of the mask.
voxels.json and columns.npy say which.

Where content was not fetched, nothing is written: the error (66) says what is missing and how to
get it, and --dry-run shows what there would be. experiment.yaml has the splits of the field.`,
		Example: "  bwlm import lebel ds003020 --subjects UTS03 --out uts03\n" +
			"  bwlm import lebel ds003020 --subjects UTS02 --fsaverage freesurfer/subjects/fsaverage --out uts02\n" +
			"  bwlm import lebel ds003020 --subjects UTS01,UTS02 --stories 'a*,wheretheressmoke' --out two --link\n" +
			"  bwlm import lebel ds003020 --subjects UTS03 --voxels cortical --out uts03-cortex\n" +
			"  bwlm import lebel ds003020 --dry-run",
		Args: wantArgs("FOLDER"),
		RunE: func(c *cobra.Command, args []string) error {
			if _, err := f.options(c, a); err != nil {
				return err
			}
			found, err := lebel.Find(c.Context(), args[0], f.subjects, f.stories)
			if err != nil {
				return err
			}
			if err := lebel.Regions(c.Context(), found, fsaverage); err != nil {
				return err
			}
			if err := f.keep(c, found, lebel.Cortical); err != nil {
				return err
			}
			return a.imported(c, found, &f)
		},
	}
	f.add(c, false)
	f.addSelection(c)
	f.addVoxels(c, "cortical (in mask_cortical.nii.gz), ")
	c.Flags().StringVar(&fsaverage, "fsaverage", "", "`directory` of FreeSurfer's fsaverage, for labels and spheres")
	return c
}
