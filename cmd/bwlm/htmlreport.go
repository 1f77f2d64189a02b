package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	brainreport "github.com/brainwavlm/bwlm/brain/report"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
)

func reportCommand(a *app) *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "report RUN… --out FILE",
		Short: "Write an HTML report of runs",
		Long: `Writes one HTML file from the directories of runs: in plain words what tuning changed, where, and whether
it is significant; maps of the cortex if the data set says where its voxels are; charts; ROIs with intervals, p and q;
ceilings, controls, probes and transfer where they were run; data, settings with their origin, hashes, and how to repeat
and cite it. Several runs are shown side by side. The directories of a demo and of eval.folds are a RUN, too.

The file refers to nothing outside itself: it opens from a mail, prints, and works without its script, which sorts
tables. Absolute paths are cut to their last two parts. --out is replaced as a whole; equal directories give equal
bytes.

The outputs of bwlm probe and bwlm variance-partition with --json are read from RUN/probe.json and
RUN/variance_partition.json.

--json prints {"schema", "out", "runs", "bytes"}.`,
		Example: "  bwlm report runs/alice --out alice.html\n  bwlm probe runs/alice --json > runs/alice/probe.json\n" +
			"  bwlm report runs/whole runs/retained --out both.html\n  bwlm report demo --out demo.html",
		Args: wantSome("RUN", 1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := required(c, "out"); err != nil {
				return err
			}
			answer, err := writeReport(c.Context(), out, args...)
			if err != nil {
				return err
			}
			return a.answer(answer, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%s: %s, %d kB\n", out, count(answer.Runs, "run", "runs"), answer.Bytes/1000)
				return err
			})
		},
	}
	c.Flags().StringVar(&out, "out", "", "`file` to write, .html")
	return c
}

// reportAnswer lists what was written.
type reportAnswer struct {
	Schema int      `json:"schema"`
	Out    string   `json:"out"`
	Runs   []string `json:"runs"`
	Bytes  int64    `json:"bytes"`
}

// writeReport makes the page of some runs.
func writeReport(ctx context.Context, out string, dirs ...string) (answer reportAnswer, err error) {
	r, err := brainreport.Read(ctx, dirs...)
	if err != nil {
		return answer, err
	}
	answer = reportAnswer{Schema: 1, Out: out}
	for _, run := range r.Runs {
		answer.Runs = append(answer.Runs, run.Name)
	}
	if err := atomicfile.Write(out, r.HTML); err != nil {
		return answer, err
	}
	info, err := os.Stat(out)
	if err != nil {
		return answer, fault.Wrap(fault.IO, "report", out, err)
	}
	answer.Bytes = info.Size()
	return answer, nil
}
