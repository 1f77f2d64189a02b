package transfer

import (
	"encoding/csv"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/brain/internal/evaluate"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
)

// Result is what [Run] found, as bwlm transfer --json prints it. Lists by person are in the order of Subjects.
type Result struct {
	Schema   int       `json:"schema"`
	Subjects []string  `json:"subjects"`
	Minutes  []float64 `json:"minutes"` // of each person's training rows
	Base     []float64 `json:"base"`    // r of the untuned model for each person

	// Matrix is r by the person tuned on and the person tested; on the diagonal the two are the same, which is no transfer.
	Matrix  [][]float64 `json:"matrix,omitempty"`
	Chosen  []int       `json:"chosen_epochs,omitempty"` // of the matrix' tunings
	Within  *Mean       `json:"within,omitempty"`        // gain over base on the diagonal
	Between *Mean       `json:"between,omitempty"`       // gain over base beside it: for each person the mean over sources

	LeaveOneOut *LeaveOneOut `json:"leave_one_out,omitempty"`
	Curve       *Curve       `json:"curve,omitempty"`
	Notes       []string     `json:"notes,omitempty"`

	rois []evaluate.SubjectScore // of the untuned model
}

// Mean is a mean over people with its interval over people.
type Mean struct {
	stats.Score
	Reason string `json:"no_interval_because,omitempty"`
}

func meanOf(values []float64, seed uint64) *Mean {
	s, reason := stats.MeanOverSubjects(values, seed)
	return &Mean{s, reason}
}

// LeaveOneOut is what models tuned on all people but one do for that one.
type LeaveOneOut struct {
	Tuned  []float64        `json:"tuned"` // r of each person, with the model of the others
	Chosen []int            `json:"chosen_epochs"`
	Gain   *Mean            `json:"gain"`             // tuned less base: an unseen person on unseen stories
	Seen   *Mean            `json:"gain_seen"`        // of people who were in the tuning, on the same unseen stories
	Cost   *Mean            `json:"seen_less_unseen"` // what it costs not to have been in the tuning
	ROIs   map[string]*Mean `json:"gain_rois"`        // of the unseen person
	Unmet  Unmet            `json:"ridge_on_unmet_stories"`
}

// Unmet is the unseen person's gain where the ridge, too, is fitted on stories that no tuning has met.
type Unmet struct {
	Subjects []string            `json:"subjects"` // who have heard such
	Stories  map[string][]string `json:"stories,omitempty"`
	Base     []float64           `json:"base"`
	Tuned    []float64           `json:"tuned"`
	Gain     *Mean               `json:"gain"`
	Skipped  map[string]string   `json:"skipped,omitempty"` // by person: why there is none
}

// Curve is score against minutes of a new person's data: means over people, who were each left out of the tuning.
type Curve struct {
	Points    []Point         `json:"points"`
	Goal      float64         `json:"goal"`               // r of the untuned model with all training rows
	Full      float64         `json:"full_minutes"`       // of training rows, mean over people
	Saved     *float64        `json:"minutes_saved"`      // to reach the goal with the tuned model; null where it does not
	AtLeast   bool            `json:"at_least,omitempty"` // the first point is there already
	NotThere  string          `json:"not_reached,omitempty"`
	SavedCI95 *stats.Interval `json:"minutes_saved_ci95"`
	Reason    string          `json:"no_interval_because,omitempty"`
}

// Point is one of the curve.
type Point struct {
	Share     float64   `json:"share"`
	Minutes   float64   `json:"minutes"` // mean over people
	Base      []float64 `json:"base"`
	Tuned     []float64 `json:"tuned"`
	BaseMean  Mean      `json:"base_mean"`
	TunedMean Mean      `json:"tuned_mean"`
	Gain      Mean      `json:"gain"`
}

func rs(scores []evaluate.SubjectScore) (out []float64) {
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

// base takes the scores of the untuned model.
func (r *Result) base(s *scored) {
	r.Base = rs(s.last())
	r.rois = s.last()
	for _, p := range s.last() {
		r.Minutes = append(r.Minutes, p.Minutes)
	}
}

// row takes the scores of the model that was tuned on one person.
func (r *Result) row(s *scored) {
	r.Matrix, r.Chosen = append(r.Matrix, rs(s.last())), append(r.Chosen, s.Chosen)
}

// matrix sums up its rows.
func (r *Result) matrix(seed uint64) {
	var within, between []float64
	for target, base := range r.Base {
		var from []float64
		for source := range r.Matrix {
			gain := r.Matrix[source][target] - base
			if source == target {
				within = append(within, gain)
			} else {
				from = append(from, gain)
			}
		}
		between = append(between, mean(from))
	}
	r.Within, r.Between = meanOf(within, seed), meanOf(between, seed)
}

// leftOut sums up the models tuned on all people but one; the k-th left out the k-th person.
func (r *Result) leftOut(all []*scored, seed uint64) {
	l := &LeaveOneOut{ROIs: map[string]*Mean{}, Unmet: Unmet{Subjects: []string{}, Stories: map[string][]string{}, Skipped: map[string]string{}}}
	var seen []float64
	rois := map[string][]float64{}
	for k, s := range all {
		own := s.last()[k]
		l.Tuned, l.Chosen = append(l.Tuned, own.MeanR), append(l.Chosen, s.Chosen)
		var with []float64
		for j, other := range all {
			if j != k {
				with = append(with, other.last()[k].MeanR)
			}
		}
		seen = append(seen, mean(with)-r.Base[k])
		for name, x := range own.ROIs {
			rois[name] = append(rois[name], x-r.rois[k].ROIs[name])
		}
		l.Unmet.add(s.Target, s.Unmet)
	}
	unseen := minus(l.Tuned, r.Base)
	l.Gain, l.Seen, l.Cost = meanOf(unseen, seed), meanOf(seen, seed), meanOf(minus(seen, unseen), seed)
	for name, gains := range rois {
		l.ROIs[name] = meanOf(gains, seed)
	}
	if len(l.Unmet.Subjects) > 0 {
		l.Unmet.Gain = meanOf(minus(l.Unmet.Tuned, l.Unmet.Base), seed)
	}
	r.LeaveOneOut = l
}

func (u *Unmet) add(person string, s *unmet) {
	if s == nil || s.Base == nil {
		u.Skipped[person] = "not scored"
		if s != nil {
			u.Skipped[person] = s.Skipped
		}
		return
	}
	u.Subjects, u.Stories[person] = append(u.Subjects, person), s.Stories
	u.Base, u.Tuned = append(u.Base, s.Base.MeanR), append(u.Tuned, s.Tuned.MeanR)
}

// curve sums up the scores of the people left out by share.
func (r *Result) curve(base *scored, all []*scored, seed uint64) {
	c := &Curve{Goal: mean(r.Base), Full: mean(r.Minutes)}
	for i, share := range base.Shares {
		p := Point{Share: share, Base: rs(base.Scores[i])}
		var minutes []float64
		for k, s := range all {
			own := s.Scores[i][slices.IndexFunc(s.Scores[i], func(p evaluate.SubjectScore) bool { return p.Person == r.Subjects[k] })]
			p.Tuned, minutes = append(p.Tuned, own.MeanR), append(minutes, own.Minutes)
		}
		p.Minutes = mean(minutes)
		p.BaseMean, p.TunedMean, p.Gain = *meanOf(p.Base, seed), *meanOf(p.Tuned, seed), *meanOf(minus(p.Tuned, p.Base), seed)
		c.Points = append(c.Points, p)
	}
	c.save(seed)
	r.Curve = c
}

// save finds the minutes saved, and how they would move with other people.
func (c *Curve) save(seed uint64) {
	n := len(c.Points[0].Base)
	everybody := make([]int, n)
	for i := range everybody {
		everybody[i] = i
	}
	saved, reached, first := c.savedBy(everybody)
	if reached {
		c.Saved, c.AtLeast = &saved, first
	} else {
		c.NotThere = "with all its data the tuned model is below the untuned one"
	}
	missed := 0
	draws, reason := stats.ResampleSubjects(n, seed, func(drawn []int) float64 {
		saved, reached, _ := c.savedBy(drawn)
		if !reached {
			missed++
		}
		return saved
	})
	switch c.Reason = reason; {
	case reason != "":
	case missed > 0:
		c.Reason = fmt.Sprintf("in %.1f %% of the draws of people the tuned model does not reach the goal", 100*float64(missed)/float64(len(draws)))
	default:
		c.SavedCI95 = stats.SubjectInterval(draws, n)
	}
}

// savedBy reads the minutes saved off the mean curves of some people: the tuned curve must stay at the goal or above from
// there on. It is 0 where the goal is not reached. First says that the first point is there already.
func (c *Curve) savedBy(people []int) (saved float64, reached, first bool) {
	of := func(x []float64) float64 {
		sum := 0.
		for _, i := range people {
			sum += x[i]
		}
		return sum / float64(len(people))
	}
	last := len(c.Points) - 1
	goal := of(c.Points[last].Base)
	if of(c.Points[last].Tuned) < goal {
		return 0, false, false
	}
	for k := last; k > 0; k-- {
		low, high := of(c.Points[k-1].Tuned), of(c.Points[k].Tuned)
		if low >= goal {
			continue
		}
		from, to := c.Points[k-1].Minutes, c.Points[k].Minutes
		return c.Full - (from + (goal-low)/(high-low)*(to-from)), true, false
	}
	return c.Full - c.Points[0].Minutes, true, true
}

// write leaves transfer.json and transfer.csv.
func (r *Result) write(dir string) error {
	if err := write(filepath.Join(dir, "transfer.json"), r); err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(dir, "transfer.csv"), r.csv)
}

// csv has a line for each pair of a tuning and a person tested, and for each point of the curve and person.
func (r *Result) csv(to io.Writer) error {
	w := csv.NewWriter(to)
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', 6, 64) }
	_ = w.Write([]string{"part", "tuned_on", "tested_on", "relation", "minutes", "base_r", "tuned_r", "gain"})
	line := func(part, source, relation string, k int, minutes, base, tuned float64) {
		_ = w.Write([]string{part, source, r.Subjects[k], relation, number(minutes), number(base), number(tuned), number(tuned - base)})
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
			line(LeaveOneOutPart, without(k), "unseen", k, r.Minutes[k], r.Base[k], x)
		}
	}
	if c := r.Curve; c != nil {
		for _, p := range c.Points {
			for k, x := range p.Tuned {
				line(PartCurve, without(k), "unseen", k, p.Share*r.Minutes[k], p.Base[k], x)
			}
		}
	}
	w.Flush()
	return w.Error()
}
