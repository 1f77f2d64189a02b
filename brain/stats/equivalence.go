package stats

import (
	"math"
	"slices"
)

// NonInferiority is the result of a test whether one model is worse than another by less than a
// margin. The absence of a significant loss is no evidence for this: it also results from few rows.
type NonInferiority struct {
	Margin      float64 `json:"margin"`             // δ, in r
	Lower       float64 `json:"lower_95"`           // one-sided 95 % bound of tuned − base
	NonInferior bool    `json:"non_inferior"`       // Lower > -δ
	P           float64 `json:"p"`                  // of a loss of δ or more
	Smallest    float64 `json:"smallest_supported"` // the least δ with NonInferior; 0 if the bound is a gain
	// Equivalent reports that a gain of δ is excluded, too: the 90 % interval lies within ±δ (two
	// one-sided tests, Schuirmann, J. Pharmacokinet. Biopharm. 15(6), 1987).
	Equivalent bool `json:"equivalent"`
}

// NonInferiority tests the difference of the group against a loss of margin, which has to be fixed
// before tuning, for example 5 % of the untuned model's r in auditory cortex. It uses the draws of
// the interval and is nil without one.
func (g GroupScore) NonInferiority(margin float64) *NonInferiority {
	if g.draws == nil {
		return nil
	}
	tail := widenTail(.05, g.Blocks)
	lower, upper := quantile(g.draws, tail), quantile(g.draws, 1-tail)
	below, _ := slices.BinarySearch(g.draws, math.Nextafter(-margin, 1)) // draws ≤ -margin
	// never 0 or 1: a finite number of draws cannot show that
	share := (float64(below) + 1) / float64(len(g.draws)+2)
	return &NonInferiority{
		Margin: margin, Lower: lower, NonInferior: lower > -margin, P: narrowTail(share, g.Blocks),
		Smallest: max(0, -lower), Equivalent: lower > -margin && upper < margin,
	}
}
