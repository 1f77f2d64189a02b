package stats

import (
	"math"
	"slices"
)

// NonInferiority says whether one system is worse than another by no more than a margin. "No significant loss" is not
// evidence of no loss: few rows show it, too. This is.
type NonInferiority struct {
	Margin      float64 `json:"margin"`             // δ, in r
	Lower       float64 `json:"lower_95"`           // one-sided 95 % bound of tuned less base
	NonInferior bool    `json:"non_inferior"`       // Lower > -δ
	P           float64 `json:"p"`                  // of a loss of δ or more
	Smallest    float64 `json:"smallest_supported"` // the least δ for which NotWorse would hold; 0 if even a gain is certain
	// Equivalent says that there is no gain of δ either: the 90 % interval lies within ±δ, two one-sided tests after
	// Schuirmann (J. Pharmacokinet. Biopharm. 15(6), 1987).
	Equivalent bool `json:"equivalent"`
}

// NotWorse tests the group's difference against a loss of margin, which has to be fixed before tuning: the study's
// rule is 5 % of the untuned model's r in auditory cortex. It reads the bounds of the draws that gave the interval and
// is nil where there is none.
func (g GroupScore) NotWorse(margin float64) *NonInferiority {
	if g.draws == nil {
		return nil
	}
	tail := widened(.05, g.Blocks)
	lower, upper := quantile(g.draws, tail), quantile(g.draws, 1-tail)
	below, _ := slices.BinarySearch(g.draws, math.Nextafter(-margin, 1)) // draws ≤ -margin
	share := (float64(below) + 1) / float64(len(g.draws)+2)              // never 0 or 1: that many draws cannot say so
	return &NonInferiority{
		Margin: margin, Lower: lower, NonInferior: lower > -margin, P: narrowed(share, g.Blocks),
		Smallest: max(0, -lower), Equivalent: lower > -margin && upper < margin,
	}
}
