package dataset

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/brainwavlm/bwlm/fault"
)

// Part is an entry of a split: whole stories by name or glob, or some rows of them.
type Part struct {
	Story    string // a name or a glob as path.Match
	Whole    bool   // all rows, less the trim
	From, To int    // otherwise these rows, half-open; To < 0 means to the end
}

// String is the entry as it is written in a split.
func (p Part) String() string {
	switch {
	case p.Whole:
		return p.Story
	case p.To < 0:
		return fmt.Sprintf("%s[%d:]", p.Story, p.From)
	}
	return fmt.Sprintf("%s[%d:%d]", p.Story, p.From, p.To)
}

// Rows is a range of rows of one story.
type Rows struct {
	Story    string
	From, To int // half-open
}

var rowRange = regexp.MustCompile(`^(.*)\[(\d*):(\d*)\]$`)

// ParseSplit reads entries such as "alice", "alice[10:200]", "alice[250:]" and "wh*".
func ParseSplit(entries []string) ([]Part, error) {
	var parts []Part
	for _, entry := range entries {
		part := Part{Story: entry, Whole: true}
		if m := rowRange.FindStringSubmatch(entry); m != nil {
			part = Part{Story: m[1], To: -1}
			var err error
			if m[2] != "" {
				part.From, err = strconv.Atoi(m[2])
			}
			if m[3] != "" && err == nil {
				part.To, err = strconv.Atoi(m[3])
			}
			if err != nil || part.To >= 0 && part.To <= part.From {
				return nil, fault.New(fault.Usage, "read split", entry, "rows %s to %s are none", m[2], m[3])
			}
		}
		if part.Story == "" {
			return nil, fault.New(fault.Usage, "read split", strconv.Quote(entry), "there is no story").
				Advise("write a story, alice, or some of its rows, alice[10:200]")
		}
		parts = append(parts, part)
	}
	return parts, nil
}

// Resolve turns a split into ranges of rows. Rows gives the number of rows of each story that is there to take from; a
// story of the data set that it lacks is passed over, as one that a subject did not hear. Trim rows are dropped from the
// start and the end of whole stories; explicit ranges are taken as given. An entry that fits no story of the data set,
// rows beyond the end, and rows that two entries both name are errors.
func (d *Dataset) Resolve(parts []Part, rows map[string]int, trim [2]int) ([]Rows, error) {
	var out []Rows
	for _, part := range parts {
		fail := func(why string, args ...any) error {
			return fault.New(fault.Usage, "resolve split", part.String(), why, args...)
		}
		stories := make(map[string]bool)
		if slices.Contains(d.Stories(), part.Story) {
			stories[part.Story] = true
		} else if n, err := match(part.Story, d.Stories(), stories); err != nil || n == 0 {
			return nil, d.unknown("story", part.Story, d.Stories())
		}
		for _, story := range d.Stories() {
			n, there := rows[story]
			if !stories[story] || !there {
				continue
			}
			r := Rows{Story: story, From: part.From, To: part.To}
			switch {
			case part.Whole:
				if r.From, r.To = trim[0], n-trim[1]; r.From >= r.To {
					return nil, fail("story %s has %d rows, none is left without %d at the start and %d at the end", story, n, trim[0], trim[1])
				}
			case part.To < 0:
				r.To = n
			}
			if r.From >= r.To || r.To > n {
				return nil, fail("story %s has %d rows", story, n)
			}
			for _, other := range out {
				if other.Story == story && r.From < other.To && other.From < r.To {
					return nil, fail("rows %d to %d of %s are named twice", max(r.From, other.From), min(r.To, other.To), story)
				}
			}
			out = append(out, r)
		}
	}
	return out, nil
}
