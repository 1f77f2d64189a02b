package design

import (
	"fmt"
	"slices"
)

// Interval is a half-open stretch of stimulus, in seconds.
type Interval struct{ From, To float64 }

// Overlap is how many seconds two intervals share; 0 where they only touch, up to rounding.
func (a Interval) Overlap(b Interval) float64 {
	if shared := min(a.To, b.To) - max(a.From, b.From); shared > edge {
		return shared
	}
	return 0
}

// Reach says which audio the prediction of a row depends on: from Back seconds before the row's time to Ahead seconds
// after it. It is not cut at the ends of a story's audio: where a story is a piece of a longer one, the responses to its
// first rows still answer what was heard before.
//
// Features are taken to hear nothing after their time. For clips whose inner frames serve as features, and so hear the
// clip to its end, add the clip's length to Ahead.
type Reach struct{ Back, Ahead float64 }

// LanczosReach is the reach through windows of the given seconds, 3-lobe Lanczos at cutoff 1/TR, and delays in TRs.
func LanczosReach(windowSeconds, tr float64, delays []int) Reach {
	return reach(windowSeconds, tr, delays, 3*tr, 3*tr)
}

// AverageReach is the reach through windows of the given seconds, [Average], and delays in TRs.
func AverageReach(windowSeconds, tr, rowTime float64, delays []int) Reach {
	return reach(windowSeconds, tr, delays, rowTime*tr, (1-rowTime)*tr)
}

// reach joins delays to the seconds before and after a row's time from which it takes features.
func reach(window, tr float64, delays []int, before, after float64) Reach {
	if len(delays) == 0 {
		delays = []int{0}
	}
	longest, shortest := float64(slices.Max(delays)), float64(slices.Min(delays))
	return Reach{Back: longest*tr + before + window, Ahead: after - shortest*tr}
}

// Row is the audio, in seconds of the story, that row k hears.
func (r Reach) Row(c Clock, k int) Interval {
	t := c.Time(k)
	return Interval{From: t - r.Back, To: t + r.Ahead}
}

// Rows is the audio that rows from ≤ k < to hear.
func (r Reach) Rows(c Clock, from, to int) Interval {
	if to <= from {
		panic(fmt.Sprintf("align: reach of rows %d to %d", from, to))
	}
	return Interval{From: r.Row(c, from).From, To: r.Row(c, to-1).To}
}
