package dataset

import (
	"bytes"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
)

// readPhones reads phones with their times: a table as for readWords, with a column phone instead
// of word, or the interval tier "phones" or "phone" of a Praat TextGrid in the long text form.
// Intervals without a label are left out. Name is the file, for errors.
func readPhones(r io.Reader, name string) ([]Word, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fault.Wrap(fault.IO, "read phones", name, err)
	}
	if !strings.Contains(string(text[:min(len(text), 256)]), "ooTextFile") {
		return readSpans(bytes.NewReader(text), name, "phone")
	}
	return readTextGrid(string(text), name, "phones", "phone")
}

// readTextGrid reads the first interval tier with one of the given names from a TextGrid in the
// long form, in which each line is "key = value" and each interval has xmin, xmax and text.
func readTextGrid(text, name string, tiers ...string) ([]Word, error) {
	var spans []Word
	var from, to float64
	var bad error
	inside, found, class := false, false, ""
	line := 0
	for l := range strings.Lines(text) {
		line++
		key, value, ok := strings.Cut(strings.TrimSpace(l), "=")
		if !ok {
			continue
		}
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		seconds := func() float64 {
			t, err := strconv.ParseFloat(value, 64)
			if err != nil || !(t >= 0) {
				bad = fault.New(fault.BadData, "read phones", name+":"+strconv.Itoa(line), "%s %q is not a time", key,
					value)
			}
			return t
		}
		label := strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(value, `"`), `"`), `""`, `"`)
		switch {
		case key == "class":
			class = label
		case key == "name":
			inside = !found && class == "IntervalTier" && slices.Contains(tiers, label)
			found = found || inside
		case !inside:
		case key == "xmin":
			from = seconds()
		case key == "xmax":
			to = seconds()
		case key == "text" && strings.TrimSpace(label) != "":
			if to < from {
				bad = fault.New(fault.BadData, "read phones", name+":"+strconv.Itoa(line),
					"%q ends at %g s, before it begins at %g s", label, to, from)
			}
			spans = append(spans, Word{Onset: from, Offset: to, Text: strings.TrimSpace(label)})
		}
		if bad != nil {
			return nil, bad
		}
	}
	if !found {
		return nil, fault.New(fault.BadData, "read phones", name, "there is no interval tier named %s",
			strings.Join(tiers, " or ")).
			WithHint("save the TextGrid in the long text form, with the phones in a tier of that name")
	}
	return spans, nil
}
