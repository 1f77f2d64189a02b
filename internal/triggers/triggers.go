package triggers

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
)

const (
	reading  = "read report"
	maxBytes = 1 << 26

	longGap  = 1.5 // TRs
	mostAway = .1  // TRs by which a trigger may be away from the line
	leastTRs = 3
)

// Report is the clock of a run.
type Report struct {
	TR    float64 // seconds
	First float64 // the second of the recording at which row 0 begins
	Rows  int     // triggers, with those that were put in

	PutIn  []int   // rows whose triggers are missing
	Away   float64 // seconds by which a trigger is away from the line at most
	Length float64 // seconds from sound-start to sound-stop, NaN without sound-stop
}

// String tells how the clock was derived.
func (r Report) String() string {
	text := fmt.Sprintf("%d triggers, TR %.4f s, row 0 begins at %.4f s of the recording", r.Rows, r.TR, r.First)
	if len(r.PutIn) == 0 {
		return text
	}
	return fmt.Sprintf("%s; %d put in, the first as row %d", text, len(r.PutIn), r.PutIn[0])
}

// Read reads a report.
func Read(path string) (Report, error) {
	text, err := inputfile.Read(reading, path, maxBytes)
	if err != nil {
		return Report{}, err
	}
	return parse(string(text), path)
}

// lines are the times of a report.
type lines struct {
	triggers    []float64
	start, stop float64 // NaN: there is none
}

func parse(text, path string) (Report, error) {
	l, err := readLines(text, path)
	if err != nil {
		return Report{}, err
	}
	bad := func(why string, args ...any) error {
		return fault.New(fault.BadData, reading, quote.OneLine(path), why, args...)
	}
	switch {
	case math.IsNaN(l.start):
		return Report{}, bad("there is no sound-start, so nothing tells when the recording began")
	case len(l.triggers) < leastTRs:
		return Report{}, bad("there are %d triggers, want %d or more", len(l.triggers), leastTRs)
	case l.stop <= l.start:
		return Report{}, bad("sound-stop is at %.4f s, before sound-start at %.4f s", l.stop, l.start)
	}
	gaps := make([]float64, len(l.triggers)-1)
	for i := range gaps {
		gaps[i] = l.triggers[i+1] - l.triggers[i]
	}
	slices.Sort(gaps)
	typical := gaps[len(gaps)/2]
	if !(typical > 0) {
		return Report{}, bad("half of the triggers have the time of another")
	}
	rows, putIn, err := number(l.triggers, typical)
	if err != nil {
		return Report{}, bad("%s", err.Error())
	}
	first, tr := line(rows, l.triggers)
	r := Report{TR: tr, First: first - l.start, Rows: rows[len(rows)-1] + 1, PutIn: putIn, Length: l.stop - l.start}
	for i, t := range l.triggers {
		away := math.Abs(t - first - tr*float64(rows[i]))
		r.Away = math.Max(r.Away, away)
		if away > mostAway*tr {
			return r, bad("the trigger of row %d is %.3f s away from a TR of %.4f s", rows[i], away, tr).(*fault.Error).
				WithHint("find out whether the scanner was stopped or a trigger is of something else")
		}
	}
	return r, nil
}

// readLines reads times and labels. Times are made relative to the first, which keeps their digits.
func readLines(text, path string) (lines, error) {
	out := lines{start: math.NaN(), stop: math.NaN()}
	base, line := math.NaN(), 0
	for l := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		line++
		if l = strings.TrimSpace(l); l == "" {
			continue
		}
		bad := func(why string, args ...any) error {
			return fault.New(fault.BadData, reading, fmt.Sprintf("%s:%d", quote.OneLine(path), line), why, args...)
		}
		at, label, _ := strings.Cut(strings.ReplaceAll(l, "\t", " "), " ")
		t, err := strconv.ParseFloat(at, 64)
		if err != nil || math.IsNaN(t) || math.Abs(t) > 1e12 {
			return out, bad("%q is no time in seconds", quote.Short(at))
		}
		if math.IsNaN(base) {
			base = t
		}
		t -= base
		switch strings.TrimSpace(label) {
		case "init-trigger", "trigger":
			if n := len(out.triggers); n > 0 && t < out.triggers[n-1] {
				return out, bad("the trigger is earlier than the one before")
			}
			out.triggers = append(out.triggers, t)
		case "sound-start":
			if !math.IsNaN(out.start) {
				return out, bad("there are two of sound-start")
			}
			out.start = t
		case "sound-stop":
			if !math.IsNaN(out.stop) {
				return out, bad("there are two of sound-stop")
			}
			out.stop = t
		}
	}
	return out, nil
}

// number gives each trigger its row, and lists the rows between that have none.
func number(triggers []float64, tr float64) (rows, putIn []int, err error) {
	rows = make([]int, len(triggers))
	for i := 1; i < len(triggers); i++ {
		steps := 1
		if gap := (triggers[i] - triggers[i-1]) / tr; gap > longGap {
			if gap > float64(len(triggers)) {
				return nil, nil, fmt.Errorf("%.0f TRs lie between the triggers of rows %d and %d", gap, rows[i-1],
					rows[i-1]+1)
			}
			steps = int(math.Round(gap))
		}
		rows[i] = rows[i-1] + steps
		for row := rows[i-1] + 1; row < rows[i]; row++ {
			putIn = append(putIn, row)
		}
		if len(putIn) > len(triggers) {
			return nil, nil, fmt.Errorf("more triggers are missing than the %d that there are", len(triggers))
		}
	}
	return rows, putIn, nil
}

// line fits first + row · tr by least squares.
func line(rows []int, t []float64) (first, tr float64) {
	var meanRow, meanT float64
	for i := range t {
		meanRow += float64(rows[i])
		meanT += t[i]
	}
	meanRow /= float64(len(t))
	meanT /= float64(len(t))
	var xy, xx float64
	for i := range t {
		d := float64(rows[i]) - meanRow
		xy += d * (t[i] - meanT)
		xx += d * d
	}
	tr = xy / xx
	return meanT - tr*meanRow, tr
}
