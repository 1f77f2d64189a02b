package dataset

import (
	"bytes"
	"io"
	"math"
	"strconv"
	"unicode"

	"github.com/brainwavlm/bwlm/fault"
)

// readText reads a matrix of whitespace-separated numbers, one TR per line, as numpy.savetxt writes
// it. Lines that are empty or begin with # are skipped. NaN and the infinities are read as they
// are. Name is the file, for errors.
func readText(r io.Reader, name string) (*Matrix, error) {
	fail := func(line int, why string, args ...any) *fault.Error {
		return fault.New(fault.BadData, "read matrix", name+":"+strconv.Itoa(line), why, args...)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fault.Wrap(fault.IO, "read matrix", name, err)
	}
	m := &Matrix{Repeats: 1}
	line := 0
	for l := range bytes.Lines(bytes.TrimPrefix(text, []byte("\ufeff"))) {
		line++
		if l = bytes.TrimSpace(l); len(l) == 0 || l[0] == '#' {
			continue
		}
		before := len(m.Data)
		for field := range bytes.FieldsSeq(l) {
			v, err := strconv.ParseFloat(string(field), 64)
			if err != nil {
				e := fail(line, "column %d: %s is not a number", len(m.Data)-before, quoted(field))
				switch {
				case isHeading(l):
					e = fail(line, "%s is a heading, want numbers alone", quoted(l)).
						WithHint("remove it, or begin it with #; numbers are separated by spaces")
				case bytes.ContainsAny(field, ",;"):
					e.WithHint("separate the numbers by spaces, or save the matrix as .npy")
				}
				return nil, e
			}
			if math.Abs(v) > math.MaxFloat32 && !math.IsInf(v, 0) {
				return nil, fail(line, "column %d: %s does not fit 32 bits", len(m.Data)-before, quoted(field))
			}
			m.Data = append(m.Data, float32(v))
		}
		n := len(m.Data) - before
		if m.Rows == 0 {
			m.Voxels = n
		}
		if n != m.Voxels {
			return nil, fail(line, "%d numbers, the lines before have %d", n, m.Voxels)
		}
		m.Rows++
	}
	if m.Rows == 0 {
		return nil, fail(1, "there are no numbers")
	}
	return m, nil
}

// quoted returns the start of a text of unknown length and kind, quoted.
func quoted(text []byte) string {
	const shown = 40
	if len(text) > shown {
		return strconv.Quote(string(text[:shown])) + "…"
	}
	return strconv.Quote(string(text))
}

// isHeading reports whether a line names columns: none of its fields is a number.
func isHeading(line []byte) bool {
	apart := func(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == ';' }
	for field := range bytes.FieldsFuncSeq(line, apart) {
		if _, err := strconv.ParseFloat(string(field), 64); err == nil {
			return false
		}
	}
	return true
}
