package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// size is a flag for a number of bytes, such as 8GiB or 500MB.
type size int64

// units are what may follow a number, longest first.
var units = []struct {
	name  string
	bytes float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
	{"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {"T", 1 << 40}, {"B", 1}, {"", 1},
}

// Set reads a number and its unit.
func (s *size) Set(text string) error {
	for _, u := range units {
		number, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		x, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || !(x >= 0 && x*u.bytes < math.MaxInt64) {
			break
		}
		*s = size(x * u.bytes)
		return nil
	}
	return fmt.Errorf("%q is no size; write 8GiB or 500MB", text)
}

// String writes whole GiB and MiB as such.
func (s *size) String() string {
	for _, u := range []int{3, 2, 1, 0} {
		unit := units[[]int{0, 1, 2, 3}[u]]
		if n := float64(*s) / unit.bytes; n >= 1 && n == math.Trunc(n) {
			return fmt.Sprintf("%.0f%s", n, unit.name)
		}
	}
	return strconv.FormatInt(int64(*s), 10)
}

// Type is how a complaint names the flag.
func (s *size) Type() string { return "size" }

// text writes a number of bytes for people, in three digits.
func (s size) text() string {
	for _, u := range []int{3, 2, 1, 0} {
		if n := float64(s) / units[u].bytes; n >= 1 {
			return fmt.Sprintf("%.3g %s", n, units[u].name)
		}
	}
	return fmt.Sprintf("%d B", int64(s))
}
