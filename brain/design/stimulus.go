package design

import "fmt"

// Interval is a half-open stretch of stimulus, in seconds.
type Interval struct{ From, To float64 }

// overlap returns the number of seconds that two intervals share. It is 0 where they only touch, up
// to rounding.
func (a Interval) overlap(b Interval) float64 {
	if shared := min(a.To, b.To) - max(a.From, b.From); shared > edge {
		return shared
	}
	return 0
}

// StimulusWindow is the stretch of stimulus that a row of a design matrix depends on: from Before
// seconds before the time of the row to After seconds after it. It is not cut at the ends of a
// story: where a story is a piece of a longer one, the responses to its first rows still depend on
// what came before. A story of clips, which are stimuli of their own with Unit rows each, has it cut at their ends.
type StimulusWindow struct {
	Before, After float64
	Unit          int // rows of each clip; 0: the story is one stimulus
}

// Row returns the stimulus, in seconds of the story, that row k depends on.
func (w StimulusWindow) Row(c Clock, k int) Interval {
	t := c.Time(k)
	at := Interval{From: t - w.Before, To: t + w.After}
	if w.Unit > 0 {
		begin := c.First + float64(k-k%w.Unit)*c.TR
		at.From, at.To = max(at.From, begin), min(at.To, begin+float64(w.Unit)*c.TR)
	}
	return at
}

// rows returns the stimulus that rows from ≤ k < to depend on.
func (w StimulusWindow) rows(c Clock, from, to int) Interval {
	if to <= from {
		panic(fmt.Sprintf("design: stimulus window of rows %d to %d", from, to))
	}
	return Interval{From: w.Row(c, from).From, To: w.Row(c, to-1).To}
}
