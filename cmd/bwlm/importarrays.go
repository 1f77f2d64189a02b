package main

import (
	"context"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/internal/brain/imports"
)

func importArraysCommand(a *app) *cobra.Command {
	var f importFlags
	var tr float64
	var first []string
	var opt imports.ArrayOptions
	c := &cobra.Command{
		Use:   "arrays FOLDER",
		Short: "A folder of matrices (TRs × voxels) and recordings",
		Long: `Each recording (.wav, .flac, .mp3) below FOLDER is a story, named by its stem. Each .npy belongs
to the story whose name is in its path, such as sub-01/alice.npy or sub-01_task-alice_bold.npy,
and to the subject that the rest of its path names; three dimensions are repeats × TRs × voxels. A
.tsv with the stem of a story has its words, if it has the columns onset, offset and word; a
TextGrid has words and phones. Recordings and words may also be in the folders of --audio, which
names the recording of a story, too (alice=sound/a1.wav). --first tells at which second of the
recordings row 0 begins, if not at their start. What was guessed and what was left out is
printed and stands in the file.

Files of arrays count, too: NumPy's .npz, MATLAB's .mat, HDF5, joblib and pickles of arrays (.jbl,
.pkl). Of one, the only array of floats that is a matrix is taken, or the one that --var names, or
all those that have names of stories.

--transpose is for arrays of voxels × TRs. Integers with an attribute scale or scale_factor (HDF5)
are refused, since no standard says what it is for; --scale multiplies by it. --voxels FILE.npy
keeps the columns of one subject that it lists, or has 1 for. Each of the three copies.

Nothing else is copied, unless --copy says so. Rows are compared with the audio by headers.
Matrices that do not fit it are named and refused (65), as every command would do later; --dry-run
prints the description all the same, as a start for one's own.`,
		Example: "  bwlm import arrays study --tr 2 --out data/study\n  bwlm import arrays study --tr 2 --dry-run\n" +
			"  bwlm import arrays resp --audio stimuli --tr 1.5 --first -10.5,wolf=0 --out data/study",
		Args: wantArgs("FOLDER"),
		RunE: func(c *cobra.Command, args []string) error {
			copied := opt.Transpose || opt.Scale || f.voxels != allVoxels // and cannot be described where they lie
			f.link = f.link && (!copied || c.Flags().Changed("link"))
			var err error
			if opt.First, err = clocks(c, first); err != nil {
				return err
			}
			opt.Subjects, opt.Stories = f.subjects, f.stories
			found, err := imports.Arrays(c.Context(), args[0], tr, opt)
			if err != nil {
				return err
			}
			switch {
			case len(found.Missing) > 0:
				return a.imported(c, found, &f)
			case !c.Flags().Changed("tr"):
				e := usage(c, "--tr is missing: the seconds from one row to the next")
				if likely := found.LikelyTR(c.Context()); likely > 0 {
					return e.WithHint("audio and rows look like --tr %g", likely)
				}
				return e
			case !(tr > 0):
				return usage(c, "--tr: %g, want seconds above 0", tr)
			}
			out, err := f.options(c, a)
			if err != nil {
				return err
			}
			if f.dryRun && !copied {
				return a.described(c.Context(), found, out)
			}
			if err := found.Check(c.Context()); err != nil {
				return err
			}
			if err := f.keep(c, found, nil); err != nil {
				return err
			}
			return a.imported(c, found, &f)
		},
	}
	f.add(c, true)
	f.addSelection(c)
	f.addVoxels(c, "")
	c.Flags().StringSliceVar(&opt.Audio, "audio", nil,
		"`folders` with recordings and words, besides FOLDER, or STORY=FILE: the recording of a story")
	c.Flags().StringSliceVar(&first, "first", nil,
		"`second` of the recordings at which row 0 begins (default 0), or STORY=SECOND")
	c.Flags().StringVar(&opt.Array, "var", "", "`name` of the array in files of several")
	c.Flags().BoolVar(&opt.Transpose, "transpose", false, "arrays are voxels × TRs, or repeats × voxels × TRs")
	c.Flags().BoolVar(&opt.Scale, "scale", false, "multiply integers by their attribute scale or scale_factor")
	c.Flags().Float64Var(&tr, "tr", 0, "`seconds` from one row to the next")
	return c
}

// clocks reads seconds at which row 0 begins: by story, or by "" for all others.
func clocks(c *cobra.Command, list []string) (map[string]float64, error) {
	out := map[string]float64{}
	for _, text := range list {
		story, seconds, own := strings.Cut(text, "=")
		if !own {
			story, seconds = "", text
		}
		first, err := strconv.ParseFloat(seconds, 64)
		if _, again := out[story]; err != nil || again || math.Abs(first) > 1e6 || first != first {
			return nil, usage(c, "--first: %s, want one SECOND, and for stories of their own STORY=SECOND", text)
		}
		out[story] = first
	}
	return out, nil
}

// described prints the description, then what is wrong with the data.
func (a *app) described(ctx context.Context, found *imports.Found, opt imports.Options) error {
	wrong := found.Check(ctx)
	a.answered = true
	if a.json {
		if err := a.print(previewOf(found, opt)); err != nil {
			return err
		}
		return wrong
	}
	if _, err := a.out.Write(found.YAML()); err != nil {
		return err
	}
	for _, note := range found.Notes {
		a.ui.Note("note: %s", note)
	}
	return wrong
}
