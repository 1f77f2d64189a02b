package bidsdata

import (
	"fmt"
	"strconv"
	"strings"
)

// Pipeline is the program that made a derived data set.
type Pipeline struct{ Name, Version string }

// rowClock is when a row was acquired: Start seconds after the first slice of its volume, and RowTime of a TR later.
type rowClock struct {
	Start, RowTime float64
	How            string
	Notes          []string
}

// whenRows tells what instant a row stands for. Raw are the sidecars of the raw file. IgnoredSlices tells that the
// pipeline was run without correcting slices, as its log says.
func whenRows(tr float64, s, raw Sidecar, p Pipeline, ignoredSlices bool) rowClock {
	corrected := s.SliceTimingCorrected != nil && *s.SliceTimingCorrected
	switch {
	case corrected && s.StartTime != nil:
		return rowClock{Start: *s.StartTime, How: fmt.Sprintf("slices corrected to StartTime %g s", *s.StartTime)}
	case corrected && s.DelayTime != nil && tr > 0 && *s.DelayTime > 0 && *s.DelayTime < tr:
		return rowClock{RowTime: (1 - *s.DelayTime/tr) / 2,
			How: fmt.Sprintf("slices corrected, taken to the middle of the "+
				"acquisition, which leaves out a DelayTime of %g s", *s.DelayTime),
			Notes: []string{"slices were corrected and no sidecar has StartTime: rows are taken to stand for the " +
				"middle of the acquisition"}}
	case corrected:
		return rowClock{RowTime: .5, How: "slices corrected, taken to the middle of the TR",
			Notes: []string{"slices were corrected and no sidecar has StartTime: rows are taken to stand for the " +
				"middle of a TR"}}
	case s.SliceTimingCorrected == nil && strings.EqualFold(p.Name, "fmriprep") && p.before(20, 2, 4) &&
		raw.SliceTiming &&
		!ignoredSlices:
		return rowClock{RowTime: .5, How: fmt.Sprintf("fMRIPrep %s corrected slices to the middle of the TR",
			p.Version),
			Notes: []string{fmt.Sprintf("fMRIPrep %s, before 20.2.4, corrects slices to the middle of the TR and "+
				"writes no "+
				"StartTime: rows stand for the middle of a TR", p.Version)}}
	}
	c := rowClock{RowTime: .5, How: "slices not corrected, rows stand for the middle of the TR"}
	if s.StartTime != nil && *s.StartTime != 0 {
		c.Notes = append(c.Notes, fmt.Sprintf("StartTime %g s is left out of account: slices were not corrected",
			*s.StartTime))
	}
	return c
}

// before reports whether the version is older than another. One that is no version is not.
func (p Pipeline) before(want ...int) bool {
	parts := strings.Split(p.Version, ".")
	for i, w := range want {
		if i >= len(parts) {
			return i > 0
		}
		digits := strings.TrimLeft(parts[i], "v")
		end := 0
		for end < len(digits) && digits[end] >= '0' && digits[end] <= '9' {
			end++
		}
		have, err := strconv.Atoi(digits[:end])
		switch {
		case err != nil:
			return false
		case have != w:
			return have < w
		case end < len(digits): // a release candidate of this version
			return true
		}
	}
	return false
}
