package audio

import (
	"fmt"
	"math"
)

// clippedRun is how many samples at full scale in a row are taken for clipping: a peak that just
// touches full scale seldom stays there.
const clippedRun = 3

// A survey looks at the level of the mono signal as it passes.
type survey struct {
	full      float64 // the largest sample that the format can hold
	low, high float64 // seen so far
	run       int     // samples at full scale up to now
	clipped   int     // runs of them
}

// newSurvey starts with what the samples come from: integers of b bits end at 1 - 2^(1-b). For 32
// bits, where they may be floats, that is 1 as well as can be told.
func newSurvey(info Info) survey {
	bits := info.Bits
	if bits == 0 {
		bits = 16 // as the MP3 decoder gives them
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
		notes = append(notes, fmt.Sprintf("clipped: %d runs of %d or more samples at full scale", s.clipped, clippedRun))
	}
	return notes
}
