package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/internal/decimal"
	"github.com/brainwavlm/bwlm/internal/roikeys"
	"github.com/brainwavlm/bwlm/internal/tensorboard"
	"github.com/brainwavlm/bwlm/torch"
)

// openStudy opens the study of an experiment and prints its notes. The function shows its progress
// until it is called to end. A board, if there is one, sees all events.
func (a *app) openStudy(ctx context.Context, exp *experiment.Experiment, boards ...*tensorboard.Board) (st *brain.Study,
	end func(), err error) {
	device, err := torch.OpenDevice(exp.Device)
	if err == nil {
		err = a.exchangeBy(device)
	}
	if err != nil {
		return nil, nil, err
	}
	watch := &watcher{ui: a.ui}
	progress := func(e progress.Event) {
		watch.event(e)
		for _, b := range boards {
			b.Event(e)
		}
	}
	opt, err := a.studyOptions(exp.MaxBytes(), progress)
	opt.Details, opt.Ranks, opt.FastSums = len(boards) > 0 || a.watched, a.group, a.fastSums
	if err != nil {
		return nil, nil, err
	}
	if st, err = brain.Open(ctx, exp, opt); err != nil {
		return nil, nil, err
	}
	a.caveat = st.TestRepeats()
	a.noteAudit(st.Audit())
	for _, note := range st.Notes() {
		a.ui.Note("note: %s", note)
	}
	return st, func() { watch.end(); st.Close() }, nil
}

// watcher turns the events of a study into progress, one bar for each phase.
type watcher struct {
	ui    *ui.UI
	phase progress.Phase
	bar   *ui.Progress
	valR  string
}

func (w *watcher) event(e progress.Event) {
	switch e.Phase {
	case progress.Warning:
		w.ui.Warn("%s", e.Note)
		return
	case progress.Note:
		w.ui.Note("note: %s", e.Note)
		return
	case progress.EpochEnd:
		w.valR = fmt.Sprintf(" val r %.3f", e.R)
		return
	case progress.Validate: // inside tuning: the bar of the steps stays
		if w.phase == progress.Tune {
			return
		}
	}
	if w.phase != e.Phase {
		w.end()
		from := 0
		if e.Done > 1 { // a resumed run
			from = e.Done - 1
		}
		w.phase, w.bar = e.Phase, w.ui.Progress(string(e.Phase), from, e.Total)
	}
	note := ""
	if e.Phase == progress.Tune {
		note = fmt.Sprintf("epoch %d loss %.4f r %.3f%s", e.Epoch, e.Loss, e.R, w.valR)
	}
	w.bar.Set(e.Done, note)
}

func (w *watcher) end() {
	if w.bar != nil {
		w.bar.End()
		w.bar, w.phase = nil, ""
	}
}

// printSummary writes the table of an evaluation: a line for each ROI.
func printSummary(w io.Writer, s *results.Summary) error {
	t := s.Test
	head := []string{"ROI", "base"}
	if t.Tuned != nil {
		head = append(head, fmt.Sprintf("best layer (%d)", *t.BaseBestLayer.Layer), "tuned", "Δr", "95 % interval")
		if t.Delta.CI95Stories != nil {
			head = append(head, "over stories")
		}
		head = append(head, "p", "q")
	}
	if t.Ceiling != nil {
		head = append(head, "ceiling")
	}
	row := func(name string, of func(*results.ModelScore) float64, d func() results.DeltaROI) []string {
		r := []string{roikeys.Label(name), score(of(&t.Base))}
		if t.Tuned != nil {
			d := d()
			r = append(r, score(of(t.BaseBestLayer)), score(of(t.Tuned)),
				decimal.Signed(d.MeanR, 3), interval(d.CI95))
			if t.Delta.CI95Stories != nil {
				r = append(r, interval(d.CI95Stories))
			}
			r = append(r, score(d.P), score(d.Q))
		}
		if t.Ceiling != nil {
			r = append(r, score(of(t.Ceiling)))
		}
		return r
	}
	rows := [][]string{row(roikeys.All, func(s *results.ModelScore) float64 { return s.MeanR },
		func() results.DeltaROI {
			return results.DeltaROI{MeanR: t.Delta.MeanR, CI95: t.Delta.CI95, Significance: t.Delta.Significance,
				CI95Stories: t.Delta.CI95Stories}
		})}
	for _, name := range roikeys.Sorted(t.Base.ROIs) {
		rows = append(rows, row(name, func(s *results.ModelScore) float64 { return s.ROIs[name] },
			func() results.DeltaROI { return t.Delta.ROIs[name] }))
	}
	fmt.Fprintf(w, "Score: r on %d test rows of %s, by a ridge fitted on the training rows.\n", t.Rows,
		subjects(t.Subjects))
	if err := ui.Table(w, head, rows); err != nil {
		return err
	}
	if t.Delta != nil {
		fmt.Fprintln(w, "Δr is tuned - base. p: two-sided paired permutation test in blocks of rows; q: false "+
			"discovery rate over this table.")
	}
	if err := printSubjects(w, t.SubjectScores); err != nil {
		return err
	}
	if err := printFeatures(w, t.Features); err != nil {
		return err
	}
	if err := printLags(w, t.Lags); err != nil {
		return err
	}
	if text := t.OneStory(); text != "" {
		fmt.Fprintln(w, text)
	}
	if t.Delta != nil && t.Delta.CI95Stories != nil {
		fmt.Fprintf(w, "Intervals: over blocks of rows, about other rows of these stories; over stories (a jackknife "+
			"of %d), about other stories.\n", len(t.Stories))
	}
	if s.AnalysisPlan != nil {
		fmt.Fprintf(w, "Analysis plan locked %s (%.12s…): read %d of the test rows since.\n",
			s.AnalysisPlan.Time.Format("2006-01-02 15:04"), s.AnalysisPlan.SHA256, s.AnalysisPlan.TestReads)
		if s.AnalysisPlan.Refused > 0 {
			fmt.Fprintf(w, "WARNING: %d reads were refused because splits or masks differed from the locked ones.\n",
				s.AnalysisPlan.Refused)
		}
	}
	if t.Delta != nil && t.Delta.Reason != "" {
		fmt.Fprintf(w, "No interval: %s.\n", t.Delta.Reason)
	}
	if t.Delta != nil && t.Delta.AuditoryNonInferiority != nil {
		printNonInferiority(w, "Auditory cortex", t.Delta.AuditoryNonInferiority, "5 % of base")
	}
	if t.Delta != nil {
		for _, name := range slices.Sorted(maps.Keys(t.Delta.NonInferiority)) {
			printNonInferiority(w, "ROI "+name, t.Delta.NonInferiority[name], "locked")
		}
	}
	switch {
	case t.Tuned == nil:
	case s.Chosen > 0:
		if at := slices.IndexFunc(s.Epochs, func(e results.Epoch) bool { return e.Epoch == s.Chosen }); at >= 0 {
			fmt.Fprintf(w, "Chosen: epoch %d of %d, with r %s on the validation rows; untuned %s.\n", s.Chosen,
				s.Epochs[len(s.Epochs)-1].Epoch, score(s.Epochs[at].ValR), score(s.Epochs[0].ValR))
		}
		if text := t.Delta.Unmoved(); text != "" {
			fmt.Fprintln(w, text)
		}
	default:
		admitted := ""
		if len(s.Epochs) > 0 && s.Epochs[0].RetainedR != nil {
			admitted = " and within the retention constraint"
		}
		fmt.Fprintf(w, "Chosen: epoch 0. No epoch was better than the untuned model on the validation rows%s, so the "+
			"tuned model is the untuned one. %s\n", admitted, results.AfterNoEpoch)
	}
	return nil
}

// printSubjects writes a line for each of several subjects.
func printSubjects(w io.Writer, list []results.SubjectScore) error {
	if len(list) == 0 {
		return nil
	}
	head := []string{"subject", "rows", "base"}
	if list[0].Tuned != nil {
		head = append(head, "tuned", "Δr", "95 % interval")
	}
	if list[0].Ceiling != nil {
		head = append(head, "ceiling")
	}
	var rows [][]string
	for _, s := range list {
		row := []string{s.Subject, fmt.Sprint(s.Rows), score(s.Base)}
		if s.Tuned != nil {
			row = append(row, score(*s.Tuned), decimal.Signed(*s.Delta, 3), interval(s.CI95))
		}
		if s.Ceiling != nil {
			row = append(row, score(*s.Ceiling))
		}
		rows = append(rows, row)
	}
	fmt.Fprintln(w, "\nEach subject alone, all voxels:")
	if err := ui.Table(w, head, rows); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w)
	return err
}

// printNonInferiority writes the outcome of a non-inferiority test of an ROI.
func printNonInferiority(w io.Writer, roi string, x *stats.NonInferiority, margin string) {
	verdict := "not shown"
	if x.NonInferior {
		verdict = "shown"
	}
	fmt.Fprintf(w, "%s: non-inferiority %s at the margin %.3f (%s; p %.3f); losses above %.3f are excluded.\n",
		roi, verdict, x.Margin, margin, x.P, x.Smallest)
}

func score(r float64) string { return decimal.Text(r, 3) }

func interval(ci *stats.Interval) string {
	if ci == nil {
		return "-"
	}
	return "[" + decimal.Signed(ci[0], 3) + ", " + decimal.Signed(ci[1], 3) + "]"
}

// subjects names one subject, or counts several.
func subjects(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return fmt.Sprintf("%d subjects", len(names))
}
