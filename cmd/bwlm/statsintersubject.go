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

// intersubjectAnswer is the result of stats intersubject.
type intersubjectAnswer struct {
	Schema   int    `json:"schema"`
	Out      string `json:"out"`
	Subjects int    `json:"subjects"`
	Rows     int    `json:"rows"`
	Voxels   int    `json:"voxels"`
	Defined  int    `json:"defined"` // voxels in which two subjects vary
	Medians  struct {
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
		Short: "Compute intersubject correlation, a ceiling without repeats",
		Long: `Reads the responses of several subjects to one story, .npy of subjects x rows x voxels with corresponding
voxels, and writes one value per voxel below DIR:

  isc.npy           mean over subjects of r between a subject and the mean of all others (leave-one-out ISC)
  isc_subjects.npy  the same of each subject, subjects x voxels
  upper.npy         mean r between a subject and the mean of all, that subject included (upper bound)
  full.npy          reliability of the mean of all, from random split halves of the subjects, Spearman-Brown corrected
  cc_max.npy        its square root: the r of a perfect model with the mean of all; NaN if halves disagree

Subjects are z-scored. A perfect model of the shared response reaches between isc and upper in one subject. Drift that
all subjects have counts as shared: remove it before.

--json prints {"schema", "out", "subjects", "rows", "voxels", "defined", "medians": {"isc", "upper", "cc_max"}}.`,
		Example: "  bwlm stats intersubject --y subjects.npy --out isc",
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
	flags.StringVar(&y, "y", "", ".npy `file` of subjects x rows x voxels")
	flags.StringVar(&out, "out", "", "`folder` for the results")
	flags.IntVar(&splits, "splits", 100, "number of random split halves")
	flags.Uint64Var(&seed, "seed", 1, "seed of the split halves")
	return c
}

// intersubject reads, computes and writes.
func intersubject(y, out string, splits int, seed uint64) (*intersubjectAnswer, error) {
	const what = "stats intersubject"
	files := arrays{what: what, out: out}
	shape, responses := files.read(y, "subjects", "rows", "voxels")
	if files.err != nil {
		return nil, files.err
	}
	n, rows, voxels := shape[0], shape[1], shape[2]
	s := stats.LeaveOneOutISC(responses, n, rows, voxels)
	half := stats.SplitHalfReliability(responses, n, rows, voxels, splits, seed)
	defined := func(v int) bool { return s.Defined[v] }
	reliable := func(v int) bool { return half.Defined[v] }
	answer := &intersubjectAnswer{Schema: 1, Out: out, Subjects: n, Rows: rows, Voxels: voxels,
		Defined: len(where(s.R, defined))}
	if answer.Defined == 0 {
		return nil, fault.New(fault.BadData, what, y, "in no voxel do two subjects vary (%d subjects, %d rows)", n,
			rows)
	}
	m := &answer.Medians
	m.ISC, m.Upper, m.CCMax = median(where(s.R, defined)), median(where(s.Upper, defined)),
		median(where(half.CCMax, reliable))
	files.folder()
	write(&files, "isc", orNaN(s.R, defined))
	write(&files, "upper", orNaN(s.Upper, defined))
	write(&files, "full", orNaN(half.Full, reliable))
	write(&files, "cc_max", orNaN(half.CCMax, reliable))
	if files.err == nil {
		files.err = npy.Write(filepath.Join(out, "isc_subjects.npy"), []int{n, voxels}, slices.Concat(s.Subjects...))
	}
	return answer, files.err
}

func (x *intersubjectAnswer) text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s: %d subjects, %d of %d voxels in which they vary\n"+
		"medians: leave-one-out %s, upper bound %s, CC_max of the mean %s\n",
		x.Out, x.Subjects, x.Defined, x.Voxels, number(x.Medians.ISC), number(x.Medians.Upper), number(x.Medians.CCMax))
	return err
}
