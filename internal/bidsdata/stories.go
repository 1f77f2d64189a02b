package bidsdata

import (
	"fmt"
	"math"
	"path"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// played is a recording that was played in a scan.
type played struct {
	Story  string
	Stim   string // as events.tsv names it, or the option's
	Onset  float64
	End    float64 // seconds of the scan; NaN: its end is unknown
	First  float64 // onset of the first event of the same recording
	Number int     // which of the events of the recording, from 0
	Of     int     // how many there are
}

// audioExts are the extensions of recordings.
var audioExts = []string{".wav", ".mp3", ".flac", ".ogg", ".m4a", ".aac", ".aif", ".aiff"}

// isAudio reports whether a stim_file is a recording.
func isAudio(stim string) bool {
	for _, ext := range audioExts {
		if strings.EqualFold(path.Ext(stim), ext) {
			return true
		}
	}
	return false
}

// besides are trial types that are no story, although a recording is played.
var besides = []string{"music", "movie", "silence", "video"}

func isStory(e Event) bool {
	for _, t := range besides {
		if strings.EqualFold(e.Type, t) {
			return false
		}
	}
	return true
}

// storiesOf returns what was played in a scan. Audio is the recording of events that name none, "" if it is unknown.
func storiesOf(events []Event, file, audio string) ([]played, error) {
	var out []played
	first, count := map[string]float64{}, map[string]int{}
	for _, e := range events {
		stim := e.Stim
		if stim == "" {
			stim = audio
		}
		if stim == "" || !isAudio(stim) {
			continue
		}
		if at, ok := first[stim]; !ok || e.Onset < at {
			first[stim] = e.Onset
		}
		if isStory(e) {
			out = append(out, played{Story: storyName(stim), Stim: stim, Onset: e.Onset, End: e.Onset + e.Duration,
				Number: count[stim]})
			count[stim]++
		}
	}
	if len(out) == 0 {
		return nil, fault.New(fault.BadData, readingEvents, quote.OneLine(file),
			"no event names a recording in stim_file").
			WithHint("name the recording of this task in the options, or leave the task out")
	}
	for i := range out {
		p := &out[i]
		p.First, p.Of = first[p.Stim], count[p.Stim]
		if p.Of > 1 {
			p.Story = fmt.Sprintf("%s_%d", p.Story, p.Number+1)
		}
	}
	return out, nil
}

// storyName is the name of a story by its recording.
func storyName(stim string) string {
	name := path.Base(strings.ReplaceAll(stim, "\\", "/"))
	name = strings.TrimSuffix(name, path.Ext(name))
	return strings.TrimSuffix(name, "_audio")
}

// lead is how long after the beginning of its recording a story starts, in seconds: music comes before it.
func (p played) lead() float64 { return p.Onset - p.First }

// leadKey is what stories share of which most subjects tell the lead.
func (p played) leadKey() string { return fmt.Sprintf("%s %d of %d", p.Stim, p.Number, p.Of) }

// votes counts the leads of a story over subjects, in milliseconds.
type votes map[string]map[int64]map[string]bool

// add counts a subject's vote.
func (v votes) add(p played, subject string) {
	key, ms := p.leadKey(), int64(math.Round(p.lead()*1000))
	if v[key] == nil {
		v[key] = map[int64]map[string]bool{}
	}
	if v[key][ms] == nil {
		v[key][ms] = map[string]bool{}
	}
	v[key][ms][subject] = true
}

// lead returns the lead of most subjects, and how many of how many have it. With as many subjects for another one,
// the story's own holds.
func (v votes) lead(p played) (seconds float64, have, of int) {
	best, tie := int64(0), false
	for ms, subjects := range v[p.leadKey()] {
		n := len(subjects)
		of += n
		switch {
		case n > have:
			best, have, tie = ms, n, false
		case n == have:
			tie = true
		}
	}
	own := int64(math.Round(p.lead() * 1000))
	if tie || have == 0 || best == own {
		return p.lead(), len(v[p.leadKey()][own]), of
	}
	return float64(best) / 1000, have, of
}
