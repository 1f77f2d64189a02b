package imports

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/internal/brain/fingerprint"
	"github.com/brainwavlm/bwlm/internal/parallel"
)

// SharedAudio is audio that two stories have in common.
type SharedAudio struct {
	Stories [2]string `json:"stories"`
	Seconds float64   `json:"seconds"`
	Share   float64   `json:"share"`   // of the shorter recording
	Refused bool      `json:"refused"` // a training refuses them in different splits
}

const (
	comparedSeconds = 20 * 3600 // of recordings; of more, the first are compared
	searchedBlocks  = 16        // 24 s: what is longer is found
	namedPairs      = 5         // in notes
)

// compareAudio compares the recordings of the stories with each other by their fingerprints, and notes which of them
// share audio. It takes about 10 s for an hour and one for two hours that are compared, divided among the processors.
// A training compares what its splits share in full.
func (j *job) compareAudio(ctx context.Context) error {
	stories := j.recordings(ctx)
	if len(stories) < 2 || !j.opt.Check {
		return nil
	}
	prints, err := j.prints(ctx, stories)
	if err != nil {
		return err
	}
	report, seconds := design.Report{}, map[string]float64{}
	for _, s := range stories {
		if p := prints[s.Name]; p != nil {
			seconds[s.Name] = p.Seconds()
			report.Rows = append(report.Rows, design.SplitRows{Split: s.Name, Rows: design.Rows{Story: s.Name},
				Stimulus: cmp.Or(s.SameAs, s.Name), Audio: design.Interval{To: p.Seconds()}})
		}
	}
	pairs := report.StoryPairs()
	found := make([][]design.SharedAudio, len(pairs))
	parallel.Each(len(pairs), func(i int) {
		p, q := prints[pairs[i][0]], prints[pairs[i][1]]
		if ctx.Err() != nil {
			return
		}
		for _, s := range fingerprint.Search(p, q, searchedBlocks) {
			if s.Counts(p, q) {
				found[i] = append(found[i], design.SharedAudio{StoryA: pairs[i][0], StoryB: pairs[i][1],
					A: design.Interval(s.A), B: design.Interval(s.B), Seconds: s.Seconds})
			}
		}
	})
	if err := context.Cause(ctx); err != nil {
		return err
	}
	report.CompareAudio(seconds, slices.Concat(found...), nil)
	j.share(report.Copies)
	return nil
}

// share notes what stories share.
func (j *job) share(copies []design.Copy) {
	for n, c := range copies {
		s := SharedAudio{Stories: [2]string{c.StoryA, c.StoryB}, Seconds: math.Round(10*c.Seconds) / 10,
			Share: math.Round(1000*min(1, c.Share)) / 1000, Refused: c.Refused}
		if j.Shared = append(j.Shared, s); n >= namedPairs {
			continue
		}
		advice := ""
		if s.Refused {
			advice = ": keep them in one split"
		}
		j.Note("stories %s and %s share %.0f s of audio, %.0f %% of the shorter%s", s.Stories[0], s.Stories[1],
			s.Seconds, 100*s.Share, advice)
	}
	if more := len(copies) - namedPairs; more > 0 {
		j.Note("more pairs of stories share audio, %d in all: %s lists them", len(copies), recordName)
	}
}

// recordings lists the stories whose recordings are compared: one of each file, as far as they can be read.
func (j *job) recordings(ctx context.Context) (out []Story) {
	total, left := 0., 0
	for _, s := range j.Stories {
		seconds, err := audio.Length(ctx, s.Audio, audio.Options{})
		if err != nil || slices.ContainsFunc(out, func(o Story) bool { return o.Audio == s.Audio }) {
			continue
		}
		j.record.AudioSeconds += seconds
		if total+seconds > comparedSeconds {
			left++
			continue
		}
		total += seconds
		out = append(out, s)
	}
	if left > 0 && j.opt.Check {
		j.Note("the recordings of %d stories (%.0f hours) were compared with each other, those of %d more were not",
			len(out), total/3600, left)
	}
	return out
}

// prints makes the fingerprints of recordings. One that cannot be read has none: the check of timing says why.
func (j *job) prints(ctx context.Context, stories []Story) (map[string]*fingerprint.Print, error) {
	out := map[string]*fingerprint.Print{}
	var lock sync.Mutex
	done := 0
	parallel.Each(len(stories), func(i int) {
		maker := fingerprint.NewMaker()
		_, err := audio.Stream(ctx, stories[i].Audio, audio.Options{}, func(samples []float32) error {
			maker.Write(samples)
			return nil
		})
		p := maker.Print()
		lock.Lock()
		defer lock.Unlock()
		if err == nil {
			out[stories[i].Name] = p
		}
		if done++; j.opt.Progress != nil {
			j.opt.Progress("compare recordings", done, len(stories), stories[i].Name)
		}
	})
	return out, context.Cause(ctx)
}
