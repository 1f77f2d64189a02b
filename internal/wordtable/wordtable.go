package wordtable

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
)

const (
	reading  = "read words"
	maxBytes = 1 << 26
)

// Word is a spoken word.
type Word struct {
	Onset, Offset float64 // seconds of the recording
	Text          string
}

// Read reads a table. Words that the aligner did not find, which have no times, are left out and counted. A time that
// is no number, negative, or before its onset is an error with the number of the line.
func Read(path string) (words []Word, unaligned int, err error) {
	text, err := inputfile.Read(reading, path, maxBytes)
	if err != nil {
		return nil, 0, err
	}
	return parse(text, path, "", 0)
}

// ReadPart reads those lines of a table that have a number in a column, such as the words of a section of a book. Lines
// without a word are left out.
func ReadPart(path, column string, number float64) ([]Word, error) {
	text, err := inputfile.Read(reading, path, maxBytes)
	if err != nil {
		return nil, err
	}
	words, _, err := parse(text, path, column, number)
	if err == nil && len(words) == 0 {
		err = fault.New(fault.BadData, reading, quote.OneLine(path), "no line has %s %g", column, number)
	}
	return words, err
}

// parse reads a table, or those of its lines that have a number in a column.
func parse(text []byte, path, part string, number float64) (words []Word, unaligned int, err error) {
	fail := func(line int, why string, args ...any) error {
		return fault.New(fault.BadData, reading, fmt.Sprintf("%s:%d", quote.OneLine(path), line), why, args...)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	table := csv.NewReader(bytes.NewReader(text))
	first, _, _ := bytes.Cut(text, []byte("\n"))
	if bytes.ContainsRune(first, '\t') {
		table.Comma = '\t'
	}
	table.ReuseRecord, table.LazyQuotes = true, table.Comma == '\t'
	var c columns
	for started := false; ; started = true {
		fields, err := table.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if wrong := (*csv.ParseError)(nil); errors.As(err, &wrong) {
			return nil, 0, fail(wrong.Line, "%s", wrong.Err.Error())
		}
		line, _ := table.FieldPos(0)
		if !started {
			var named bool
			if c, named, err = columnsOf(fields); err != nil {
				return nil, 0, fail(line, "%s", err.Error())
			}
			if c.part = slices.Index(fields, part); part != "" && (c.part < 0 || !named) {
				return nil, 0, fail(line, "there is no column %s", part)
			}
			if named {
				continue
			}
		}
		if part != "" {
			n, err := strconv.ParseFloat(strings.TrimSpace(fields[c.part]), 64)
			if err != nil || n != number || strings.TrimSpace(fields[c.word]) == "" {
				continue
			}
		}
		if c.gentle && fields[c.onset] == "" && fields[c.offset] == "" {
			unaligned++
			continue
		}
		onset, okOn := seconds(fields[c.onset])
		offset, okOff := seconds(fields[c.offset])
		word := strings.Clone(fields[c.word])
		switch {
		case !okOn:
			return nil, 0, fail(line, "onset %q is not a time", quote.Short(fields[c.onset]))
		case !okOff:
			return nil, 0, fail(line, "offset %q is not a time", quote.Short(fields[c.offset]))
		case offset < onset:
			return nil, 0, fail(line, "word %q ends at %g s, before it begins at %g s", quote.Short(word),
				offset, onset)
		}
		words = append(words, Word{onset, offset, word})
	}
	if c == (columns{}) {
		return nil, 0, fail(1, "the file is empty")
	}
	return words, unaligned, nil
}

// columns are the places of what is read.
type columns struct {
	onset, offset, word int
	part                int // of which some lines are read
	gentle              bool
}

// columnsOf finds the columns by their names; named is false if the first line has a word already.
func columnsOf(fields []string) (c columns, named bool, err error) {
	c = columns{onset: slices.Index(fields, "onset"), offset: slices.Index(fields, "offset"),
		word: slices.Index(fields, "word")}
	if c.onset >= 0 && c.offset >= 0 && c.word >= 0 {
		return c, true, nil
	}
	if len(fields) == 4 {
		_, on := seconds(fields[2])
		_, off := seconds(fields[3])
		if on && off || fields[2] == "" && fields[3] == "" {
			return columns{onset: 2, offset: 3, word: 0, gentle: true}, false, nil
		}
	}
	return c, false, fmt.Errorf("the columns are %q, want onset, offset and word, or the four of Gentle",
		quote.Short(strings.Join(fields, " ")))
}

func seconds(text string) (float64, bool) {
	t, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return t, err == nil && t >= 0 && !math.IsInf(t, 0)
}
