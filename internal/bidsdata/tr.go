package bidsdata

import (
	"fmt"
	"math"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// HeaderTime is the time between rows as the header of a file has it.
type HeaderTime struct {
	Step float64 // as the header has it
	Unit string  // sec, msec, usec, or "" if the header has no unit
	Name string  // the field: pixdim[4], TimeStep, SeriesStep
	OK   bool    // false if the header has no time
}

// unitSeconds are the seconds of a header's units. One without unit is read in seconds.
var unitSeconds = map[string]float64{"": 1, "sec": 1, "msec": 1e-3, "usec": 1e-6}

const (
	sameTR = 1e-3 // seconds by which TRs of two sources may differ
	mostTR = 100  // seconds
)

// findTR returns the TR in seconds, and where it was found. File is for errors.
func findTR(file string, s Sidecar, h HeaderTime) (tr float64, how string, err error) {
	bad := func(why string, args ...any) error {
		return fault.New(fault.BadData, "find TR", quote.OneLine(file), why, args...).
			WithHint("find out which TR is right, and correct the sidecar or the header")
	}
	header, known := 0.0, false
	if scale, unit := unitSeconds[h.Unit]; h.OK && unit && h.Step > 0 {
		header, known = math.Round(h.Step*scale*1e6)/1e6, true // a float32 of 1.52 is 1.5199999809
	}
	said := fmt.Sprintf("%s is %g %s", h.Name, h.Step, h.Unit)
	if h.Unit == "" {
		said = fmt.Sprintf("%s is %g without a unit", h.Name, h.Step)
	}
	if s.RepetitionTime == nil {
		switch {
		case !known:
			return 0, "", bad("no sidecar has RepetitionTime, and the header has no time between rows")
		case h.Name == timeStep && h.Step >= mostTR: // GIFTI has no units, and programs write milliseconds
			return h.Step / 1000, fmt.Sprintf("TR %g s: %s %g, in milliseconds", h.Step/1000, h.Name, h.Step), nil
		case header >= mostTR:
			return 0, "", bad("%s, which is %g s, and no sidecar has RepetitionTime", said, header)
		}
		return header, fmt.Sprintf("TR %g s: %s", header, said), nil
	}
	tr = *s.RepetitionTime
	from := s.From["RepetitionTime"]
	switch {
	case !(tr > 0):
		return 0, "", bad("RepetitionTime is %g in %s, want more than 0", tr, quote.OneLine(from))
	case tr >= mostTR && known:
		return 0, "", bad("RepetitionTime is %g s in %s, and %s", tr, quote.OneLine(from), said)
	case tr >= mostTR:
		return 0, "", bad("RepetitionTime is %g s in %s, which looks like milliseconds", tr, quote.OneLine(from))
	case known && h.Name == timeStep && math.Abs(h.Step/1000-tr) <= sameTR:
	case known && math.Abs(header-tr) > sameTR:
		return 0, "", bad("RepetitionTime is %g s in %s, but %s, which is %g s", tr, quote.OneLine(from), said, header)
	}
	how = fmt.Sprintf("TR %g s: RepetitionTime", tr)
	if known {
		how += ", and " + said
	}
	return tr, how, nil
}

// timeStep is the field of GIFTI, which has no unit.
const timeStep = "TimeStep"
