package study

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/internal/brain/fingerprint"
)

// sounds are the fingerprints of stories, and what was found by them; shared with variants.
type sounds struct {
	prints map[string]*fingerprint.Print
	shared map[[2]string][]design.SharedAudio
	clips  []*fingerprint.Print // of each clip, where rows are clips
}

func newSounds() *sounds {
	return &sounds{prints: map[string]*fingerprint.Print{}, shared: map[[2]string][]design.SharedAudio{}}
}

// auditSound refuses splits whose stories sound the same.
func (st *Study) auditSound(ctx context.Context) error { return st.CompareAudio(ctx, st.Audit) }

// CompareAudio compares the audio of the stories of a report and refuses what different splits share of it, or
// notes what is allowed. With Options.OnlyCachedPrints it does so only if the fingerprints of all of them are in
// the cache.
func (st *Study) CompareAudio(ctx context.Context, report *design.Report) error {
	if err := st.FindCopies(ctx, report); err != nil || report.Pending {
		return err
	}
	for _, c := range report.Copies {
		switch {
		case c.Allowed:
			st.Note("SHARED AUDIO, allowed by data.allow_shared: %s", c)
		case st.Experiment.Data.AllowLeak && c.Refused:
			st.Note("LEAK, allowed by data.allow_leak: %s; scores on these rows are no evidence", c)
		case !c.Refused:
			st.Note("shared audio: %s", c)
		}
	}
	return st.refuse(report)
}

// FindCopies adds to a report what stories of different splits share by their sound. The report stays pending if
// fingerprints are missing and may not be computed.
func (st *Study) FindCopies(ctx context.Context, report *design.Report) error {
	if st.Data.IsEvents() {
		return st.findSameClips(ctx, report)
	}
	pairs := report.StoryPairs()
	stories := storiesOf(pairs)
	seconds := map[string]float64{}
	report.Pending = true
	for _, story := range stories {
		p, err := st.fingerprint(ctx, story)
		if p == nil || err != nil {
			return err
		}
		seconds[story] = p.Seconds()
	}
	var shared []design.SharedAudio
	for _, pair := range pairs {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		shared = append(shared, st.compareSounds(pair[0], pair[1])...)
	}
	report.CompareAudio(seconds, shared, st.allowsShared)
	return nil
}

// storiesOf lists the stories of pairs, each once.
func storiesOf(pairs [][2]string) (stories []string) {
	for _, p := range pairs {
		for _, s := range p {
			if !slices.Contains(stories, s) {
				stories = append(stories, s)
			}
		}
	}
	return stories
}

// compareSounds returns what two stories share, or what a story has twice, as far as it counts.
func (st *Study) compareSounds(a, b string) []design.SharedAudio {
	key := [2]string{a, b}
	if found, ok := st.sounds.shared[key]; ok {
		return found
	}
	p, q := st.sounds.prints[a], st.sounds.prints[b]
	stretches, err := fingerprint.Find(st.disk, p, q)
	if err != nil {
		st.warn(err)
	}
	found := []design.SharedAudio{}
	for _, x := range stretches {
		if x.Counts(p, q) {
			found = append(found, design.SharedAudio{StoryA: a, StoryB: b,
				A: design.Interval(x.A), B: design.Interval(x.B), Seconds: x.Seconds})
		}
	}
	st.sounds.shared[key] = found
	return found
}

// allowsShared reports whether data.allow_shared names two stories.
func (st *Study) allowsShared(a, b string) bool {
	fits := func(glob, name string) bool {
		ok, _ := path.Match(glob, name) // the pattern was checked
		return ok || glob == name
	}
	return slices.ContainsFunc(st.Experiment.Data.AllowShared, func(pair string) bool {
		x, y, _ := strings.Cut(pair, ":")
		return fits(x, a) && fits(y, b) || fits(x, b) && fits(y, a)
	})
}

// fingerprint returns the fingerprint of a story: from memory, from the cache, or from its audio. It is nil if the
// audio would have to be decoded and Options.OnlyCachedPrints is set.
func (st *Study) fingerprint(ctx context.Context, story string) (*fingerprint.Print, error) {
	if p := st.sounds.prints[story]; p != nil {
		return p, nil
	}
	if st.Stimuli[story] != nil && st.holdsAll() { // what is decoded now is not decoded again when it is read
		s, err := st.Data.Story(story)
		if err == nil && st.cachedPrint(s) == nil && !st.Options.OnlyCachedPrints {
			_, err = st.Wave(ctx, story)
		}
		if p := st.sounds.prints[story]; p != nil || err != nil {
			return p, err
		}
	}
	p, err := st.printOf(ctx, st.Data, story)
	if p != nil {
		st.sounds.prints[story] = p
		st.noteRemarks(story)
	}
	return p, err
}

// printOf returns the fingerprint of a story of a data set, from the cache or from its audio.
func (st *Study) printOf(ctx context.Context, data *dataset.Dataset, story string) (*fingerprint.Print, error) {
	s, err := data.Story(story)
	if err != nil {
		return nil, err
	}
	return st.takePrint(s, func(visit func([]float32)) error {
		return data.StreamAudio(ctx, story, func(samples []float32) error {
			visit(samples)
			return ctx.Err()
		})
	})
}

// takePrint returns the fingerprint of a story from the cache. If it is not there it is made of the samples that read
// visits, and kept; with Options.OnlyCachedPrints it is nil.
func (st *Study) takePrint(s *dataset.Story, read func(visit func([]float32)) error) (*fingerprint.Print, error) {
	if p := st.cachedPrint(s); p != nil || st.Options.OnlyCachedPrints {
		return p, nil
	}
	m := fingerprint.NewMaker()
	if err := read(m.Write); err != nil {
		return nil, err
	}
	p := m.Print()
	st.keepPrint(s, p)
	return p, nil
}

// heard takes the fingerprint of a story whose audio is at hand, before it is normalised.
func (st *Study) heard(_ context.Context, story string, samples []float32) error {
	if st.sounds.prints[story] != nil || st.Options.OnlyCachedPrints {
		return nil
	}
	s, err := st.Data.Story(story)
	if err != nil {
		return err
	}
	st.sounds.prints[story], err = st.takePrint(s, func(visit func([]float32)) error { visit(samples); return nil })
	return err
}

// cachedPrint looks for the fingerprint of a story in the cache on disk.
func (st *Study) cachedPrint(s *dataset.Story) *fingerprint.Print {
	if s.Audio.Path == "" || st.disk == nil {
		return nil
	}
	key, ok := fingerprint.KeyOf(s.Audio.Path)
	if !ok {
		return nil
	}
	p, err := fingerprint.Load(st.disk, key)
	if err != nil {
		st.warn(err)
	}
	return p
}

// keepPrint keeps a fingerprint in the cache on disk.
func (st *Study) keepPrint(s *dataset.Story, p *fingerprint.Print) {
	if s.Audio.Path == "" || st.disk == nil {
		return
	}
	if key, ok := fingerprint.KeyOf(s.Audio.Path); ok {
		if err := fingerprint.Save(st.disk, key, s.Audio.Path, p); err != nil {
			st.warn(err)
		}
	}
}

// AuditOtherData refuses test rows whose audio sounds like that of the training and validation stories of another
// experiment, which may be of another data set.
func (st *Study) AuditOtherData(ctx context.Context, exp *experiment.Experiment) error {
	data, err := OpenData(exp, Options{})
	if err != nil {
		return err
	}
	var tested []*Subject
	for _, p := range st.Subjects {
		t := *p
		t.Parts = [3][]design.Rows{Test: p.Parts[Test]}
		tested = append(tested, &t)
	}
	report, err := Audit(st.StimulusWindow(), st.Data, tested)
	if err != nil {
		return err
	}
	met := *exp
	met.Data.Test = nil
	for _, story := range data.Stories() {
		if used, err := Mentioned(&met, data, story); err != nil || !used {
			if err != nil {
				return err
			}
			continue
		}
		p, err := st.printOf(ctx, data, story)
		if p == nil || err != nil {
			return err
		}
		name := story + " of " + data.Name()
		st.sounds.prints[name] = p
		report.Rows = append(report.Rows, design.SplitRows{Split: "tuned on", Rows: design.Rows{Story: name},
			Stimulus: name, Audio: design.Interval{To: p.Seconds()}})
	}
	return st.CompareAudio(ctx, report)
}

func (st *Study) warn(err error) {
	st.Options.Progress(progress.Event{Phase: progress.Warning, Note: err.Error()})
}
