package transfer

import (
	"encoding/csv"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
)

// subjectMean returns the mean over subjects and its interval.
func subjectMean(values []float64, seed uint64) *results.SubjectMean {
	score, reason := stats.MeanOverSubjects(values, seed)
	return &results.SubjectMean{Score: score, Reason: reason}
}

// meanRs returns the mean r of each score.
func meanRs(scores []evaluate.SubjectScore) (out []float64) {
	for _, s := range scores {
		out = append(out, s.MeanR)
	}
	return out
}

func minus(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = a[i] - b[i]
	}
	return out
}

func mean(x []float64) float64 {
	sum := 0.
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// setBase fills in the scores of the untuned model.
func setBase(r *results.Transfer, base *scored) {
	r.Base = meanRs(base.allRows())
	for _, s := range base.allRows() {
		r.Minutes = append(r.Minutes, s.Minutes)
	}
}

// subjectMeanOf is subjectMean, nil of no values.
func subjectMeanOf(values []float64, seed uint64) *results.SubjectMean {
	if len(values) == 0 {
		return nil
	}
	return subjectMean(values, seed)
}

// chosenOf returns the chosen epoch of a tuning, nil if it failed.
func chosenOf(s *scored) *int {
	if s == nil {
		return nil
	}
	return &s.Chosen
}

// setMatrix fills in the matrix; rows holds the scores of the models tuned on each subject, nil where that failed.
func setMatrix(r *results.Transfer, rows []*scored, seed uint64) {
	for _, s := range rows {
		var row []float64
		if s != nil {
			row = meanRs(s.allRows())
		}
		r.Matrix, r.Chosen = append(r.Matrix, row), append(r.Chosen, chosenOf(s))
	}
	var within, between []float64
	for target, base := range r.Base {
		var from []float64
		for source, row := range r.Matrix {
			switch {
			case row == nil:
			case source == target:
				within = append(within, row[target]-base)
			default:
				from = append(from, row[target]-base)
			}
		}
		if len(from) > 0 {
			between = append(between, mean(from))
		}
	}
	r.Within, r.Between = subjectMeanOf(within, seed), subjectMeanOf(between, seed)
}

// setLeaveOneOut fills in the scores of the models tuned on all subjects but one; all[k] left out
// subject k, and is nil if its tuning failed.
func setLeaveOneOut(r *results.Transfer, base *scored, all []*scored, seed uint64) {
	l := &results.LeaveOneOut{ROIs: map[string]*results.SubjectMean{}, UnseenStories: results.UnseenStories{
		Subjects: []string{}, Stories: map[string][]string{}, Skipped: map[string]string{}}}
	var seen, unseen, cost []float64
	rois := map[string][]float64{}
	for k, s := range all {
		l.Chosen = append(l.Chosen, chosenOf(s))
		var with []float64
		for j, other := range all {
			if j != k && other != nil {
				with = append(with, other.allRows()[k].MeanR)
			}
		}
		if len(with) > 0 {
			seen = append(seen, mean(with)-r.Base[k])
		}
		if s == nil {
			l.Tuned = append(l.Tuned, nil)
			continue
		}
		own := s.allRows()[k]
		l.Tuned = append(l.Tuned, &own.MeanR)
		unseen = append(unseen, own.MeanR-r.Base[k])
		if len(with) > 0 {
			cost = append(cost, seen[len(seen)-1]-unseen[len(unseen)-1])
		}
		for name, x := range own.ROIs {
			rois[name] = append(rois[name], x-base.allRows()[k].ROIs[name])
		}
		addUnseenStories(&l.UnseenStories, s)
	}
	l.Delta, l.DeltaSeen = subjectMeanOf(unseen, seed), subjectMeanOf(seen, seed)
	l.Cost = subjectMeanOf(cost, seed)
	for name, gains := range rois {
		l.ROIs[name] = subjectMean(gains, seed)
	}
	if u := &l.UnseenStories; len(u.Subjects) > 0 {
		u.Delta = subjectMean(minus(u.Tuned, u.Base), seed)
	}
	r.LeaveOneOut = l
}

// addUnseenStories adds the score of the subject that s left out, or why there is none.
func addUnseenStories(u *results.UnseenStories, s *scored) {
	if s.Unseen == nil || s.Unseen.Base == nil {
		u.Skipped[s.Target] = "not scored"
		if s.Unseen != nil {
			u.Skipped[s.Target] = s.Unseen.Skipped
		}
		return
	}
	u.Subjects, u.Stories[s.Target] = append(u.Subjects, s.Target), s.Unseen.Stories
	u.Base, u.Tuned = append(u.Base, s.Unseen.Base.MeanR), append(u.Tuned, s.Unseen.Tuned.MeanR)
}

// write writes transfer.json and transfer.csv into a folder.
func write(r *results.Transfer, dir string) error {
	if err := jsonfile.Write(filepath.Join(dir, "transfer.json"), r); err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(dir, "transfer.csv"), func(w io.Writer) error { return writeCSV(r, w) })
}

// writeCSV writes one line per tuning and tested subject, and one per point of the curve and subject.
func writeCSV(r *results.Transfer, to io.Writer) error {
	w := csv.NewWriter(to)
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', 6, 64) }
	_ = w.Write([]string{"part", "tuned_on", "tested_on", "relation", "minutes", "base_r", "tuned_r", "delta",
		"error"})
	line := func(part Part, source, relation string, k int, minutes, base, tuned float64) {
		_ = w.Write([]string{string(part), source, r.Subjects[k], relation,
			number(minutes), number(base), number(tuned), number(tuned - base), ""})
	}
	for i, row := range r.Matrix {
		for k, x := range row {
			relation := "unseen"
			if i == k {
				relation = "seen"
			}
			line(Matrix, r.Subjects[i], relation, k, r.Minutes[k], r.Base[k], x)
		}
	}
	without := func(k int) string {
		return strings.Join(slices.Delete(slices.Clone(r.Subjects), k, k+1), "+")
	}
	if l := r.LeaveOneOut; l != nil {
		for k, x := range l.Tuned {
			if x != nil {
				line(LeaveOneOut, without(k), "unseen", k, r.Minutes[k], r.Base[k], *x)
			}
		}
	}
	if c := r.Curve; c != nil {
		for _, p := range c.Points {
			for i, x := range p.Tuned {
				k := slices.Index(r.Subjects, c.Subjects[i])
				line(Curve, without(k), "unseen", k, p.Share*r.Minutes[k], p.Base[i], x)
			}
		}
	}
	for _, f := range r.Failed {
		_ = w.Write([]string{"failed", f.Name, "", "", "", "", "", "", f.Error})
	}
	w.Flush()
	return w.Error()
}
