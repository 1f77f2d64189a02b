package outlines

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/internal/quote"
)

// scanner reads numbers of SVG, which need no separator where none is needed: "1-2.5.5" is 1, -2.5 and .5. text is
// what is left; err is the first error, after which numbers are 0.
type scanner struct {
	text string
	err  error
}

// space skips white space, and one comma in it.
func (s *scanner) space() {
	trimmed := strings.TrimLeft(s.text, " \t\r\n\f")
	if rest, ok := strings.CutPrefix(trimmed, ","); ok {
		trimmed = strings.TrimLeft(rest, " \t\r\n\f")
	}
	s.text = trimmed
}

// atNumber reports whether a number comes next.
func (s *scanner) atNumber() bool {
	s.space()
	return s.text != "" && strings.IndexByte("+-.0123456789", s.text[0]) >= 0
}

// number reads a number.
func (s *scanner) number() float64 {
	s.space()
	n := numberLength(s.text)
	if s.err != nil {
		return 0
	}
	if n == 0 {
		s.err = fmt.Errorf("want a number before %q", quote.Short(s.text))
		if s.text == "" {
			s.err = errors.New("a number is missing at the end")
		}
		return 0
	}
	x, err := strconv.ParseFloat(s.text[:n], 64)
	if err != nil {
		s.err = fmt.Errorf("%q is not a number that can be read", quote.Short(s.text[:n]))
		return 0
	}
	s.text = s.text[n:]
	return x
}

// flag reads a 0 or 1, which needs no separator behind it.
func (s *scanner) flag() bool {
	s.space()
	if s.err == nil && (s.text == "" || s.text[0] != '0' && s.text[0] != '1') {
		s.err = errors.New("a flag of an arc is not 0 or 1")
	}
	if s.err != nil {
		return false
	}
	set := s.text[0] == '1'
	s.text = s.text[1:]
	return set
}

// numberLength is the number of bytes of the number that a text begins with, 0 if it begins with none.
func numberLength(text string) int {
	digits := func(from int) int {
		to := from
		for to < len(text) && text[to] >= '0' && text[to] <= '9' {
			to++
		}
		return to
	}
	sign := func(at int) int {
		if at < len(text) && (text[at] == '+' || text[at] == '-') {
			return at + 1
		}
		return at
	}
	start := sign(0)
	end := digits(start)
	some := end > start
	if end < len(text) && text[end] == '.' {
		fraction := digits(end + 1)
		some = some || fraction > end+1
		end = fraction
	}
	if !some {
		return 0
	}
	if end < len(text) && (text[end] == 'e' || text[end] == 'E') {
		from := sign(end + 1)
		if to := digits(from); to > from {
			end = to
		}
	}
	return end
}
