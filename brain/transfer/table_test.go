package transfer

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// subjects returns the scores of subjects named a, b, … with the given minutes of training rows.
func subjects(minutes float64, r ...float64) (out []evaluate.SubjectScore) {
	for i, x := range r {
		out = append(out, evaluate.SubjectScore{Subject: string(rune('a' + i)), Minutes: minutes, MeanR: x,
			ROIs: map[string]float64{"AC": 2 * x}})
	}
	return out
}

func TestMatrixByHand(t *testing.T) {
	r := &results.Transfer{Subjects: []string{"a", "b", "c"}}
	base := &scored{Scores: [][]evaluate.SubjectScore{subjects(10, .1, .2, .3)}}
	setBase(r, base)
	var rows []*scored
	for _, row := range [][]float64{{.2, .25, .3}, {.1, .3, .36}, {.13, .2, .5}} {
		rows = append(rows, &scored{Chosen: 2, Scores: [][]evaluate.SubjectScore{subjects(10, row...)}})
	}
	setMatrix(r, rows, 1)
	assert.InDelta(t, (.1+.1+.2)/3, r.Within.Mean, 1e-12)
	assert.InDelta(t, ((0+.03)/2+(.05+0)/2+(0+.06)/2)/3, r.Between.Mean, 1e-12)
	assert.Nil(t, r.Between.CI95)
	assert.NotEmpty(t, r.Between.Reason)

	var all []*scored
	for k, row := range [][]float64{{.15, .25, .3}, {.12, .26, .36}, {.14, .2, .4}} {
		all = append(all, &scored{Target: r.Subjects[k], Scores: [][]evaluate.SubjectScore{subjects(10, row...)}})
	}
	first := subjects(10, .1, .2)
	all[0].Unseen = &unseen{Stories: []string{"s"}, Base: &first[0], Tuned: &first[1]}
	all[1].Unseen = &unseen{Skipped: "none"}
	setLeaveOneOut(r, base, all, 1)
	l := r.LeaveOneOut
	assert.Equal(t, []float64{.15, .26, .4}, []float64{*l.Tuned[0], *l.Tuned[1], *l.Tuned[2]})
	assert.InDelta(t, (.05+.06+.1)/3, l.Delta.Mean, 1e-12)
	assert.InDelta(t, (.03+.025+.03)/3, l.DeltaSeen.Mean, 1e-12, "the same subjects where another was left out")
	assert.InDelta(t, l.DeltaSeen.Mean-l.Delta.Mean, l.Cost.Mean, 1e-12)
	assert.InDelta(t, 2*l.Delta.Mean, l.ROIs["AC"].Mean, 1e-12)
	assert.Equal(t, []string{"a"}, l.UnseenStories.Subjects)
	assert.InDelta(t, .1, l.UnseenStories.Delta.Mean, 1e-12)
	assert.Equal(t, map[string]string{"b": "none", "c": "not scored"}, l.UnseenStories.Skipped)

	var csv bytes.Buffer
	require.NoError(t, writeCSV(r, &csv))
	lines := strings.Split(strings.TrimSpace(csv.String()), "\n")
	assert.Len(t, lines, 1+9+3)
	assert.Equal(t, "matrix,b,b,seen,10,0.2,0.3,0.1,", lines[5])
	assert.Equal(t, "leave-one-out,b+c,a,unseen,10,0.1,0.15,0.05,", lines[10])
}

func TestMeansAreOverTheTuningsThatDidNotFail(t *testing.T) {
	r := &results.Transfer{Subjects: []string{"a", "b", "c"},
		Failed: []results.FailedRun{{Name: "from-b", Error: "the loss is NaN", Code: 65}}}
	base := &scored{Shares: []float64{1}, Scores: [][]evaluate.SubjectScore{subjects(10, .1, .2, .3)}}
	setBase(r, base)
	row := func(target string, x ...float64) *scored {
		return &scored{Chosen: 2, Target: target, Shares: []float64{1},
			Scores: [][]evaluate.SubjectScore{subjects(10, x...)}}
	}
	setMatrix(r, []*scored{row("", .2, .25, .3), nil, row("", .13, .2, .5)}, 1)
	assert.InDelta(t, (.1+.2)/2, r.Within.Mean, 1e-12)
	assert.InDelta(t, (.03+(.05+0)/2+0)/3, r.Between.Mean, 1e-12)
	assert.Nil(t, r.Matrix[1])
	assert.Nil(t, r.Chosen[1])

	all := []*scored{row("a", .15, .25, .3), nil, row("c", .14, .2, .4)}
	setLeaveOneOut(r, base, all, 1)
	l := r.LeaveOneOut
	assert.Nil(t, l.Tuned[1])
	assert.InDelta(t, (.05+.1)/2, l.Delta.Mean, 1e-12)
	assert.InDelta(t, (.04+(.05+0)/2+0)/3, l.DeltaSeen.Mean, 1e-12, "where another was left out")
	assert.InDelta(t, (.04-.05+0-.1)/2, l.Cost.Mean, 1e-12)
	r.Curve = curveOf(r, base, all, 1)
	assert.Equal(t, []string{"a", "c"}, r.Curve.Subjects)
	assert.Equal(t, []float64{.1, .3}, r.Curve.Points[0].Base)
	assert.Equal(t, []float64{.15, .4}, r.Curve.Points[0].Tuned)
	assert.InDelta(t, .2, r.Curve.Goal, 1e-12)
	assert.Nil(t, curveOf(r, base, []*scored{nil, nil, nil}, 1))

	var csv bytes.Buffer
	require.NoError(t, writeCSV(r, &csv))
	lines := strings.Split(strings.TrimSpace(csv.String()), "\n")
	assert.Len(t, lines, 1+6+2+2+1)
	assert.Equal(t, "curve,a+b,c,unseen,10,0.3,0.4,0.1,", lines[10])
	assert.Equal(t, "failed,from-b,,,,,,,the loss is NaN", lines[11])
}

// flatCurve makes a curve of n equal subjects at minutes 1, 2, 3, 4.
func flatCurve(n int, base float64, tuned ...float64) *results.TransferCurve {
	c := &results.TransferCurve{Goal: base, Full: float64(len(tuned))}
	for k, x := range tuned {
		p := results.CurvePoint{Minutes: float64(k + 1)}
		for range n {
			p.Base, p.Tuned = append(p.Base, base), append(p.Tuned, x)
		}
		c.Points = append(c.Points, p)
	}
	return c
}

func TestMinutesSavedByHand(t *testing.T) {
	c := flatCurve(6, .3, .1, .2, .4, .5) // reaches .3 at minute 2.5 of 4
	setMinutesSaved(c, 1)
	assert.InDelta(t, 1.5, *c.Saved, 1e-12)
	assert.Equal(t, stats.Interval{*c.Saved, *c.Saved}, *c.SavedCI95)

	c = flatCurve(6, .3, .35, .2, .4, .5)
	setMinutesSaved(c, 1)
	assert.InDelta(t, 1.5, *c.Saved, 1e-12, "an early point above the goal does not count if a later one is below")

	c = flatCurve(6, .3, .3, .4, .4, .5)
	setMinutesSaved(c, 1)
	assert.InDelta(t, 3, *c.Saved, 1e-12)
	assert.True(t, c.AtLeast)

	c = flatCurve(6, .3, .3, .4, .4, .29)
	setMinutesSaved(c, 1)
	assert.Nil(t, c.Saved)
	assert.Nil(t, c.SavedCI95)
	assert.NotEmpty(t, c.NotThere)
	assert.Contains(t, c.Reason, "in 100.0 % of the draws of subjects")

	c = flatCurve(6, .3, .1, .2, .4, .5)
	for k := range c.Points {
		c.Points[k].Tuned[0] = .1 // a subject without a gain
	}
	setMinutesSaved(c, 1)
	assert.NotNil(t, c.Saved)
	assert.Nil(t, c.SavedCI95)
	assert.Contains(t, c.Reason, "of the draws of subjects", "with such subjects alone the goal is not reached")

	c = flatCurve(3, .3, .1, .2, .4, .5)
	setMinutesSaved(c, 1)
	assert.Equal(t, "3 subjects, an interval over subjects needs 5", c.Reason)
}

func TestScoresOfOtherDataAreRefused(t *testing.T) {
	r := &runner{study: &study.Study{Experiment: &experiment.Experiment{}}}
	of := func(data string) *tuning { return &tuning{name: "from-" + data, scores: &scored{Data: data}} }
	assert.NoError(t, r.sameData(of("a"), of("a")))
	assert.NoError(t, r.sameData(of("a"), of("")), "of an earlier version")
	faulttest.Require(t, fault.BadData, r.sameData(of("a"), of("b")), "between the scores of from-a and of from-b")
}
