package dataset

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/fault"
)

// SplitEntry is an entry of a split: whole stories by name or glob, or some rows of them.
type SplitEntry struct {
	Story    string // a name or a glob as path.Match
	Whole    bool   // all rows but those that are trimmed
	From, To int    // otherwise these rows, half-open; To < 0 means to the end
}

// String returns the entry as it is written in a split.
func (e SplitEntry) String() string {
	switch {
	case e.Whole:
		return e.Story
	case e.To < 0:
		return fmt.Sprintf("%s[%d:]", e.Story, e.From)
	}
	return fmt.Sprintf("%s[%d:%d]", e.Story, e.From, e.To)
}

var rowRange = regexp.MustCompile(`^(.*)\[(\d*):(\d*)\]$`)

// ParseSplit reads entries such as "alice", "alice[10:200]", "alice[250:]" and "wh*".
func ParseSplit(entries []string) ([]SplitEntry, error) {
	var out []SplitEntry
	for _, text := range entries {
		entry := SplitEntry{Story: text, Whole: true}
		if m := rowRange.FindStringSubmatch(text); m != nil {
			entry = SplitEntry{Story: m[1], To: -1}
			var err error
			if m[2] != "" {
				entry.From, err = strconv.Atoi(m[2])
			}
			if m[3] != "" && err == nil {
				entry.To, err = strconv.Atoi(m[3])
			}
			if err != nil || entry.To >= 0 && entry.To <= entry.From {
				return nil, fault.New(fault.Usage, "read split", text, "rows %s to %s are none", m[2], m[3])
			}
		}
		if entry.Story == "" {
			return nil, fault.New(fault.Usage, "read split", strconv.Quote(text), "there is no story").
				WithHint("write a story, alice, or some of its rows, alice[10:200]")
		}
		out = append(out, entry)
	}
	return out, nil
}

// Resolve turns the entries of a split into ranges of rows. The map rows holds the number of rows
// of each story that can be used; a story of the data set that is not in it, because a subject did
// not hear it, is skipped. Of whole stories, trim[0] rows are dropped at the start and trim[1] at
// the end; explicit ranges are taken as given. An entry that fits no story of the data set, rows
// beyond the end, and rows that two entries both name are errors. In the design event the entries name clips, and
// neither rows nor trim count.
func (d *Dataset) Resolve(entries []SplitEntry, rows map[string]int, trim [2]int) ([]design.Rows, error) {
	if d.IsEvents() {
		return d.resolveEvents(entries)
	}
	var out []design.Rows
	for _, entry := range entries {
		fail := func(why string, args ...any) error {
			return fault.New(fault.Usage, "resolve split", entry.String(), why, args...)
		}
		stories := make(map[string]bool)
		if slices.Contains(d.Stories(), entry.Story) {
			stories[entry.Story] = true
		} else if n, err := match(entry.Story, d.Stories(), stories); err != nil || n == 0 {
			return nil, d.unknown("story", entry.Story, d.Stories())
		}
		for _, s := range d.spec.Stories {
			story := s.Name
			n, there := rows[story]
			if !stories[story] && !stories[s.Recording()] || !there {
				continue
			}
			r := design.Rows{Story: story, From: entry.From, To: entry.To}
			switch {
			case entry.Whole:
				if r.From, r.To = trim[0], n-trim[1]; r.From >= r.To {
					return nil, fail("story %s has %d rows, none is left without %d at the start and %d at the end",
						story, n, trim[0], trim[1])
				}
			case entry.To < 0:
				r.To = n
			}
			if r.From >= r.To || r.To > n {
				return nil, fail("story %s has %d rows", story, n)
			}
			for _, other := range out {
				if other.Story == story && r.From < other.To && other.From < r.To {
					return nil, fail("rows %d to %d of %s are named twice", max(r.From, other.From),
						min(r.To, other.To), story)
				}
			}
			out = append(out, r)
		}
	}
	return out, nil
}
