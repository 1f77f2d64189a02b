package wordtable

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/mat"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/stored"
)

// Variables of a MATLAB file of words.
const (
	startName = "start"
	endName   = "end"
	wordName  = "word"
)

// ReadMAT reads the words of a MATLAB file: its variables start and end, in seconds of a clock on which the recording
// begins at a second, and word. Marks without a letter or digit are left out.
func ReadMAT(path string, begin float64) ([]Word, error) {
	file, err := mat.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	texts, err := file.Text(wordName)
	if err != nil {
		return nil, err
	}
	fail := func(why string, args ...any) error {
		return fault.New(fault.BadData, reading, quote.OneLine(path), why, args...)
	}
	times := map[string][]float64{}
	for _, name := range []string{startName, endName} {
		r, err := file.Reader(name)
		if err != nil {
			return nil, err
		}
		if n := r.Repeats * r.Rows * r.Columns; n != len(texts) {
			return nil, fail("%s has %d times, there are %d words", name, n, len(texts))
		}
		times[name] = make([]float64, len(texts))
		if err := stored.ReadRows(r, 0, 0, r.Rows, times[name]); err != nil {
			return nil, err
		}
	}
	var out []Word
	for i, text := range texts {
		w := Word{Onset: times[startName][i] - begin, Offset: times[endName][i] - begin, Text: strings.TrimSpace(text)}
		if !strings.ContainsFunc(w.Text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
			continue
		}
		where := fmt.Sprintf("word %d, %q", i, quote.Short(w.Text))
		switch {
		case !(w.Onset >= 0) || !(w.Offset < 1e9):
			return nil, fail("%s from %g to %g s: the recording begins at %g s", where, times[startName][i],
				times[endName][i], begin)
		case w.Offset < w.Onset:
			return nil, fail("%s ends at %g s, before it begins at %g s", where, times[endName][i], times[startName][i])
		}
		out = append(out, w)
	}
	if len(out) == 0 {
		return nil, fail("there are no words")
	}
	return out, nil
}
