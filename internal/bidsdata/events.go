package bidsdata

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// Event is a line of events.tsv.
type Event struct {
	Onset    float64 // seconds after the first stored volume
	Duration float64 // seconds; NaN if it is n/a
	Type     string  // trial_type, "" if there is none
	Stim     string  // stim_file, "" if there is none
	Line     int
}

const (
	maxEvents     = 1 << 26 // bytes of a table
	readingEvents = "read events"
)

// readEvents reads a table: tab-separated text, whose first line names the columns in any order, among them onset. A
// byte order mark, ends of lines of Windows and n/a are read.
func readEvents(path string) ([]Event, error) {
	text, err := inputfile.Read(readingEvents, path, maxEvents)
	if err != nil {
		return nil, err
	}
	return parseEvents(text, path)
}

func parseEvents(text []byte, path string) ([]Event, error) {
	fail := func(line int, why string, args ...any) error {
		return fault.New(fault.BadData, readingEvents, fmt.Sprintf("%s:%d", quote.OneLine(path), line), why, args...)
	}
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		return nil, fail(1, "the text is UTF-16, want UTF-8")
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	var columns map[string]int
	var events []Event
	count, line := 0, 0
	for l := range strings.Lines(string(text)) {
		line++
		if l = strings.TrimRight(l, "\r\n"); strings.TrimSpace(l) == "" {
			continue
		}
		fields := strings.Split(l, "\t")
		if columns == nil {
			columns, count = map[string]int{}, len(fields)
			for i, name := range fields {
				columns[strings.TrimSpace(name)] = i
			}
			if _, ok := columns["onset"]; !ok {
				return nil, fail(line, "there is no column onset in %q", quote.Short(l))
			}
			continue
		}
		if len(fields) != count {
			return nil, fail(line, "%d columns, want %d", len(fields), count)
		}
		field := func(column string) string {
			i, ok := columns[column]
			if !ok {
				return ""
			}
			if text := strings.TrimSpace(fields[i]); !missing(text) {
				return text
			}
			return ""
		}
		e := Event{Duration: math.NaN(), Type: field("trial_type"), Stim: field("stim_file"), Line: line}
		for column, out := range map[string]*float64{"onset": &e.Onset, "duration": &e.Duration} {
			text := field(column)
			if text == "" && column == "duration" {
				continue
			}
			v, err := strconv.ParseFloat(text, 64)
			if err != nil || math.IsNaN(v) || math.IsInf(v, 0) || column == "duration" && v < 0 {
				return nil, fail(line, "%s %q is no number of seconds", column, quote.Short(text))
			}
			*out = v
		}
		events = append(events, e)
	}
	if columns == nil {
		return nil, fail(1, "the file is empty")
	}
	return events, nil
}

// missing reports whether a field has no value. NaN and an empty field occur where BIDS wants n/a.
func missing(text string) bool {
	return text == "" || strings.EqualFold(text, "n/a") || strings.EqualFold(text, "nan")
}
