package bidsdata

import (
	"fmt"
	"math"
	"path"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// eventTables are the tables of events of a tree.
type eventTables struct {
	tree   *Tree
	tables []eventTable
	votes  votes
}

type eventTable struct {
	Name
	events []Event
}

// events reads all tables of events, also of subjects that are not selected: when a story starts within its recording
// is taken from most subjects.
func (t *Tree) events(o Options) (eventTables, error) {
	out := eventTables{tree: t, votes: votes{}}
	for _, n := range t.Files {
		if n.Suffix != "events" || n.Ext != ".tsv" || !among(o.Tasks, n.Get("task")) || ofOther(n) {
			continue
		}
		events, err := readEvents(t.path(n.Path))
		if err != nil {
			return out, err
		}
		out.tables = append(out.tables, eventTable{n, events})
		stories, err := storiesOf(events, n.Path, o.Audio[n.Get("task")])
		if err != nil {
			continue // of no recording: an error if a response needs it
		}
		for _, p := range stories {
			out.votes.add(p, n.Get("sub"))
		}
	}
	return out, nil
}

// ofOther reports whether events are of another method than fMRI.
func ofOther(n Name) bool {
	return slices.Contains([]string{"meg", "eeg", "ieeg", "nirs", "beh"}, path.Base(path.Dir(n.Path)))
}

// of returns the table of a raw file: of those whose entities the file has, the one with most.
func (e eventTables) of(raw Name) *eventTable {
	var best *eventTable
	for i := range e.tables {
		if t := &e.tables[i]; t.within(raw) && (best == nil || len(t.Entities) >= len(best.Entities)) {
			best = t
		}
	}
	return best
}

// stories makes a scan of each story that was played in one.
func (e eventTables) stories(base Scan, raw Name, clock rowClock, o Options) ([]Scan, error) {
	table := e.of(raw)
	if audio := o.Audio[base.Task]; table == nil && o.Onset != nil && audio != "" {
		base.Story, base.Audio, base.First = storyName(audio), audio, clock.Start-*o.Onset
		base.How += fmt.Sprintf("; onset %g s as given: row 0 begins at %g s of %s", *o.Onset, round(base.First),
			audio)
		return []Scan{base}, nil
	}
	if table == nil {
		return nil, fault.New(fault.BadData, readingEvents, quote.OneLine(base.Files[0]),
			"there is no table %sevents.tsv, so nothing tells when a recording was played", raw.key()).
			WithHint("write one with the columns onset, duration and stim_file, or leave the task out")
	}
	file := e.tree.path(table.Path)
	all, err := storiesOf(table.events, file, o.Audio[base.Task])
	if err != nil {
		return nil, err
	}
	out := make([]Scan, len(all))
	for i, p := range all {
		s := base
		s.Story, s.Audio = p.Story, p.Stim
		s.Notes = slices.Clone(base.Notes)
		lead, have, of := e.votes.lead(p)
		if math.Abs(lead-p.lead()) > 1e-3 {
			s.Notes = append(s.Notes, fmt.Sprintf("the story starts %g s after the beginning of %s by %s, but %g "+
				"s in %d of %d "+
				"subjects: theirs holds", p.lead(), p.Stim, table.Path, lead, have, of))
		} else if have < of {
			s.Notes = append(s.Notes, fmt.Sprintf("the story starts %g s after the beginning of %s in %d of %d "+
				"subjects", lead,
				p.Stim, have, of))
		}
		s.First = clock.Start + lead - p.Onset
		if !math.IsNaN(p.End) {
			s.End = lead + p.End - p.Onset
		}
		if len(all) > 1 {
			s.FromRow = rowAt(p.Onset, clock.Start, s.TR, s.Rows)
			s.ToRow = rowAt(end(all, i), clock.Start, s.TR, s.Rows)
			if s.ToRow <= s.FromRow {
				return nil, fault.New(fault.BadData, readingEvents, fmt.Sprintf("%s: story %s",
					quote.OneLine(file), p.Story),
					"it lies between %g and %g s, the %d rows of %g s have none in it", p.Onset, end(all, i),
					s.Rows, s.TR)
			}
			s.First += float64(s.FromRow) * s.TR
		}
		if k := slices.IndexFunc(all[:i], func(q played) bool { return q.Stim == p.Stim }); k >= 0 {
			s.SameAs, s.SameAsRow = out[k].Story, s.FromRow-out[k].FromRow
		}
		s.How += fmt.Sprintf("; onset %g s in %s, %g s into %s: row %d begins at %g s of it", p.Onset,
			describe(table.Name),
			lead, p.Stim, s.FromRow, round(s.First))
		s.First = round(s.First)
		out[i] = s
	}
	return out, nil
}

// end is when a story ends: by its duration, or where the next one begins.
func end(all []played, i int) float64 {
	if !math.IsNaN(all[i].End) {
		return all[i].End
	}
	next := math.Inf(1)
	for _, p := range all {
		if p.Onset > all[i].Onset {
			next = math.Min(next, p.Onset)
		}
	}
	return next
}

// round is to a nanosecond, so that sums of decimals print as such.
func round(seconds float64) float64 { return math.Round(seconds*1e9) / 1e9 }
