package design

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/brainwavlm/bwlm/fault"
)

// Story is what the audit must know of a story.
type Story struct {
	Name   string
	Clock  Clock
	SameAs string // the story of which this one is a piece; "" if it is itself the stimulus
	Row    int    // the row of SameAs that is this story's row 0
}

// Part is a range of rows of a story that one split takes from one subject.
type Part struct {
	Split, Subject, Story string
	From, To              int // rows, half-open
}

// Span is a range of rows that one split takes, from any subject, with the stimulus seconds it hears.
type Span struct {
	Split, Story string
	From, To     int // rows of the story, half-open
	Subjects     []string
	Stimulus     string   // the story whose audio clock Heard is in
	Heard        Interval // seconds of Stimulus
}

// String names the rows as a split does: "train alice[10:200]".
func (s Span) String() string { return fmt.Sprintf("%s %s[%d:%d]", s.Split, s.Story, s.From, s.To) }

// Leak is stimulus that rows of two splits both hear.
type Leak struct {
	A, B   Span
	Shared Interval // seconds of the stimulus
}

// String says which rows share how much.
func (l Leak) String() string {
	return fmt.Sprintf("%s <-> %s  share %.1f s of %s", l.A, l.B, l.Seconds(), l.A.Stimulus)
}

// Seconds is the length of the shared stimulus.
func (l Leak) Seconds() float64 { return l.Shared.To - l.Shared.From }

// Report is the outcome of an audit.
type Report struct {
	Spans []Span
	Leaks []Leak
}

// Audit finds every two parts of different splits that hear the same stimulus. The subjects do not matter: an adapter
// tuned on one person's answer to a sentence has met that sentence, whoever is tested on it. Stories that are pieces of
// one another (SameAs) are compared in the time of the story they come from.
func Audit(r Reach, stories []Story, parts []Part) (*Report, error) {
	report := &Report{}
	for _, p := range parts {
		if p.To <= p.From {
			return nil, fault.New(fault.BadData, "leak audit", p.Split+" "+p.Story, "rows %d to %d are none", p.From, p.To)
		}
		i := slices.IndexFunc(report.Spans, func(s Span) bool {
			return s.Split == p.Split && s.Story == p.Story && s.From == p.From && s.To == p.To
		})
		if i < 0 {
			story, stimulus, shift, err := origin(stories, p.Story)
			if err != nil {
				return nil, err
			}
			heard := r.Rows(story.Clock, p.From, p.To)
			report.Spans = append(report.Spans, Span{
				Split: p.Split, Story: p.Story, From: p.From, To: p.To, Stimulus: stimulus,
				Heard: Interval{heard.From + shift, heard.To + shift},
			})
			i = len(report.Spans) - 1
		}
		if !slices.Contains(report.Spans[i].Subjects, p.Subject) {
			report.Spans[i].Subjects = append(report.Spans[i].Subjects, p.Subject)
		}
	}
	for i, a := range report.Spans {
		for _, b := range report.Spans[i+1:] {
			if a.Split == b.Split || a.Stimulus != b.Stimulus || a.Heard.Overlap(b.Heard) == 0 {
				continue
			}
			shared := Interval{max(a.Heard.From, b.Heard.From), min(a.Heard.To, b.Heard.To)}
			report.Leaks = append(report.Leaks, Leak{A: a, B: b, Shared: shared})
		}
	}
	return report, nil
}

// origin follows SameAs to the stimulus that a story comes from, and gives the seconds to add to the story's audio time
// to be in the stimulus's.
func origin(stories []Story, name string) (story Story, stimulus string, shift float64, err error) {
	find := func(name string) (Story, error) {
		if i := slices.IndexFunc(stories, func(s Story) bool { return s.Name == name }); i >= 0 {
			return stories[i], nil
		}
		return Story{}, fault.New(fault.BadData, "leak audit", name, "there is no such story")
	}
	if story, err = find(name); err != nil {
		return Story{}, "", 0, err
	}
	at := story
	for range len(stories) {
		if at.SameAs == "" {
			return story, at.Name, shift, nil
		}
		whole, err := find(at.SameAs)
		if err != nil {
			return Story{}, "", 0, err
		}
		// One volume, two clocks: row 0 here is row Row there.
		shift += whole.Clock.Time(at.Row) - at.Clock.Time(0)
		at = whole
	}
	return Story{}, "", 0, fault.New(fault.BadData, "leak audit", name, "same_as goes round in a circle")
}

// Err is nil without leaks, else an error of kind BadData that names the worst one.
func (r *Report) Err() error {
	if len(r.Leaks) == 0 {
		return nil
	}
	worst := slices.MaxFunc(r.Leaks, func(a, b Leak) int {
		switch {
		case a.Seconds() < b.Seconds():
			return -1
		case a.Seconds() > b.Seconds():
			return 1
		}
		return 0
	})
	why := "%s and %s hear the same %.1f s of %s"
	if more := len(r.Leaks) - 1; more > 0 {
		why += fmt.Sprintf(", and %d more such pairs", more)
	}
	return fault.New(fault.BadData, "leak audit", "data", why, worst.A, worst.B, worst.Seconds(), worst.A.Stimulus).
		Advise("leave more rows between the splits (data.allow_leak: true goes on all the same, and all results say so)")
}

// String is the table that is printed with a run: what each split hears, then each leak.
func (r *Report) String() string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "split\tstory\trows\tsubjects\thears")
	for _, s := range r.Spans {
		fmt.Fprintf(table, "%s\t%s\t%d:%d\t%d\t%s %.1f to %.1f s\n",
			s.Split, s.Story, s.From, s.To, len(s.Subjects), s.Stimulus, s.Heard.From, s.Heard.To)
	}
	table.Flush()
	for _, l := range r.Leaks {
		fmt.Fprintf(&text, "LEAK  %s\n", l)
	}
	if len(r.Leaks) == 0 {
		text.WriteString("no two splits hear the same stimulus\n")
	}
	return text.String()
}
