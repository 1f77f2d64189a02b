package dataset

import (
	"bytes"
	"cmp"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/sniff"
	"github.com/brainwavlm/bwlm/internal/textgrid"
)

// Word is one spoken word.
type Word struct {
	Onset, Offset float64 // seconds of the story's audio
	Text          string
}

// ReadWords reads the file of a table of words, as the key words of a story names it.
func ReadWords(path string) ([]Word, error) {
	text, err := readFile(path, "text", sniff.UTF16)
	if err != nil {
		return nil, err
	}
	return readWords(bytes.NewReader(text), path)
}

// readWords reads a table of words: tab-separated text whose first line names the columns, among
// them onset, offset and word. Words are returned in the order of their onsets; they may overlap,
// as two speakers do. A time that is missing, not finite, negative, or before its onset is an error
// with the number of the line. Of a Praat TextGrid the tier "word" or "words" is read, else the second one, in lower
// case and without what stands for pauses and noises. Name is the file, for errors.
func readWords(r io.Reader, name string) ([]Word, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fault.Wrap(fault.IO, "read words", name, err)
	}
	if !textgrid.Is(text) {
		return readSpans(bytes.NewReader(text), name, "word")
	}
	grid, err := textgrid.Parse(text, name)
	if err != nil {
		return nil, err
	}
	tier, ok := grid.Words()
	if !ok {
		return nil, fault.New(fault.BadData, "read words", name, "there is no interval tier named word or words").
			WithHint("name the tier of the words so in Praat")
	}
	return spans(tier.Spoken()), nil
}

// readSpans is readWords for a unit of speech, which is the name of its column.
func readSpans(r io.Reader, name, unit string) ([]Word, error) {
	what := "read " + unit + "s"
	fail := func(line int, why string, args ...any) *fault.Error {
		return fault.New(fault.BadData, what, name+":"+strconv.Itoa(line), why, args...)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fault.Wrap(fault.IO, what, name, err)
	}
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		return nil, fail(1, "is UTF-16 text, want UTF-8")
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	var columns []string
	var words []Word
	line := 0
	for l := range strings.Lines(string(text)) {
		line++
		l = strings.TrimRight(l, "\r\n")
		if strings.TrimSpace(l) == "" {
			continue
		}
		fields := strings.Split(l, "\t")
		if columns == nil {
			columns = fields
			for _, want := range []string{"onset", "offset", unit} {
				if !slices.Contains(columns, want) {
					return nil, fail(line, "there is no column %q in %q", want, l).
						WithHint("begin with a line onset, offset, %s, separated by tabs", unit)
				}
			}
			continue
		}
		if len(fields) != len(columns) {
			return nil, fail(line, "%d columns, want %d", len(fields), len(columns))
		}
		field := func(column string) string { return fields[slices.Index(columns, column)] }
		seconds := func(column string) (float64, bool) {
			t, err := strconv.ParseFloat(strings.TrimSpace(field(column)), 64)
			return t, err == nil && t >= 0 && !math.IsInf(t, 0)
		}
		onset, okOn := seconds("onset")
		offset, okOff := seconds("offset")
		switch {
		case !okOn:
			return nil, fail(line, "onset %q is not a time", field("onset"))
		case !okOff:
			return nil, fail(line, "offset %q is not a time", field("offset"))
		case offset < onset:
			return nil, fail(line, "%s %q ends at %g s, before it begins at %g s", unit, field(unit), offset, onset)
		}
		words = append(words, Word{Onset: onset, Offset: offset, Text: field(unit)})
	}
	if columns == nil {
		return nil, fail(1, "the file is empty")
	}
	slices.SortStableFunc(words, func(a, b Word) int { return cmp.Compare(a.Onset, b.Onset) })
	return words, nil
}
