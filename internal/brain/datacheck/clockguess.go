package datacheck

import (
	"fmt"
	"math"
	"slices"
)

// A clockGuess is a clock under which the rows of all stories would fit their audio.
type clockGuess struct {
	text string // "" if there is none, or none is needed
}

// usualTRs are the TRs that a guess prefers, in seconds.
var usualTRs = []float64{.5, .6, .7, .71, .72, .735, .75, .8, 1, 1.25, 1.3, 1.49, 1.5, 1.52, 2, 2.0045, 2.2,
	2.4, 2.5, 3}

// probableClock looks for what the rows of all stories have in common if none of them fits its audio: the
// same number of rows missing or left over, or another TR.
func probableClock(matrices []matrixShape) clockGuess {
	least, most := math.MaxInt, math.MinInt
	var ratios []float64
	var guessed []matrixShape
	for _, m := range matrices {
		if m.Span != nil {
			continue
		}
		n := m.excess()
		if m.want() < 1 || m.Rows < 1 || apart(n, 0) <= usualRows {
			return clockGuess{}
		}
		least, most = min(least, n), max(most, n)
		ratios, guessed = append(ratios, (m.Audio-m.Clock.First)/float64(m.Rows)), append(guessed, m)
	}
	if len(guessed) == 0 || (least < 0) != (most < 0) {
		return clockGuess{}
	}
	m := guessed[0]
	var guesses []string
	if tr := commonTR(guessed, ratios); tr != 0 {
		guesses = append(guesses, fmt.Sprintf("a TR of %.4g s would fit (tr_seconds is %g)", tr, m.Clock.TR))
	}
	if most-least <= usualRows {
		switch later := m.seconds(most); {
		case most < 0:
			guesses = append(guesses, fmt.Sprintf("rows may begin later (first_tr_seconds %g would fit) or end early",
				m.Clock.First+later))
		default:
			guesses = append(guesses, fmt.Sprintf("rows may begin earlier (first_tr_seconds %g would fit) or go on "+
				"after the audio", m.Clock.First-m.seconds(least)))
		}
	}
	if len(guesses) == 0 {
		return clockGuess{}
	}
	text := fmt.Sprintf("each story has %s than TRs of audio: %s", span(m, least, most), guesses[0])
	for _, g := range guesses[1:] {
		text += ", or " + g
	}
	return clockGuess{text}
}

// span says how many rows are missing or left over.
func span(m matrixShape, least, most int) string {
	more := "more"
	if most < 0 {
		more, least, most = "fewer", -most, -least
	}
	if least == most {
		return fmt.Sprintf("%d rows (%.1f s) %s", least, m.seconds(least), more)
	}
	return fmt.Sprintf("%d to %d rows (%.1f to %.1f s) %s", least, most, m.seconds(least), m.seconds(most), more)
}

// commonTR returns the TR under which every matrix has as many rows as its audio, but for the last one; 0 if
// there is none. Ratios are seconds of audio for each row.
func commonTR(matrices []matrixShape, ratios []float64) float64 {
	sorted := slices.Sorted(slices.Values(ratios))
	middle := sorted[len(sorted)/2]
	fit := func(tr float64) bool {
		return !slices.ContainsFunc(matrices, func(m matrixShape) bool {
			m.Clock.TR = tr
			return !m.fits(m.Rows)
		})
	}
	best := 0.
	for _, tr := range usualTRs {
		if fit(tr) && (best == 0 || math.Abs(tr-middle) < math.Abs(best-middle)) {
			best = tr
		}
	}
	if best == 0 && fit(middle) && math.Abs(middle/matrices[0].Clock.TR-1) > .05 {
		best = middle
	}
	return best
}
