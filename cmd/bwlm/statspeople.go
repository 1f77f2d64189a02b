package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/npy"
)

// peopleAnswer is what stats intersubject says of the files that it wrote.
type peopleAnswer struct {
	Schema  int    `json:"schema"`
	Out     string `json:"out"`
	People  int    `json:"subjects"`
	Rows    int    `json:"rows"`
	Voxels  int    `json:"voxels"`
	Defined int    `json:"defined"` // voxels in which two people vary
	Medians struct {
		ISC   *float64 `json:"isc"`
		Upper *float64 `json:"upper"`
		CCMax *float64 `json:"cc_max"` // over voxels that have one
	} `json:"medians"`
}

func intersubjectCommand(a *app) *cobra.Command {
	var y, out string
	var splits int
	var seed uint64
	c := &cobra.Command{
		Use:   "intersubject --y FILE --out DIR",
		Short: "How much of one person's responses others share: a ceiling without repeats",
		Long: `Reads the responses of several people to one story, .npy of people x rows x voxels, the voxels corresponding to each other,
and writes one value per voxel below DIR:

  isc.npy         mean over people of r between one person and the mean of all others (leave-one-out)
  isc_people.npy  the same of each person, people x voxels
  upper.npy       mean r between one person and the mean of all, that person included
  full.npy        reliability of the mean of all, from random halves of the people, corrected after Spearman and Brown
  cc_max.npy      its square root: the r that a perfect model reaches against the mean of all; NaN if halves disagree

Everybody is z-scored. A perfect model of what people share reaches between isc and upper in one person. Drift that
everybody has is shared, too: take it out before.

--json prints {"schema", "out", "people", "rows", "voxels", "defined", "medians": {"isc", "upper", "cc_max"}}.`,
		Example: "  bwlm stats intersubject --y people.npy --out isc",
		Args:    wantArgs(),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := required(c, "y", "out"); err != nil {
				return err
			}
			if splits < 1 {
				return usage(c, "--splits: %d, want 1 at least", splits)
			}
			answer, err := intersubject(y, out, splits, seed)
			if err != nil {
				return err
			}
			return a.answer(answer, answer.text)
		},
	}
	flags := c.Flags()
	flags.StringVar(&y, "y", "", ".npy `file` of people x rows x voxels")
	flags.StringVar(&out, "out", "", "`folder` for the results")
	flags.IntVar(&splits, "splits", 100, "how many random halves")
	flags.Uint64Var(&seed, "seed", 1, "seed of the halves")
	return c
}

// intersubject reads, computes and writes.
func intersubject(y, out string, splits int, seed uint64) (*peopleAnswer, error) {
	const what = "stats intersubject"
	files := arrays{what: what, out: out}
	shape, responses := files.read(y, "people", "rows", "voxels")
	if files.err != nil {
		return nil, files.err
	}
	n, rows, voxels := shape[0], shape[1], shape[2]
	s := stats.LeaveOneOut(responses, n, rows, voxels)
	half := stats.SplitHalf(responses, n, rows, voxels, splits, seed)
	defined := func(v int) bool { return s.Defined[v] }
	reliable := func(v int) bool { return half.Defined[v] }
	answer := &peopleAnswer{Schema: 1, Out: out, People: n, Rows: rows, Voxels: voxels, Defined: len(where(s.R, defined))}
	if answer.Defined == 0 {
		return nil, fault.New(fault.BadData, what, y, "in no voxel do two people vary (%d people, %d rows)", n, rows)
	}
	m := &answer.Medians
	m.ISC, m.Upper, m.CCMax = median(where(s.R, defined)), median(where(s.Upper, defined)), median(where(half.CCMax, reliable))
	files.folder()
	write(&files, "isc", orNaN(s.R, defined))
	write(&files, "upper", orNaN(s.Upper, defined))
	write(&files, "full", orNaN(half.Full, reliable))
	write(&files, "cc_max", orNaN(half.CCMax, reliable))
	if files.err == nil {
		files.err = npy.Write(filepath.Join(out, "isc_people.npy"), []int{n, voxels}, slices.Concat(s.Subjects...))
	}
	return answer, files.err
}

func (x *peopleAnswer) text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s: %d people, %d of %d voxels in which they vary\n"+
		"medians: leave-one-out %s, upper end %s, CC_max of the mean %s\n",
		x.Out, x.People, x.Defined, x.Voxels, number(x.Medians.ISC), number(x.Medians.Upper), number(x.Medians.CCMax))
	return err
}
