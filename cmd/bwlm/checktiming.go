package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/internal/brain/timing"
)

func checkTimingCommand(a *app) *cobra.Command {
	var exp experimentFlags
	var opt timing.Options
	c := &cobra.Command{
		Use:   "check-timing EXPERIMENT|DATASET",
		Short: "Check stimulus-response timing (lag, TR, length)",
		Long: `Cross-correlates the responses with acoustic features of the stimuli (loudness, spectral bands, word
rate) at lags of -10 to +10 seconds and estimates the lag of the responses, over all subjects and for each. It also
compares the lengths of audio and responses and tests for a lag that grows with time (a wrong TR), an offset of half a
TR, swapped stories, and responses that are transposed, raw or constant. Each finding has a verdict: ok, check (look at
it) or wrong (fix it).

Given an experiment file, the command uses the subjects of that file; given a data set (its folder or dataset.yaml), all
subjects. It needs no speech model and reads all rows, test rows included. The exit code is 65 if a finding is wrong,
else 0.`,
		Example: "  bwlm check-timing ../shared/data/alice\n  bwlm check-timing alice.yaml --roi temporal --json",
		Args:    wantArgs("EXPERIMENT|DATASET"),
		RunE: func(c *cobra.Command, args []string) error {
			data, err := openForTiming(c.Context(), args[0], &exp, &opt)
			if err != nil {
				return err
			}
			r, err := a.checkTiming(c.Context(), data, opt)
			if err != nil {
				return err
			}
			if err := a.answer(r, func(w io.Writer) error { return printTiming(w, r, a.onTerminal()) }); err != nil {
				return err
			}
			return r.Err()
		},
	}
	exp.add(c)
	f := c.Flags()
	f.StringVar(&opt.ROI, "roi", "", "use this `ROI` only")
	f.Float64Var(&opt.MaxLag, "max-lag", 10, "largest lag in `seconds`, to both sides")
	f.Uint64Var(&opt.Seed, "seed", 1, "seed of the bootstrap behind intervals")
	return c
}

// openForTiming opens a data set, or that of an experiment with its subjects.
func openForTiming(ctx context.Context, path string, flags *experimentFlags, opt *timing.Options) (*dataset.Dataset,
	error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() || filepath.Base(path) == "dataset.yaml" {
		return dataset.Open(path)
	}
	exp, err := flags.load(ctx, path)
	if err != nil {
		return nil, err
	}
	opt.Subjects, opt.Detrended = exp.Data.Subjects, exp.Data.Detrend != "none"
	return dataset.Open(exp.Data.Path, func(s *dataset.Spec) { s.AllowTruncated = exp.Data.AllowTruncated })
}

func (a *app) checkTiming(ctx context.Context, data *dataset.Dataset, opt timing.Options) (*timing.Report, error) {
	var bar *ui.Progress
	opt.Progress = func(done, total int) {
		if bar == nil {
			bar = a.ui.Progress("check timing", 0, total)
		}
		bar.Set(done, "")
	}
	r, err := timing.Run(ctx, data, opt)
	if bar != nil {
		bar.End()
	}
	return r, err
}

// onTerminal reports whether standard output is a terminal.
func (a *app) onTerminal() bool {
	f, ok := a.out.w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// printTiming writes the findings, the curve (a picture on a terminal, else a table), and a line for each subject.
func printTiming(w io.Writer, r *timing.Report, picture bool) error {
	if r.Lag != nil {
		fmt.Fprintf(w, "%s: responses %s\n", r.Dataset, lagWords(r.Estimate))
		fmt.Fprintf(w, "(a response is taken to peak %g s after the sound; features: %s)\n\n", r.HRFPeak,
			strings.Join(r.Features, ", "))
		if picture {
			drawCurve(w, r.Lags, r.R)
		} else if err := curveTable(w, r); err != nil {
			return err
		}
		fmt.Fprintln(w)
		if err := subjectsTable(w, r); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	printTimingFindings(w, r.Findings)
	_, err := fmt.Fprintf(w, "\nverdict: %s\n", r.Verdict)
	return err
}

// printTimingFindings writes findings, the worst first.
func printTimingFindings(w io.Writer, findings []timing.Finding) {
	rank := map[timing.Verdict]int{timing.Wrong: 0, timing.Check: 1, timing.OK: 2}
	findings = slices.Clone(findings)
	slices.SortStableFunc(findings, func(a, b timing.Finding) int {
		return cmp.Compare(rank[a.Verdict],
			rank[b.Verdict])
	})
	for _, f := range findings {
		fmt.Fprintf(w, "%-5s  %s: ", f.Verdict, f.About)
		if f.Where != "" {
			fmt.Fprintf(w, "%s: ", f.Where)
		}
		fmt.Fprintln(w, f.Text)
		if f.Do != "" {
			fmt.Fprintf(w, "       -> %s\n", inTerms(f.Do))
		}
	}
}

// lagWords describes the peak.
func lagWords(e timing.Estimate) string {
	s := fmt.Sprintf("lag the audio clock by %+.2f s", *e.Lag)
	if e.CI95 != nil {
		s += fmt.Sprintf(" (95 %%: %s)", lagInterval(e.CI95))
	}
	s += fmt.Sprintf(", r %.3f", *e.PeakR)
	if !e.Clear {
		s += ", not a clear peak"
	}
	return s
}

// lagInterval is an interval in seconds.
func lagInterval(ci *stats.Interval) string {
	if ci == nil {
		return "-"
	}
	return fmt.Sprintf("%+.1f to %+.1f", ci[0], ci[1])
}

// subjectsTable has a line for each subject.
func subjectsTable(w io.Writer, r *timing.Report) error {
	var rows [][]string
	for _, name := range slices.Sorted(maps.Keys(r.PerSubject)) {
		p := r.PerSubject[name]
		clear := "no"
		if p.Clear {
			clear = "yes"
		}
		rows = append(rows, []string{name, fmt.Sprintf("%+.2f", *p.Lag), lagInterval(p.CI95), score(*p.PeakR), clear,
			fmt.Sprint(p.Voxels)})
	}
	return ui.Table(w, []string{"subject", "lag s", "95 % interval", "r", "clear", "voxels"}, rows)
}

// curveTable is r at each whole second.
func curveTable(w io.Writer, r *timing.Report) error {
	var rows [][]string
	for i, l := range r.Lags {
		if l == float64(int(l)) {
			rows = append(rows, []string{fmt.Sprintf("%+.0f", l), score(r.R[i])})
		}
	}
	return ui.Table(w, []string{"lag s", "r"}, rows)
}

// drawCurve draws r against lag: a column for each lag, in eighths of a line, from 0 up.
func drawCurve(w io.Writer, lags, r []float64) {
	const height = 8
	blocks := []rune(" ▁▂▃▄▅▆▇█")
	top := max(slices.Max(r), 1e-9)
	for line := height - 1; line >= 0; line-- {
		label := "      "
		if line == height-1 {
			label = fmt.Sprintf("%6.3f", top)
		} else if line == 0 {
			label = fmt.Sprintf("%6.3f", 0.)
		}
		var row strings.Builder
		for _, v := range r {
			eighths := int(v/top*height*8+.5) - line*8
			row.WriteRune(blocks[min(max(eighths, 0), 8)])
		}
		fmt.Fprintf(w, "%s |%s\n", label, strings.TrimRight(row.String(), " "))
	}
	middle := slices.Index(lags, 0.)
	fmt.Fprintf(w, "       +%s\n", strings.Repeat("-", middle)+"0"+strings.Repeat("-", len(lags)-middle-1))
	left, right := fmt.Sprintf("%+g s", lags[0]), fmt.Sprintf("%+g s", lags[len(lags)-1])
	gap := max(1, len(lags)-len(left)-len(right))
	fmt.Fprintf(w, "        %s%s%s\n", left, strings.Repeat(" ", gap), right)
	fmt.Fprintln(w, "        r; right of 0: the responses lag the audio")
}
