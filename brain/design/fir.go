package design

import (
	"fmt"
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
)

// Delays rounds delays in seconds to whole rows (TRs) and returns them in ascending order. Each
// must be at least one row after rounding, and no two may fall on the same row.
func Delays(seconds []float64, tr float64) ([]int, error) {
	bad := func(why string, args ...any) error {
		return fault.New(fault.Usage, "set delays", "readout.delays_seconds", why, args...)
	}
	if !(tr > 0) || math.IsInf(tr, 0) {
		return nil, bad("TR %g s is not above 0", tr)
	}
	if len(seconds) == 0 {
		return nil, bad("no delays are given")
	}
	sorted := slices.Sorted(slices.Values(seconds))
	delays := make([]int, 0, len(sorted))
	for i, s := range sorted {
		d := math.Round(s / tr)
		switch {
		case !(d >= 1) || d > math.MaxInt32:
			return nil, bad("%g s is %g TRs of %g s, want at least 1", s, s/tr, tr)
		case i > 0 && int(d) == delays[i-1]:
			return nil, bad("%g s and %g s are both %g TRs of %g s", sorted[i-1], s, d, tr)
		}
		delays = append(delays, int(d))
	}
	return delays, nil
}

// FIR returns delayed copies of x (rows, channels) side by side, the columns of a finite impulse
// response model: row k of the result (rows, len(delays)·channels) holds rows k−delays[0],
// k−delays[1], … of x. Rows before the first are zeros: neither the story before nor the end of the
// same story takes their place.
func FIR(x []float32, rows, channels int, delays []int) []float32 {
	mustHave(x, rows, channels)
	out := make([]float32, rows*len(delays)*channels)
	Lags{Delays: delays}.Rows(x, channels, Rows{To: rows}, out)
	return out
}

// Lags are delays in rows, within clips that have Unit rows each; 0: within the story.
type Lags struct {
	Delays []int
	Unit   int
}

// Rows fills out with some of the rows of [FIR], (rows.Len(), len(Delays)·channels), of x (rows, channels). Where
// there are clips, rows before the first of a clip are zeros.
func (l Lags) Rows(x []float32, channels int, rows Rows, out []float32) {
	width := len(l.Delays) * channels
	if rows.From < 0 || rows.To*channels > len(x) || len(out) != rows.Len()*width {
		panic(fmt.Sprintf("design: rows %d to %d of %d values", rows.From, rows.To, len(x)))
	}
	clear(out)
	for i, d := range l.Delays {
		if d < 0 {
			panic("design: FIR with a negative delay")
		}
		for k := max(d, rows.From); k < rows.To; k++ {
			if l.Unit == 0 || k%l.Unit >= d {
				copy(out[(k-rows.From)*width+i*channels:][:channels], x[(k-d)*channels:])
			}
		}
	}
}
