package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/transfer"
	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/decimal"
	"github.com/brainwavlm/bwlm/internal/roikeys"
	"github.com/brainwavlm/bwlm/torch"
)

func transferCommand(a *app) *cobra.Command {
	var exp experimentFlags
	var subjects, only []string
	c := &cobra.Command{
		Use:   "transfer EXPERIMENT",
		Short: "Test transfer between subjects: matrix, leave-one-out, data efficiency",
		Long: `Tunes the experiment's model on each subject and tests it on every subject (matrix: the diagonal is the
subject tuned on, which is no transfer), and tunes it on all subjects but one, with one adapter and a readout for each
(leave-one-out). A tested subject gets a ridge on the training rows of their own, on untuned and on tuned features, and
nothing else is fitted to them. From the subjects left out follow Δr of seen and unseen subjects, Δr where the ridge,
too, is fitted on stories that no tuning used, and the learning curve of a new subject: how many minutes of data tuning
saves to reach the untuned model's score with all data.

Test rows whose audio any of the tunings would use are refused, another subject's copy of a story included (code 65); so
are subjects that are not in the data set. Numbers of voxels may differ. Intervals are over subjects; with fewer than 5
there are none. n subjects make n tunings for the matrix and n for leave-one-out, each a run below OUT/transfer.
Repeating the command continues an interrupted study: finished runs are read. Several processes may run the same command
on one OUT: each takes the next run that no other one has locked, and each writes the same tables when all are finished
(docs/cluster.md). A tuning that fails is named, and means are over the others; the next command tries it again, unless
its loss was not finite. Exit codes: 0 the tables are written, failed runs or not; 73 OUT is of another experiment; 130,
143 stopped, with all finished steps saved; if all tunings failed, that of the first.

--json prints {"schema": 1, "subjects": [NAME], "minutes": [of training rows], "base": [r], "matrix": [[r] by subject
tuned on, by subject tested], "chosen_epochs", "within": MEAN, "between": MEAN, "leave_one_out": {"tuned": [r],
"chosen_epochs", "delta": MEAN, "delta_seen": MEAN, "seen_minus_unseen": MEAN, "delta_rois": {ROI: MEAN},
"ridge_on_unmet_stories": { "subjects", "stories", "base", "tuned", "delta": MEAN or null, "skipped": {NAME: why}}},
"curve": {"subjects", "points": [{"share", "minutes", "base": [r], "tuned": [r], "base_mean": MEAN, "tuned_mean": MEAN,
"delta": MEAN}], "goal", "full_minutes", "minutes_saved": number or null, "at_least", "not_reached": why,
"minutes_saved_ci95"},
"failed": [{"run", "error", "exit_code"}], "notes"}. MEAN is {"mean_r", "ci95": [low, high] or null,
"no_interval_because"}; lists by subject are in the order of subjects, null where a tuning failed, but for the curve,
which has its own. OUT/transfer has the same in transfer.json, and transfer.csv with a line for each number.`,
		Example: "  bwlm transfer alice.yaml\n  bwlm transfer alice.yaml --subjects 'sub-1*' --only matrix\n" +
			"  bwlm transfer alice.yaml --only leave-one-out,curve --json",
		Args: wantArgs("EXPERIMENT"),
		RunE: func(c *cobra.Command, args []string) error {
			r, dir, err := a.transfer(c, args[0], &exp, subjects, only)
			if err != nil {
				return err
			}
			return a.answer(r, func(w io.Writer) error { return printTransfer(w, r, dir) })
		},
	}
	exp.add(c)
	a.limits.add(c)
	c.Flags().StringSliceVar(&subjects, "subjects", nil, "`subjects`, names or globs, in place of data.subjects")
	c.Flags().StringSliceVar(&only, "only", nil, "run only these `parts`: matrix, leave-one-out, curve")
	return c
}

// transfer runs a transfer study and shows where it is.
func (a *app) transfer(c *cobra.Command, path string, flags *experimentFlags, subjects,
	only []string) (*results.Transfer, string, error) {
	exp, err := flags.load(c.Context(), path)
	if err != nil {
		return nil, "", err
	}
	data, err := dataset.Open(exp.Data.Path, func(s *dataset.Spec) { s.AllowTruncated = exp.Data.AllowTruncated })
	if err != nil {
		return nil, "", err
	}
	if len(subjects) == 0 {
		subjects = exp.Data.Subjects
	}
	if exp.Data.Subjects, err = transfer.ResolveSubjects(data, subjects); err != nil {
		return nil, "", err
	}
	if _, err := torch.OpenDevice(exp.Device); err != nil {
		return nil, "", err
	}
	watch := &watcher{ui: a.ui}
	defer watch.end()
	opt, err := a.studyOptions(exp.MaxBytes(), watch.event)
	if err != nil {
		return nil, "", err
	}
	st, err := brain.Open(c.Context(), exp, opt)
	if err != nil {
		return nil, "", err
	}
	defer st.Close()
	a.caveat = st.TestRepeats()
	a.noteAudit(st.Audit())
	a.leavesRuns(exp.Out)
	var clock tuningClock
	var parts []transfer.Part
	for _, p := range only {
		parts = append(parts, transfer.Part(p))
	}
	r, err := transfer.Run(c.Context(), st, transfer.Options{Only: parts, Begin: func(s progress.RunStatus) {
		watch.end()
		switch {
		case s.Index < 0 && s.Run != "":
			a.ui.Note("the untuned model")
		case s.Run == "":
			a.ui.Note("%s", statusLine("tuning", s))
		default:
			a.ui.Note("%s%s", statusLine("tuning", s), clock.left(s.Total-s.Index, 1+s.Others))
		}
	}})
	watch.end()
	if ctx := c.Context(); err != nil && ctx.Err() != nil {
		stop := fault.Wrap(fault.KindOf(err), "stopped", exp.Out, err)
		stop.Reason = "all finished steps are saved"
		return nil, "", stop.WithHint("continue with the same command")
	}
	if err != nil {
		return nil, "", err
	}
	for _, note := range r.Notes {
		a.ui.Note("note: %s", note)
	}
	return r, exp.Out, nil
}

// tuningClock guesses the time that is left from the tunings that were done, which one that is read
// is not.
type tuningClock struct {
	begun time.Time
	took  time.Duration
	done  int
}

// left is called as a tuning begins, with the number of tunings left and that of processes that share them.
func (k *tuningClock) left(todo, workers int) string {
	now := time.Now()
	if took := now.Sub(k.begun); !k.begun.IsZero() && took > time.Second {
		k.took, k.done = k.took+took, k.done+1
	}
	k.begun = now
	if k.done == 0 {
		return ""
	}
	left := (k.took / time.Duration(k.done) * time.Duration(todo) / time.Duration(workers)).Round(time.Second)
	return fmt.Sprintf(", about %s left", left)
}

func printTransfer(w io.Writer, r *results.Transfer, out string) error {
	fmt.Fprintf(w, "r on the test rows, by a ridge on each subject's own training rows (%.1f minutes).\n",
		average(r.Minutes))
	if r.Matrix != nil {
		head := append([]string{"tuned on"}, r.Subjects...)
		rows := [][]string{append([]string{"(untuned)"}, scores(r.Base)...)}
		for i, row := range r.Matrix {
			line := []string{r.Subjects[i]}
			if row == nil {
				line = append(line, slices.Repeat([]string{"-"}, len(r.Subjects))...)
			} else {
				line = append(line, scores(row)...)
				line[1+i] += "*"
			}
			rows = append(rows, line)
		}
		if err := ui.Table(w, head, rows); err != nil {
			return err
		}
		fmt.Fprintln(w, "* the subject tuned on: no transfer.")
	}
	if l := r.LeaveOneOut; l != nil {
		var rows [][]string
		for k, name := range r.Subjects {
			if l.Tuned[k] == nil {
				rows = append(rows, []string{name, score(r.Base[k]), "-", "-", "-"})
				continue
			}
			rows = append(rows, []string{name, score(r.Base[k]), score(*l.Tuned[k]),
				decimal.Signed(*l.Tuned[k]-r.Base[k], 3), fmt.Sprint(*l.Chosen[k])})
		}
		if err := ui.Table(w, []string{"left out", "base", "tuned on the others", "Δr", "epoch"}, rows); err != nil {
			return err
		}
	}
	var rows [][]string
	add := func(what string, m *results.SubjectMean) {
		if m != nil {
			rows = append(rows, []string{what, decimal.Signed(m.Mean, 3), interval(m.CI95)})
		}
	}
	add("subject tuned on", r.Within)
	add("other subjects (one tuned on)", r.Between)
	if l := r.LeaveOneOut; l != nil {
		add("seen subjects, unseen stories", l.DeltaSeen)
		add("unseen subject, unseen stories", l.Delta)
		add("unseen subject, ridge on unseen stories", l.UnseenStories.Delta)
		add("seen - unseen", l.Cost)
		for _, name := range roikeys.Sorted(l.ROIs) {
			add("unseen subject: "+roikeys.Label(name), l.ROIs[name])
		}
	}
	if len(rows) > 0 {
		if err := ui.Table(w, []string{"Δr to base", "mean", "95 % interval over subjects"}, rows); err != nil {
			return err
		}
	}
	if l := r.LeaveOneOut; l != nil && len(l.UnseenStories.Skipped) > 0 {
		first := slices.Sorted(maps.Keys(l.UnseenStories.Skipped))[0]
		fmt.Fprintf(w, "No ridge on unseen stories for %d of %d subjects: %s.\n", len(l.UnseenStories.Skipped),
			len(r.Subjects), l.UnseenStories.Skipped[first])
	}
	if r.Curve != nil {
		if err := printCurve(w, r.Curve); err != nil {
			return err
		}
	}
	for _, m := range []*results.SubjectMean{r.Within, gainOf(r.LeaveOneOut)} {
		if m != nil && m.Reason != "" {
			fmt.Fprintf(w, "No intervals: %s.\n", m.Reason)
			break
		}
	}
	for _, f := range r.Failed {
		fmt.Fprintf(w, "%s failed: %s\n", f.Name, f.Error)
	}
	_, err := fmt.Fprintf(w,
		"Each tuning is a run below %s/transfer, with these numbers in transfer.json and transfer.csv.\n", out)
	return err
}

func gainOf(l *results.LeaveOneOut) *results.SubjectMean {
	if l == nil {
		return nil
	}
	return l.Delta
}

func printCurve(w io.Writer, c *results.TransferCurve) error {
	var rows [][]string
	for _, p := range c.Points {
		rows = append(rows, []string{decimal.Text(p.Minutes, 1), score(p.BaseMean.Mean), score(p.TunedMean.Mean),
			decimal.Signed(p.Delta.Mean, 3), interval(p.Delta.CI95)})
	}
	if err := ui.Table(w, []string{"minutes of a new subject", "base", "tuned", "Δr", "95 % interval over subjects"},
		rows); err != nil {
		return err
	}
	switch {
	case c.Saved == nil:
		fmt.Fprintf(w, "Minutes saved: none, %s.\n", c.NotThere)
	default:
		atLeast := ""
		if c.AtLeast {
			atLeast = "at least "
		}
		fmt.Fprintf(w, "Minutes saved to reach r %.3f, which the untuned model reaches with %.1f: %s%.1f", c.Goal,
			c.Full, atLeast, *c.Saved)
		if ci := c.SavedCI95; ci != nil {
			fmt.Fprintf(w, " [%.1f, %.1f]", ci[0], ci[1])
		}
		fmt.Fprintln(w, ".")
	}
	if c.Reason != "" {
		fmt.Fprintf(w, "No interval of the minutes saved: %s.\n", c.Reason)
	}
	return nil
}

func scores(x []float64) (out []string) {
	for _, r := range x {
		out = append(out, score(r))
	}
	return out
}

func average(x []float64) float64 {
	sum := 0.
	for _, v := range x {
		sum += v / float64(len(x))
	}
	return sum
}
