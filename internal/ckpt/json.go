package ckpt

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/brainwavlm/bwlm/internal/quote"
)

// maxSkipDepth bounds the nesting of a JSON value that is skipped.
const maxSkipDepth = 8

// jsonScanner reads the subset of JSON that headers and shard indexes consist of. encoding/json is
// too lenient for files of unknown origin: it keeps the last of two equal keys, ignores their case,
// replaces invalid UTF-8 and lone surrogates, and nests as deep as the input does.
type jsonScanner struct {
	data []byte
	pos  int
}

// newJSONScanner starts at the first byte of data, all of which must be UTF-8.
func newJSONScanner(data []byte) (*jsonScanner, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("JSON is not valid UTF-8")
	}
	return &jsonScanner{data: data}, nil
}

func (s *jsonScanner) fail(format string, args ...any) error {
	return fmt.Errorf("%s at byte %d of the JSON", fmt.Sprintf(format, args...), s.pos)
}

// peek skips white space and returns the next byte, 0 at the end.
func (s *jsonScanner) peek() byte {
	for ; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

func (s *jsonScanner) expect(want byte) error {
	if got := s.peek(); got != want {
		if s.pos == len(s.data) {
			return s.fail("end where %q should be", want)
		}
		return s.fail("%q where %q should be", got, want)
	}
	s.pos++
	return nil
}

// list reads open, items separated by commas, and end.
func (s *jsonScanner) list(open, end byte, item func() error) error {
	if err := s.expect(open); err != nil {
		return err
	}
	if s.peek() == end {
		s.pos++
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		if s.peek() != ',' {
			return s.expect(end)
		}
		s.pos++
	}
}

// array reads an array; item reads one element.
func (s *jsonScanner) array(item func() error) error { return s.list('[', ']', item) }

// object reads an object whose keys must differ; value reads the value of a key.
func (s *jsonScanner) object(value func(key string) error) error {
	seen := map[string]struct{}{}
	return s.list('{', '}', func() error {
		key, err := s.string()
		if err != nil {
			return err
		}
		if _, twice := seen[key]; twice {
			return s.fail("key %q occurs twice", quote.Short(key))
		}
		seen[key] = struct{}{}
		if err := s.expect(':'); err != nil {
			return err
		}
		return value(key)
	})
}

// uint reads a whole number that fits an int.
func (s *jsonScanner) uint() (int, error) {
	s.peek()
	start := s.pos
	for s.pos < len(s.data) && strings.IndexByte("0123456789+-.eE", s.data[s.pos]) >= 0 {
		s.pos++
	}
	text := string(s.data[start:s.pos])
	n, err := strconv.ParseUint(text, 10, strconv.IntSize-1)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, s.fail("number %s is too large", quote.Short(text))
	case err != nil || text[0] == '0' && len(text) > 1:
		return 0, s.fail("%q is not a whole number of 0 or more", quote.Short(text))
	}
	return int(n), nil
}

// string reads a string.
func (s *jsonScanner) string() (string, error) {
	if err := s.expect('"'); err != nil {
		return "", err
	}
	start := s.pos
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return string(s.data[start : s.pos-1]), nil
		case c == '\\':
			return s.escaped(start)
		case c < ' ':
			return "", s.fail("control character %q in a string", c)
		}
		s.pos++
	}
	return "", s.fail("unfinished string")
}

// escaped reads the rest of a string that began at start and has an escape at pos.
func (s *jsonScanner) escaped(start int) (string, error) {
	text := append([]byte(nil), s.data[start:s.pos]...)
	for s.pos < len(s.data) {
		c := s.data[s.pos]
		s.pos++
		switch {
		case c == '"':
			return string(text), nil
		case c == '\\':
			r, err := s.escape()
			if err != nil {
				return "", err
			}
			text = utf8.AppendRune(text, r)
		case c < ' ':
			return "", s.fail("control character %q in a string", c)
		default:
			text = append(text, c)
		}
	}
	return "", s.fail("unfinished string")
}

// escape reads the rest of an escape after the backslash.
func (s *jsonScanner) escape() (rune, error) {
	if s.pos == len(s.data) {
		return 0, s.fail("unfinished string")
	}
	c := s.data[s.pos]
	s.pos++
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
		return rune("\"\\/\b\f\n\r\t"[i]), nil
	}
	if c != 'u' {
		return 0, s.fail("unknown escape %q", `\`+string(rune(c)))
	}
	r, err := s.hex()
	if err != nil || !utf16.IsSurrogate(r) {
		return r, err
	}
	if !bytes.HasPrefix(s.data[s.pos:], []byte(`\u`)) {
		return 0, s.fail("half a surrogate pair")
	}
	s.pos += 2
	low, err := s.hex()
	if err != nil {
		return 0, err
	}
	// Nothing but a broken pair decodes to the replacement character: it is no surrogate itself.
	if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
		return 0, s.fail("half a surrogate pair")
	}
	return r, nil
}

func (s *jsonScanner) hex() (rune, error) {
	digits := string(s.data[s.pos:min(s.pos+4, len(s.data))])
	n, err := strconv.ParseUint(digits, 16, 16)
	if err != nil || len(digits) != 4 {
		return 0, s.fail("%q is not four hexadecimal digits", digits)
	}
	s.pos += 4
	return rune(n), nil
}

// skip skips one value of any kind.
func (s *jsonScanner) skip(depth int) error {
	if depth == maxSkipDepth {
		return s.fail("values nested more than %d deep", maxSkipDepth)
	}
	switch c := s.peek(); {
	case c == '{':
		return s.list('{', '}', func() error {
			if _, err := s.string(); err != nil {
				return err
			}
			if err := s.expect(':'); err != nil {
				return err
			}
			return s.skip(depth + 1)
		})
	case c == '[':
		return s.array(func() error { return s.skip(depth + 1) })
	case c == '"':
		_, err := s.string()
		return err
	}
	start := s.pos
	for s.pos < len(s.data) && strings.IndexByte(",]} \t\r\n", s.data[s.pos]) < 0 {
		s.pos++
	}
	word := string(s.data[start:s.pos])
	if word == "true" || word == "false" || word == "null" {
		return nil
	}
	if _, err := strconv.ParseFloat(word, 64); err != nil {
		return s.fail("%q is not a value", quote.Short(word))
	}
	return nil
}

// end refuses anything but spaces after the value.
func (s *jsonScanner) end() error {
	for ; s.pos < len(s.data); s.pos++ {
		if s.data[s.pos] != ' ' {
			return s.fail("%q after the end", s.data[s.pos])
		}
	}
	return nil
}
