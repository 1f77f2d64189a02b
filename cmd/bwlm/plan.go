package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/brain/plan"
	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/internal/brain/planning"
	"github.com/brainwavlm/bwlm/internal/roikeys"
)

func planCommand(a *app) *cobra.Command {
	var exp experimentFlags
	var compare float64
	c := &cobra.Command{
		Use:   "plan EXPERIMENT",
		Short: "Estimate time, memory and disk of a training, and the sensitivity of its test",
		Long: `Opens the data and the model of an experiment, measures part of the work on this machine (some windows,
three optimizer steps, a ridge) and extrapolates: windows per step and epoch, trainable parameters, time, memory, disk.
A sensitivity analysis follows: the minimum detectable difference Δr between tuned and base, from the minutes of test
rows, the responses' autocorrelation, and their ceiling where there are repeats (go doc bwlm/brain/plan.Sensitivity has
the formula). It says which intervals the test rows do not allow, and whether the disk has room.

Cheaper ways to extract features follow: windows every .25, .5 and 1 s, and chunks. For each it gives time, memory and
operations of the run, how far its features agree with those of the experiment, and r of a ridge on the untuned model,
cross-validated within training rows and on validation rows: on pieces of at most 600 and 200 rows of 3 subjects and
1000 voxels of each, as many as --compare-seconds of computing allow. Test rows are not read for it.

 The audio of the splits is compared if an earlier command left its fingerprints in the activation
cache. Nothing is written.`,
		Example: "  bwlm plan alice.yaml\n  bwlm plan alice.yaml --set train.epochs=5 --json",
		Args:    wantArgs("EXPERIMENT"),
		RunE: func(c *cobra.Command, args []string) error {
			e, err := exp.load(c.Context(), args[0])
			if err != nil {
				return err
			}
			a.limits.plan, a.limits.compare = true, compare
			if compare == 0 {
				a.limits.compare = -1
			}
			st, end, err := a.openStudy(c.Context(), e)
			if err != nil {
				return err
			}
			defer end()
			p, err := st.Plan(c.Context())
			if err != nil {
				return err
			}
			if dir := a.limits.cache.folder(); dir != "" && p.CacheFreeMB == 0 { // a run will make it
				planning.InCache(p, dir)
			}
			return a.answer(p, func(w io.Writer) error { return printPlan(w, p) })
		},
	}
	exp.add(c)
	a.limits.addMemory(c)
	a.limits.cache.add(c)
	c.Flags().Float64Var(&compare, "compare-seconds", 60, "`seconds` of computing for the cheaper ways; 0: none")
	return c
}

// printPlan writes a plan as text.
func printPlan(w io.Writer, p *plan.Plan) error {
	measured := []string{"measured on", fmt.Sprintf("%s, %d threads", p.Device, p.Threads)}
	rows := [][]string{{"time", duration(p.Seconds)}, {"memory", megabytes(p.PeakMB)}}
	if p.Epochs == 0 {
		fmt.Fprint(w, "Tunes nothing: features of bins are read and scored. The ridge comes on top.\n\n")
		rows = append(rows, []string{"passes", strconv.Itoa(p.WindowsRead)}, measured)
	} else {
		fmt.Fprintf(w, "Tunes %s.\n\n", p.Models)
		rows = append(rows, []string{"disk", free(p.DiskMB, p.FreeMB)},
			[]string{"steps", fmt.Sprintf("%d epochs of %d = %d", p.Epochs, p.StepsPerEpoch, p.Steps)},
			[]string{"windows", fmt.Sprintf("%.0f per step, %d per epoch, and %d read after each", p.WindowsPerStep,
				p.WindowsPerEpoch, p.WindowsRead)},
			[]string{"trainable", fmt.Sprintf("%d parameters, %d of them in the speech model", p.Parameters,
				p.ModelParameters)}, measured)
	}
	if p.Folds > 0 {
		rows = append(rows, []string{"folds",
			fmt.Sprintf("%d, each a training of its own; steps and windows are of one", p.Folds)})
	}
	if p.CacheMB > 0 {
		rows = append(rows, []string{"cache on disk", "at most " + free(p.CacheMB, p.CacheFreeMB)})
	}
	if p.CachedShare < 1 {
		rows = append(rows,
			[]string{"cache",
				fmt.Sprintf("holds %.0f %% of the front end's output; the rest is computed again each time",
					100*p.CachedShare)})
	}
	if err := ui.Table(w, []string{"this run", ""}, rows); err != nil {
		return err
	}
	fmt.Fprintln(w)
	rows = nil
	for _, phase := range p.Phases {
		rows = append(rows, []string{phase.Name, fmt.Sprintf("%.0f", phase.Times), fmt.Sprintf("%.3g", phase.Each),
			fmt.Sprintf("%.0f", 100*phase.Seconds/p.Seconds)})
	}
	if err := ui.Table(w, []string{"work", "times", "seconds each", "% of time"}, rows); err != nil {
		return err
	}
	for _, note := range p.Notes {
		fmt.Fprintf(w, "\nWARNING: %s.\n", note)
	}
	if err := printWays(w, p); err != nil {
		return err
	}
	if p.Folds > 0 {
		p.Intervals.Stories = p.Folds // each is tested once
	}
	printIntervals(w, p.Intervals)
	return printSensitivity(w, p.Sensitivity)
}

// printIntervals says which intervals the test rows do not allow.
func printIntervals(w io.Writer, in plan.Intervals) {
	if in.Reason != "" {
		fmt.Fprintf(w, "\nNo interval will be possible: the test rows are %s, about %.1f minutes of test rows.\n",
			in.Reason, in.Minutes)
	}
	if in.Stories < 3 {
		fmt.Fprintf(w, "\nNo interval over stories will be possible: the test rows are of %s, and it needs 3.\n",
			map[bool]string{true: "1 story", false: fmt.Sprintf("%d stories", in.Stories)}[in.Stories == 1])
	}
}

// free is a size, and the room that there is for it.
func free(mb, room float64) string {
	if room <= 0 {
		return megabytes(mb)
	}
	return fmt.Sprintf("%s of %s that are free there", megabytes(mb), megabytes(room))
}

func printSensitivity(w io.Writer, ds []plan.Sensitivity) error {
	if len(ds) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\nMinimum detectable difference Δr (tuned - base) on %d test rows (%.1f minutes), 80 %% power at "+
		".05:\n", ds[0].TestRows, ds[0].Minutes)
	var rows [][]string
	for _, d := range ds {
		name, ceiling := roikeys.Label(cmp.Or(d.ROI, roikeys.Tuned)), "-"
		if d.Ceiling != nil {
			ceiling = score(*d.Ceiling)
		}
		rows = append(rows, []string{name, fmt.Sprint(d.Voxels), ceiling, delta(d.Mean), delta(d.OneVoxel),
			delta(d.AnyVoxel)})
	}
	if err := ui.Table(w, []string{"ROI", "voxels", "ceiling", "mean", "one voxel", "any voxel"}, rows); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "Effective number of independent rows: %.0f. Assumed: r %.2f, correlation of the "+
		"predictions of base and tuned %.1f.\n",
		ds[0].Effective, ds[0].AssumedR, plan.PredictionsAlike)
	return err
}

// delta is a difference of r, or a dash where no number of that size can be shown.
func delta(d float64) string {
	if math.IsInf(d, 0) || d >= 2 {
		return "-"
	}
	return fmt.Sprintf("%.3f", d)
}

// duration spells seconds for a plan: two units at most.
func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", seconds)
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f minutes", d.Minutes())
	case d < 96*time.Hour:
		return fmt.Sprintf("%.1f hours", d.Hours())
	}
	return fmt.Sprintf("%.1f days", d.Hours()/24)
}

func megabytes(mb float64) string {
	if mb < 1000 {
		return fmt.Sprintf("%.3g MB", mb)
	}
	return fmt.Sprintf("%.3g GB", mb/1000)
}
