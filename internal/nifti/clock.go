package nifti

import (
	"fmt"
	"math"
)

// Clock is what a header says about the time of volumes.
type Clock struct {
	Step  float64 // pixdim[4], in Unit
	Start float64 // toffset, in Unit
	Unit  string  // sec, msec or usec; "" if the header has none; else its number, which is no unit of time
}

// Seconds of a unit of time. A header without a unit is read in seconds, as nibabel and nilearn do.
var secondsOf = map[string]float64{"": 1, "sec": 1, "msec": 1e-3, "usec": 1e-6}

// TR is the time from one volume to the next in seconds. It is false if the header has none: a step that is not above
// 0, or one in another unit than of time.
func (c Clock) TR() (seconds float64, ok bool) {
	scale, known := secondsOf[c.Unit]
	if !known || !(c.Step > 0) || math.IsInf(c.Step, 0) {
		return 0, false
	}
	return c.Step * scale, true
}

// clock reads the fields of time.
func (f fields) clock() Clock {
	c := Clock{Step: f.real(76, 104, 4)}
	var units int
	if f.v == 1 {
		c.Start, units = f.f32(136), int(f.b[123])
	} else {
		c.Start, units = f.f64(216), f.i32(500)
	}
	switch units &= 0x38; units {
	case 0:
	case 8:
		c.Unit = "sec"
	case 16:
		c.Unit = "msec"
	case 24:
		c.Unit = "usec"
	default:
		c.Unit = fmt.Sprintf("unit %d", units)
	}
	return c
}
