package bids

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/bidsdata"
	"github.com/brainwavlm/bwlm/internal/brain/imports"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// Kind is the name of this kind of source.
const Kind = "bids"

// finder is what is found so far.
type finder struct {
	*imports.Found
	o       Options
	stimuli *stimuli
	length  map[string]float64 // of recordings, in seconds
	notes   map[string]int     // how many scans have a note

	vertices int // of each of the surfaces

	given map[string]string // recordings of tasks, where events name one that is not there
}

// heard is what a subject heard of a story: a scan, or several of its repeats.
type heard struct {
	subject, story string
	scans          []bidsdata.Scan
	rows           int
	audio          string
}

// Find reads what a folder in BIDS has. Of responses without brain masks, all values are read. If the content of some
// responses is missing, it says which, and no subject.
func Find(ctx context.Context, source string, o Options) (*imports.Found, error) {
	found, err := imports.Start(Kind, source)
	if err != nil {
		return nil, err
	}
	tree, err := bidsdata.Open(found.Source)
	if err != nil {
		return nil, err
	}
	f := &finder{Found: found, o: o, length: map[string]float64{}, notes: map[string]int{}}
	f.Notes = append(f.Notes, tree.Notes...)
	f.Describe()
	picked, sections, err := f.options(tree)
	if err != nil {
		return nil, err
	}
	f.vertices = picked.Vertices
	if err := f.complete(tree, picked); err != nil || len(f.Missing) > 0 {
		return f.Found, err
	}
	scans, err := tree.Scans(picked)
	if err != nil {
		return nil, err
	}
	if f.stimuli, err = f.findStimuli(ctx); err != nil {
		return nil, err
	}
	if scans, err = f.wanted(scans); err != nil {
		return nil, err
	}
	f.given = onlyOne(picked.Audio, scans)
	named := slices.Clone(scans)
	scans = f.oneClock(scans)
	all, err := f.heard(ctx, scans, sections)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, f.nothing(scans)
	}
	f.unheard(named, all)
	if err := f.stories(ctx, all, sections); err != nil {
		return nil, err
	}
	if err := f.subjects(ctx, all); err != nil {
		return nil, err
	}
	f.tell()
	return f.Found, nil
}

// complete looks for the content of the responses: without headers nothing is known of them.
func (f *finder) complete(t *bidsdata.Tree, o bidsdata.Options) error {
	files, err := t.Missing(o)
	if err != nil {
		return err
	}
	for _, file := range files {
		if _, _, err := f.File(file); err != nil {
			return err
		}
	}
	return nil
}

// wanted are the scans of the stories that are chosen.
func (f *finder) wanted(scans []bidsdata.Scan) ([]bidsdata.Scan, error) {
	var names []string
	for _, s := range scans {
		if !slices.Contains(names, s.Story) {
			names = append(names, s.Story)
		}
	}
	names, err := f.Select("story", names, f.o.Stories)
	return slices.DeleteFunc(scans, func(s bidsdata.Scan) bool { return !slices.Contains(names, s.Story) }), err
}

// nothing is the error of a folder without a story that has a recording.
func (f *finder) nothing(scans []bidsdata.Scan) error {
	return fault.New(fault.Missing, op, quote.OneLine(f.Source),
		"no story has its recording: %s is not below the folder",
		quote.OneLine(cmp.Or(scans[0].Audio, "a recording of "+scans[0].Story))).
		WithHint("get the recordings, or name the folder where they are")
}

// most returns the key that occurs most often, the smallest of several.
func most[K cmp.Ordered](count map[K]int) (best K) {
	n := 0
	for _, k := range slices.Sorted(maps.Keys(count)) {
		if count[k] > n {
			best, n = k, count[k]
		}
	}
	return best
}

// oneClock leaves out scans with another TR than most, and gives all of them the same instant of a row: a row that
// stands for another one begins earlier or later.
func (f *finder) oneClock(scans []bidsdata.Scan) (out []bidsdata.Scan) {
	trs, instants := map[float64]int{}, map[float64]int{}
	for _, s := range scans {
		trs[s.TR]++
		instants[s.RowTime]++
	}
	f.TR, f.RowTime = most(trs), most(instants)
	for _, s := range scans {
		if math.Abs(s.TR-f.TR) > 1e-6 {
			f.leaveOut(s, fmt.Sprintf("its TR is %g s, that of most scans is %g s", s.TR, f.TR))
			continue
		}
		if s.RowTime != f.RowTime {
			s.First += (s.RowTime - f.RowTime) * s.TR
			s.How += fmt.Sprintf("; a row stands for %g of its TR, in most scans for %g: moved to begin at %.6g s",
				s.RowTime, f.RowTime, s.First)
		}
		out = append(out, s)
	}
	return out
}

// leaveOut notes a scan that is not imported.
func (f *finder) leaveOut(s bidsdata.Scan, why string) {
	f.Leave(s.Files[0], "story %s: %s", s.Story, why)
}

// sameClock is how far the clocks of two runs may be apart, in seconds.
const sameClock = 1e-3

// heard joins the runs of a subject to the same story, and finds the recordings.
func (f *finder) heard(ctx context.Context, scans []bidsdata.Scan, sections bool) (all []*heard, err error) {
	byName := map[[2]string]*heard{}
	for _, s := range scans {
		audio, err := f.audioOf(s, sections)
		if err != nil {
			return nil, err
		}
		if audio == "" {
			f.leaveOut(s, fmt.Sprintf("there is no recording %s", cmp.Or(s.Audio, "of it")))
			continue
		}
		for _, note := range s.Notes {
			f.notes[note]++
		}
		name, rows := [2]string{"sub-" + s.Subject, s.Story}, s.ToRow-s.FromRow
		h := byName[name]
		switch {
		case h == nil:
			h = &heard{subject: name[0], story: s.Story, rows: rows, audio: audio}
			byName[name] = h
			all = append(all, h)
		case math.Abs(h.scans[0].First-s.First) > sameClock:
			f.leaveOut(s,
				fmt.Sprintf("row 0 begins at %g s of the recording, in an earlier run of the subject at %g s",
					s.First, h.scans[0].First))
			continue
		}
		h.scans, h.rows = append(h.scans, s), min(h.rows, rows)
	}
	for _, h := range all {
		if err := f.lengthFits(ctx, h, sections); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// unheard notes the recordings that no event of a scan names, where all scans are looked at.
func (f *finder) unheard(scans []bidsdata.Scan, all []*heard) {
	if len(f.o.Subjects)+len(f.o.Tasks)+len(f.o.Stories) > 0 {
		return
	}
	named := map[string]bool{}
	for _, s := range scans {
		named[strings.ToLower(path.Base(strings.ReplaceAll(s.Audio, `\`, "/")))] = true
	}
	for _, h := range all {
		named[strings.ToLower(filepath.Base(h.audio))] = true
	}
	var rest []string
	for _, name := range slices.Sorted(maps.Keys(f.stimuli.byName)) {
		if imports.IsAudio(name) && !named[name] {
			rest = append(rest, filepath.Base(f.stimuli.byName[name][0]))
		}
	}
	f.Unheard(rest, nil)
}

// audioOf finds the recording of a scan; "" if there is none.
func (f *finder) audioOf(s bidsdata.Scan, sections bool) (string, error) {
	if sections && s.Audio == "" {
		var number int
		if _, err := fmt.Sscanf(s.Story, "section-%d", &number); err != nil {
			return "", fault.Wrap(fault.Internal, op, s.Files[0], err)
		}
		return f.stimuli.section(s.Task, fmt.Sprint(number))
	}
	path, err := f.stimuli.audio(s.Audio)
	if given := f.given[s.Task]; path == "" && err == nil && given != "" {
		f.notes[fmt.Sprintf("%s, which events name, is not there: %s is taken, as given", s.Audio, given)]++
		return filepath.Abs(given)
	}
	return path, err
}

// onlyOne leaves those recordings that are given for tasks whose events name one and the same recording, or none: there
// it is clear which is meant.
func onlyOne(given map[string]string, scans []bidsdata.Scan) map[string]string {
	named := map[string]map[string]bool{}
	for _, s := range scans {
		if named[s.Task] == nil {
			named[s.Task] = map[string]bool{}
		}
		named[s.Task][s.Audio] = true
	}
	out := map[string]string{}
	for task, file := range given {
		if len(named[task]) == 1 {
			out[task] = file
		}
	}
	return out
}

// tell adds the notes on scans, each once.
func (f *finder) tell() {
	for _, note := range slices.Sorted(maps.Keys(f.notes)) {
		if n := f.notes[note]; n > 1 {
			note = fmt.Sprintf("%d scans: %s", n, note)
		}
		f.Notes = append(f.Notes, note)
	}
}
