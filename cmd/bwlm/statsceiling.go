package main

import (
	"fmt"
	"io"
	"math"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/fault"
)

// ceilingAnswer summarises the files that stats ceiling wrote.
type ceilingAnswer struct {
	Schema    int    `json:"schema"`
	Out       string `json:"out"`
	Repeats   int    `json:"repeats"`
	Rows      int    `json:"rows"`
	Voxels    int    `json:"voxels"`
	Defined   int    `json:"defined"`
	Undefined int    `json:"undefined"` // no signal power, or constant
	Constant  int    `json:"constant"`  // in some repeat; among the undefined
	Medians   struct {
		EV    *float64 `json:"ev"` // over voxels that vary, as are RawEV and SP
		RawEV *float64 `json:"ev_raw"`
		SP    *float64 `json:"sp"`
		CCMax *float64 `json:"cc_max"` // over voxels that have one
	} `json:"medians"`
}

func ceilingCommand(a *app) *cobra.Command {
	var y, out string
	c := &cobra.Command{
		Use:   "ceiling --y FILE --out DIR",
		Short: "Compute noise ceilings from repeated responses",
		Long: `Reads responses to n repeats of one stimulus, .npy of repeats x rows x voxels, and writes one value per
voxel below DIR:

  tp.npy       total power: the mean over repeats of their variance over rows
  sp.npy       signal power: the part that repeats share, (n Var(mean) - TP)/(n - 1); an estimate, below 0 by chance
  ev.npy       explainable variance, corrected for the number of repeats: SP / TP
  ev_raw.npy   the same uncorrected, Var(mean) / TP; 1/n for pure noise
  cc_max.npy   the r that a perfect model reaches against the mean of these n repeats, sqrt(SP / Var(mean))
  defined.npy  false where there is no ceiling: SP is not above 0, or a repeat is constant

Repeats are used as given: z-score each before, and SP equals EV. Nothing is clipped: ev and sp may be negative, and
cc_max is NaN where it is not defined (ev and ev_raw where a repeat is constant), so that no voxel without a ceiling is
divided by one. Drift that all repeats have counts as signal: remove it before.

A set of voxels that is chosen by the ceiling of the test story is not independent of scores on that story; report it.

--json prints {"schema", "out", "repeats", "rows", "voxels", "defined", "undefined", "constant", "medians": {"ev",
"ev_raw", "sp", "cc_max"}}; undefined voxels include the constant ones and are not in the median of cc_max.`,
		Example: "  bwlm stats ceiling --y repeats.npy --out ceiling\n  bwlm stats ceiling --y repeats.npy --out " +
			"ceiling --json",
		Args: wantArgs(),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := required(c, "y", "out"); err != nil {
				return err
			}
			answer, err := ceiling(y, out)
			if err != nil {
				return err
			}
			return a.answer(answer, answer.text)
		},
	}
	c.Flags().StringVar(&y, "y", "", ".npy `file` of repeats x rows x voxels")
	c.Flags().StringVar(&out, "out", "", "`folder` for the results")
	return c
}

// ceiling reads, computes and writes.
func ceiling(y, out string) (*ceilingAnswer, error) {
	const what = "stats ceiling"
	files := arrays{what: what, out: out}
	shape, repeats := files.read(y, "repeats", "rows", "voxels")
	if files.err != nil {
		return nil, files.err
	}
	n, rows, voxels := shape[0], shape[1], shape[2]
	if n < 2 || rows < 2 {
		return nil, fault.New(fault.BadData, what, y, "%d repeats of %d rows do not estimate noise", n, rows).
			WithHint("give two repeats of two rows at least")
	}
	c := stats.Ceiling(repeats, n, rows, voxels)
	varies := func(v int) bool { return c.TP[v] > 0 }
	defined := func(v int) bool { return c.Defined[v] }
	answer := &ceilingAnswer{Schema: 1, Out: out, Repeats: n, Rows: rows, Voxels: voxels}
	answer.Defined = len(where(c.CCMax, defined))
	answer.Undefined, answer.Constant = voxels-answer.Defined, voxels-len(where(c.TP, varies))
	if answer.Constant == voxels {
		return nil, fault.New(fault.BadData, what, y, "every voxel is constant in some repeat")
	}
	m := &answer.Medians
	m.EV, m.RawEV, m.SP = median(where(c.EV, varies)), median(where(c.RawEV, varies)), median(where(c.SP, varies))
	m.CCMax = median(where(c.CCMax, defined))
	files.folder()
	write(&files, "tp", c.TP)
	write(&files, "sp", c.SP)
	write(&files, "ev", orNaN(c.EV, varies))
	write(&files, "ev_raw", orNaN(c.RawEV, varies))
	write(&files, "cc_max", orNaN(c.CCMax, defined))
	write(&files, "defined", c.Defined)
	return answer, files.err
}

// orNaN leaves no number where there is nothing to number.
func orNaN(values []float64, is func(v int) bool) []float64 {
	out := make([]float64, len(values))
	for v, x := range values {
		if out[v] = x; !is(v) {
			out[v] = math.NaN()
		}
	}
	return out
}

func (x *ceilingAnswer) text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s: %d of %d voxels have a ceiling, %d do not (%d of these are constant)\n"+
		"medians: explainable variance %s (uncorrected %s), signal power %s, CC_max %s\n",
		x.Out, x.Defined, x.Voxels, x.Undefined, x.Constant,
		number(x.Medians.EV), number(x.Medians.RawEV), number(x.Medians.SP), number(x.Medians.CCMax))
	return err
}
