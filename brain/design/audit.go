package design

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/brainwavlm/bwlm/fault"
)

// AuditStory is what the leak audit needs to know of a story.
type AuditStory struct {
	Name   string
	Clock  Clock
	SameAs string // the story of which this one is a piece; "" if it is a stimulus of its own
	Row    int    // the row of SameAs that is this story's row 0

	SameAudio bool // instead of Row: the audio is that of SameAs, second for second
}

// Use is a range of rows that one split takes from one subject.
type Use struct {
	Split, Subject string
	Rows
}

// SplitRows is a range of rows that one split takes, of whatever subjects, with its stimulus
// window.
type SplitRows struct {
	Split string
	Rows
	Subjects []string
	Stimulus string   // the story whose audio clock Window is in
	Window   Interval // seconds of Stimulus on which the rows depend
	Audio    Interval // Window in seconds of the story's own audio
}

// String returns the split and its rows: "train alice[10:200]".
func (s SplitRows) String() string { return s.Split + " " + s.Rows.String() }

// Leak is stimulus that rows of two splits both depend on.
type Leak struct {
	A, B   SplitRows
	Shared Interval // seconds of the stimulus
}

// String names both ranges of rows and the length of the stimulus that they share.
func (l Leak) String() string {
	return fmt.Sprintf("%s <-> %s  share %.1f s of %s", l.A, l.B, l.seconds(), l.A.Stimulus)
}

// seconds returns the length of the shared stimulus.
func (l Leak) seconds() float64 { return l.Shared.To - l.Shared.From }

// Report is the outcome of a leak audit.
type Report struct {
	Rows     []SplitRows
	Leaks    []Leak
	Copies   []Copy // audio that stories of different splits share by its sound, the longest first
	Compared int    // stories whose audio was compared, by [Report.CompareAudio]
	Pending  bool   // audio is still to be compared
	OfClips  bool   // what was compared are clips, each a stimulus of its own
}

// Audit finds each two ranges of rows of different splits that depend on the same stimulus.
// Subjects do not matter: an adapter that was tuned on one subject's response to a sentence was
// fitted to that sentence, whoever is tested on it. Stories that are pieces of one another (SameAs)
// are compared in the time of the story that they come from.
func Audit(w StimulusWindow, stories []AuditStory, uses []Use) (*Report, error) {
	report := &Report{}
	for _, u := range uses {
		if u.To <= u.From {
			return nil, fault.New(fault.BadData, "leak audit", u.Split+" "+u.Story, "rows %d to %d are none", u.From,
				u.To)
		}
		i := slices.IndexFunc(report.Rows, func(s SplitRows) bool { return s.Split == u.Split && s.Rows == u.Rows })
		if i < 0 {
			story, stimulus, shift, err := origin(stories, u.Story)
			if err != nil {
				return nil, err
			}
			window := w.rows(story.Clock, u.From, u.To)
			report.Rows = append(report.Rows, SplitRows{
				Split: u.Split, Rows: u.Rows, Stimulus: stimulus,
				Window: Interval{window.From + shift, window.To + shift}, Audio: window,
			})
			i = len(report.Rows) - 1
		}
		if !slices.Contains(report.Rows[i].Subjects, u.Subject) {
			report.Rows[i].Subjects = append(report.Rows[i].Subjects, u.Subject)
		}
	}
	for i, a := range report.Rows {
		for _, b := range report.Rows[i+1:] {
			if a.Split == b.Split || a.Stimulus != b.Stimulus || a.Window.overlap(b.Window) == 0 {
				continue
			}
			shared := Interval{max(a.Window.From, b.Window.From), min(a.Window.To, b.Window.To)}
			report.Leaks = append(report.Leaks, Leak{A: a, B: b, Shared: shared})
		}
	}
	return report, nil
}

// origin follows SameAs to the stimulus that a story comes from. It returns the seconds to add to a
// time of the story's audio to get a time of the stimulus.
func origin(stories []AuditStory, name string) (story AuditStory, stimulus string, shift float64, err error) {
	find := func(name string) (AuditStory, error) {
		if i := slices.IndexFunc(stories, func(s AuditStory) bool { return s.Name == name }); i >= 0 {
			return stories[i], nil
		}
		return AuditStory{}, fault.New(fault.BadData, "leak audit", name, "there is no such story")
	}
	if story, err = find(name); err != nil {
		return AuditStory{}, "", 0, err
	}
	at := story
	for range len(stories) {
		if at.SameAs == "" {
			return story, at.Name, shift, nil
		}
		whole, err := find(at.SameAs)
		if err != nil {
			return AuditStory{}, "", 0, err
		}
		if !at.SameAudio {
			// One volume has two clocks: row 0 of this story is row at.Row of the whole.
			shift += whole.Clock.Time(at.Row) - at.Clock.Time(0)
		}
		at = whole
	}
	return AuditStory{}, "", 0, fault.New(fault.BadData, "leak audit", name, "same_as goes round in a circle")
}

// Err returns nil without leaks and copies that are refused, else an error of kind BadData that names the longest
// one.
func (r *Report) Err() error {
	if len(r.Leaks) == 0 {
		return r.copyErr()
	}
	worst := slices.MaxFunc(r.Leaks, func(a, b Leak) int {
		switch {
		case a.seconds() < b.seconds():
			return -1
		case a.seconds() > b.seconds():
			return 1
		}
		return 0
	})
	why := "%s and %s depend on the same %.1f s of %s"
	if more := len(r.Leaks) - 1; more > 0 {
		why += fmt.Sprintf(", and %d more such pairs", more)
	}
	return fault.New(fault.BadData, "leak audit", "data", why, worst.A, worst.B, worst.seconds(), worst.A.Stimulus).
		WithHint("leave more rows between the splits (data.allow_leak: true trains anyway, and all results are marked)")
}

// String returns the table that is printed with a run: the stimulus window of the rows of each
// split, then each leak.
func (r *Report) String() string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "split\tstory\trows\tsubjects\tstimulus window")
	for _, s := range r.Rows {
		fmt.Fprintf(table, "%s\t%s\t%d:%d\t%d\t%s %.1f to %.1f s\n",
			s.Split, s.Story, s.From, s.To, len(s.Subjects), s.Stimulus, s.Window.From, s.Window.To)
	}
	table.Flush()
	return text.String() + r.Findings()
}

// Findings returns what stands below the table: each leak, or that there is none, and what audio is shared.
func (r *Report) Findings() string {
	var text strings.Builder
	for _, l := range r.Leaks {
		fmt.Fprintf(&text, "LEAK  %s\n", l)
	}
	if len(r.Leaks) == 0 {
		text.WriteString("no two splits depend on the same stimulus\n")
	}
	r.writeCopies(&text)
	return text.String()
}
