package transfer

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/internal/evaluate"
	"github.com/brainwavlm/bwlm/brain/stats"
)

// people gives scores of persons named a, b, … with so many minutes.
func people(minutes float64, r ...float64) (out []evaluate.SubjectScore) {
	for i, x := range r {
		out = append(out, evaluate.SubjectScore{Person: string(rune('a' + i)), Minutes: minutes, MeanR: x, ROIs: map[string]float64{"AC": 2 * x}})
	}
	return out
}

func TestMatrixByHand(t *testing.T) {
	r := &Result{Subjects: []string{"a", "b", "c"}}
	r.base(&scored{Scores: [][]evaluate.SubjectScore{people(10, .1, .2, .3)}})
	for _, row := range [][]float64{{.2, .25, .3}, {.1, .3, .36}, {.13, .2, .5}} {
		r.row(&scored{Chosen: 2, Scores: [][]evaluate.SubjectScore{people(10, row...)}})
	}
	r.matrix(1)
	assert.InDelta(t, (.1+.1+.2)/3, r.Within.Mean, 1e-12)
	assert.InDelta(t, ((0+.03)/2+(.05+0)/2+(0+.06)/2)/3, r.Between.Mean, 1e-12)
	assert.Nil(t, r.Between.CI95)
	assert.NotEmpty(t, r.Between.Reason)

	var all []*scored
	for k, row := range [][]float64{{.15, .25, .3}, {.12, .26, .36}, {.14, .2, .4}} {
		all = append(all, &scored{Target: r.Subjects[k], Scores: [][]evaluate.SubjectScore{people(10, row...)}})
	}
	first := people(10, .1, .2)
	all[0].Unmet = &unmet{Stories: []string{"s"}, Base: &first[0], Tuned: &first[1]}
	all[1].Unmet = &unmet{Skipped: "none"}
	r.leftOut(all, 1)
	l := r.LeaveOneOut
	assert.Equal(t, []float64{.15, .26, .4}, l.Tuned)
	assert.InDelta(t, (.05+.06+.1)/3, l.Gain.Mean, 1e-12)
	assert.InDelta(t, (.03+.025+.03)/3, l.Seen.Mean, 1e-12, "the same people where another was left out")
	assert.InDelta(t, l.Seen.Mean-l.Gain.Mean, l.Cost.Mean, 1e-12)
	assert.InDelta(t, 2*l.Gain.Mean, l.ROIs["AC"].Mean, 1e-12)
	assert.Equal(t, []string{"a"}, l.Unmet.Subjects)
	assert.InDelta(t, .1, l.Unmet.Gain.Mean, 1e-12)
	assert.Equal(t, map[string]string{"b": "none", "c": "not scored"}, l.Unmet.Skipped)

	var csv bytes.Buffer
	require.NoError(t, r.csv(&csv))
	lines := strings.Split(strings.TrimSpace(csv.String()), "\n")
	assert.Len(t, lines, 1+9+3)
	assert.Equal(t, "matrix,b,b,seen,10,0.2,0.3,0.1", lines[5])
	assert.Equal(t, "leave-one-out,b+c,a,unseen,10,0.1,0.15,0.05", lines[10])
}

// curveOf makes a curve of so many people, all alike, at minutes 1, 2, 3, 4.
func curveOf(n int, base float64, tuned ...float64) *Curve {
	c := &Curve{Goal: base, Full: float64(len(tuned))}
	for k, x := range tuned {
		p := Point{Minutes: float64(k + 1)}
		for range n {
			p.Base, p.Tuned = append(p.Base, base), append(p.Tuned, x)
		}
		c.Points = append(c.Points, p)
	}
	return c
}

func TestMinutesSavedByHand(t *testing.T) {
	c := curveOf(6, .3, .1, .2, .4, .5) // reaches .3 at minute 2.5 of 4
	c.save(1)
	assert.InDelta(t, 1.5, *c.Saved, 1e-12)
	assert.Equal(t, stats.Interval{*c.Saved, *c.Saved}, *c.SavedCI95)

	c = curveOf(6, .3, .35, .2, .4, .5)
	c.save(1)
	assert.InDelta(t, 1.5, *c.Saved, 1e-12, "an early point above the goal does not count if a later one is below")

	c = curveOf(6, .3, .3, .4, .4, .5)
	c.save(1)
	assert.InDelta(t, 3, *c.Saved, 1e-12)
	assert.True(t, c.AtLeast)

	c = curveOf(6, .3, .3, .4, .4, .29)
	c.save(1)
	assert.Nil(t, c.Saved)
	assert.Nil(t, c.SavedCI95)
	assert.NotEmpty(t, c.NotThere)
	assert.Contains(t, c.Reason, "in 100.0 % of the draws of people")

	c = curveOf(6, .3, .1, .2, .4, .5)
	for k := range c.Points {
		c.Points[k].Tuned[0] = .1 // one who gains nothing
	}
	c.save(1)
	assert.NotNil(t, c.Saved)
	assert.Nil(t, c.SavedCI95)
	assert.Contains(t, c.Reason, "of the draws of people", "with such people alone the goal is not reached")

	c = curveOf(3, .3, .1, .2, .4, .5)
	c.save(1)
	assert.Equal(t, "3 people, an interval over people needs 5", c.Reason)
}
