package audio

import (
	"fmt"
	"math"
)

// clippedRun is the number of successive samples at full scale that count as clipping: a peak that
// only touches full scale rarely stays there.
const clippedRun = 3

// A survey records the level of the mono signal.
type survey struct {
	full      float64 // the largest sample that the format can hold
	low, high float64 // seen so far
	run       int     // samples at full scale up to now
	clipped   int     // runs of them
}

// newSurvey derives full scale from the format: integers of b bits end at 1 - 2^(1-b). For 32 bits,
// which may be floats, it is 1.
func newSurvey(info Info) survey {
	bits := info.Bits
	if bits == 0 {
		bits = 16 // the MP3 decoder's output
	}
	full := 1.0
	if bits < 32 {
		full -= math.Ldexp(1, 1-bits)
	}
	return survey{full: full, low: math.Inf(1), high: math.Inf(-1)}
}

func (s *survey) add(mono []float64) {
	for _, x := range mono {
		s.low = min(s.low, x)
		s.high = max(s.high, x)
		if math.Abs(x) < s.full {
			s.run = 0
			continue
		}
		if s.run++; s.run == clippedRun {
			s.clipped++
		}
	}
}

func (s *survey) notes() []string {
	var notes []string
	switch {
	case s.low == 0 && s.high == 0:
		notes = append(notes, "silence: every sample is 0")
	case s.low == s.high:
		notes = append(notes, fmt.Sprintf("constant: every sample is %g", s.low))
	}
	if s.clipped > 0 && s.low != s.high {
		notes = append(notes, fmt.Sprintf("clipped: %d runs of %d or more samples at full scale", s.clipped,
			clippedRun))
	}
	return notes
}
