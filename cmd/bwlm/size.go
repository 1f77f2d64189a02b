package main

import (
	"fmt"
	"math"
	"strconv"

	"github.com/brainwavlm/bwlm/brain/experiment"
)

// size is a flag for a number of bytes, such as 8GiB or 500MB.
type size int64

// Set reads a number and its unit.
func (s *size) Set(text string) error {
	n, err := experiment.ParseSize(text)
	*s = size(n)
	return err
}

// binaryUnits are the units in which sizes are written, the largest first.
var binaryUnits = []string{"TiB", "GiB", "MiB", "KiB"}

// in is the size in one of binaryUnits.
func (s size) in(unit int) float64 {
	return float64(s) / math.Pow(1024, float64(len(binaryUnits)-unit))
}

// String writes whole units as such.
func (s *size) String() string {
	for i, unit := range binaryUnits {
		if n := s.in(i); n >= 1 && n == math.Trunc(n) {
			return fmt.Sprintf("%.0f%s", n, unit)
		}
	}
	return strconv.FormatInt(int64(*s), 10)
}

// Type is how a complaint names the flag.
func (s *size) Type() string { return "size" }

// text returns a number of bytes in three digits with a unit.
func (s size) text() string {
	for i, unit := range binaryUnits {
		if n := s.in(i); n >= 1 {
			return fmt.Sprintf("%.3g %s", n, unit)
		}
	}
	return fmt.Sprintf("%d B", int64(s))
}
