package transfer

import (
	"fmt"
	"slices"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
)

// curveOf returns the curve from the scores of the left-out subjects by share of training rows; all[k]
// left out subject k. Subjects whose tuning failed (nil) have no part in it; nil if none is left.
func curveOf(r *results.Transfer, base *scored, all []*scored, seed uint64) *results.TransferCurve {
	c := &results.TransferCurve{}
	var own []int
	for k, s := range all {
		if s != nil {
			own, c.Subjects = append(own, k), append(c.Subjects, r.Subjects[k])
		}
	}
	if len(own) == 0 {
		return nil
	}
	some := func(x []float64) (out []float64) {
		for _, k := range own {
			out = append(out, x[k])
		}
		return out
	}
	c.Goal, c.Full = mean(some(r.Base)), mean(some(r.Minutes))
	for i, share := range base.Shares {
		p := results.CurvePoint{Share: share, Base: some(meanRs(base.Scores[i]))}
		var minutes []float64
		for _, k := range own {
			at := slices.IndexFunc(all[k].Scores[i],
				func(p evaluate.SubjectScore) bool { return p.Subject == r.Subjects[k] })
			score := all[k].Scores[i][at]
			p.Tuned, minutes = append(p.Tuned, score.MeanR), append(minutes, score.Minutes)
		}
		p.Minutes = mean(minutes)
		p.BaseMean, p.TunedMean = *subjectMean(p.Base, seed), *subjectMean(p.Tuned, seed)
		p.Delta = *subjectMean(minus(p.Tuned, p.Base), seed)
		c.Points = append(c.Points, p)
	}
	setMinutesSaved(c, seed)
	return c
}

// setMinutesSaved fills in the minutes saved and their interval over subjects.
func setMinutesSaved(c *results.TransferCurve, seed uint64) {
	n := len(c.Points[0].Base)
	everybody := make([]int, n)
	for i := range everybody {
		everybody[i] = i
	}
	saved, reached, first := minutesSaved(c, everybody)
	if reached {
		c.Saved, c.AtLeast = &saved, first
	} else {
		c.NotThere = "with all its data the tuned model is below the untuned one"
	}
	missed := 0
	draws, reason := stats.ResampleSubjects(n, seed, func(drawn []int) float64 {
		saved, reached, _ := minutesSaved(c, drawn)
		if !reached {
			missed++
		}
		return saved
	})
	switch c.Reason = reason; {
	case reason != "":
	case missed > 0:
		c.Reason = fmt.Sprintf("in %.1f %% of the draws of subjects the tuned model does not reach the goal",
			100*float64(missed)/float64(len(draws)))
	default:
		c.SavedCI95 = stats.SubjectInterval(draws, n)
	}
}

// minutesSaved reads the minutes saved off the mean curves of the given subjects: the tuned curve must
// stay at the goal or above from there on. saved is 0 if the goal is not reached; first reports that the
// first point already reaches it.
func minutesSaved(c *results.TransferCurve, subjects []int) (saved float64, reached, first bool) {
	of := func(x []float64) float64 {
		sum := 0.
		for _, i := range subjects {
			sum += x[i]
		}
		return sum / float64(len(subjects))
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
