package dataset

import (
	"bytes"
	"io"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/textgrid"
)

// readPhones reads phones with their times: a table as for readWords, with a column phone instead of word, or the
// interval tier "phone" or "phones" of a Praat TextGrid. Intervals without a label are left out. Name is the file, for
// errors.
func readPhones(r io.Reader, name string) ([]Word, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fault.Wrap(fault.IO, "read phones", name, err)
	}
	if !textgrid.Is(text) {
		return readSpans(bytes.NewReader(text), name, "phone")
	}
	grid, err := textgrid.Parse(text, name)
	if err != nil {
		return nil, err
	}
	tier, ok := grid.Phones()
	if !ok {
		return nil, fault.New(fault.BadData, "read phones", name, "there is no interval tier named phones or phone").
			WithHint("name the tier of the phones so in Praat")
	}
	return spans(tier.Intervals), nil
}

// spans are the intervals that have a label.
func spans(intervals []textgrid.Interval) (out []Word) {
	for _, i := range intervals {
		if label := strings.TrimSpace(i.Label); label != "" {
			out = append(out, Word{Onset: i.Start, Offset: i.End, Text: label})
		}
	}
	return out
}
