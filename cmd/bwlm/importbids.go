package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/internal/bidsdata"
	"github.com/brainwavlm/bwlm/internal/brain/imports"
	"github.com/brainwavlm/bwlm/internal/brain/imports/bids"
	"github.com/brainwavlm/bwlm/internal/clean"
)

func importBIDSCommand(a *app) *cobra.Command {
	var f importFlags
	var o bids.Options
	var form string
	var cleaning []string
	var onset float64
	c := &cobra.Command{
		Use:   "bids FOLDER",
		Short: "A folder in BIDS with preprocessed scans: volumes, surfaces or CIFTI",
		Long: `FOLDER has time series that were preprocessed, as by fMRIPrep: volumes (_bold.nii.gz), surfaces of
two hemispheres (.func.gii) or CIFTI (.dtseries.nii), and mostly the tables of events, sidecars
and stimuli of its raw data.

Columns are the voxels that the brain masks of all runs of a subject have in common, without masks
those that vary in all runs; of surfaces and CIFTI all places. Columns of NaN, such as the medial
wall, keep their places as empty ones in a space that subjects share, and are left out in a
subject's own. --voxels FILE.npy keeps those columns that the file lists, or has 1 for: of one
subject, or on surfaces and in CIFTI that subjects share of all of them.

The clock is computed for each scan: TR from RepetitionTime and header; the instant of a row from
StartTime and SliceTimingCorrected; the second of the recording from events.tsv. A recording
begins with the first event that names it, music included; a subject whose story began earlier or
later has a clock of its own. Several stories of a scan are cut apart, several runs of one story
are repeats. What each clock was derived from is printed and stands in import.json. Where events
name no recording, or one that is not there, --audio does: TASK=FILE, or a folder with TASK.wav;
folders are also looked through for recordings that events name. A scan without a table of events
needs --onset as well.

--clean takes drift and confounds out of a run before it is cut into stories, all of it in one
projection, as nilearn.signal.clean does. Nothing is taken out unless it is named:

  high-pass=HZ            cosines slower than this
  polort=N, polort=auto   Legendre polynomials up to degree N
  motion=6, motion=24     head motion
  acompcor=N              components of aCompCor
  detrend                 mean and linear trend
  censor=MM               rows of a larger framewise displacement: no part of the fit, put in from
                          their neighbours
  recommended             ` + clean.Recommended.String() + `

Motion, aCompCor and displacement are read from desc-confounds_timeseries.tsv. --json prints what
import.json has.`,
		Example: "  bwlm import bids ds002345 --space MNI152NLin2009cAsym --task tunnel --dry-run\n" +
			"  bwlm import bids ds002345 --space fsaverage6 --surfaces lh.gii,rh.gii --out narratives\n" +
			"  bwlm import bids study --audio rest=story.wav --onset 12 --clean recommended --out data/study",
		Args: wantArgs("FOLDER"),
		RunE: func(c *cobra.Command, args []string) error {
			if _, err := f.options(c, a); err != nil {
				return err
			}
			switch kind := bidsdata.Kind(form); kind {
			case "", bidsdata.Volumes, bidsdata.Surface, bidsdata.Dense:
				o.Kind = kind
			default:
				return usage(c, "--form: %s, want volumes, surface or dense", form)
			}
			o.Cortical = f.voxels == "cortical"
			if c.Flags().Changed("onset") {
				o.Onset = &onset
			}
			var err error
			if o.Clean, err = clean.ParseRecipe(cleaning); err != nil {
				return err
			}
			o.Subjects, o.Stories = f.subjects, f.stories
			found, err := bids.Find(c.Context(), args[0], o)
			if err != nil {
				return err
			}
			var cortical func(*imports.Found) error
			if !slices.ContainsFunc(found.Subjects, func(s imports.Subject) bool { return s.Mask != nil }) {
				cortical = func(*imports.Found) error { return nil } // those of surfaces and CIFTI are
			}
			if err := f.keep(c, found, cortical); err != nil {
				return err
			}
			return a.imported(c, found, &f)
		},
	}
	f.add(c, false)
	f.addSelection(c)
	f.addVoxels(c, "cortical (vertices of CIFTI), ")
	flags := c.Flags()
	flags.StringSliceVar(&o.Tasks, "task", nil, "only these tasks: `names` or patterns, separated by commas")
	flags.StringVar(&form, "form", "", "`kind` of scans, where there are several: volumes, surface or dense (CIFTI)")
	flags.StringVar(&o.Space, "space", "", "`name` of the space, where there are several, such as fsaverage6")
	flags.StringVar(&o.Desc, "desc", "", "`name` of the processing, where there are several, such as preproc")
	flags.StringSliceVar(&o.Audio, "audio", nil, "recordings: `TASK=FILE` or folders")
	flags.Float64Var(&onset, "onset", 0,
		"`second` of a scan at which the recording of --audio begins, without events.tsv")
	flags.StringSliceVar(&o.Surface, "surfaces", nil,
		"`files` of the left and right hemisphere of the space, for maps")
	flags.StringSliceVar(&cleaning, "clean", nil, "`parts` to take out of runs, separated by commas: see above")
	flags.BoolVar(&o.Raw, "raw", false, "take scans that were not preprocessed")
	return c
}
