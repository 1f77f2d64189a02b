package dataset

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/suggest"
)

// Dataset is a checked [Spec]. It may be used from several goroutines at once if its Inputs may.
type Dataset struct {
	spec  Spec
	files []string // those that belong to the whole data set: dataset.yaml
}

// New checks a spec and returns its data set.
func New(spec Spec) (*Dataset, error) {
	if err := spec.check(); err != nil {
		err.Path = quote.Escaped(err.Path, "")
		return nil, err
	}
	return &Dataset{spec: spec}, nil
}

// Name returns the name of the data set.
func (d *Dataset) Name() string { return d.spec.Name }

// Licence returns the licence of the data set, for reports.
func (d *Dataset) Licence() string { return d.spec.Licence }

// Citation returns the reference to cite.
func (d *Dataset) Citation() string { return d.spec.Citation }

// Spec returns a copy of the description, from which another data set can be made. The two share
// what Inputs load.
func (d *Dataset) Spec() Spec {
	s := d.spec
	s.Stories, s.Subjects, s.Derived, s.ROIs = slices.Clone(s.Stories), slices.Clone(s.Subjects),
		slices.Clone(s.Derived), slices.Clone(s.ROIs)
	return s
}

// TR returns the seconds from one row to the next.
func (d *Dataset) TR() float64 { return d.spec.TR }

// RowTime returns the instant within its TR that a row stands for, 0 to 1.
func (d *Dataset) RowTime() float64 { return d.spec.RowTime }

// Stories returns the names of all stories, in the order of the data set.
func (d *Dataset) Stories() []string {
	return names(d.spec.Stories, func(s Story) string { return s.Name })
}

// Story returns a story by its exact name.
func (d *Dataset) Story(name string) (*Story, error) {
	if i := slices.Index(d.Stories(), name); i >= 0 {
		return &d.spec.Stories[i], nil
	}
	return nil, d.unknown("story", name, d.Stories())
}

// Clock returns the times at which the rows of a story were acquired.
func (d *Dataset) Clock(story string) (design.Clock, error) {
	s, err := d.Story(story)
	if err != nil {
		return design.Clock{}, err
	}
	return d.spec.clock(s), nil
}

// AuditStories returns the stories for [design.Audit].
func (d *Dataset) AuditStories() []design.AuditStory {
	var stories []design.AuditStory
	for _, s := range d.spec.Stories {
		a := design.AuditStory{Name: s.Name, Clock: d.spec.clock(&s)}
		if s.SameAs != nil {
			a.SameAs, a.Row, a.SameAudio = s.SameAs.Story, s.SameAs.Row, s.SameAs.Audio
		}
		stories = append(stories, a)
	}
	return stories
}

// Audio returns the waveform of a story, 16 kHz mono.
func (d *Dataset) Audio(ctx context.Context, story string) ([]float32, error) {
	s, err := d.Story(story)
	if err != nil {
		return nil, err
	}
	if s.Audio.Absent() {
		return nil, fault.New(fault.Missing, "read audio", d.spec.Name, "story %s has no audio", story)
	}
	return s.Audio.Load(ctx)
}

// StreamAudio reads the audio of a story in blocks, in a slice that is used again; as a whole where it comes from no
// file.
func (d *Dataset) StreamAudio(ctx context.Context, story string, visit func(samples []float32) error) error {
	s, err := d.Story(story)
	if err != nil {
		return err
	}
	if s.Stream != nil {
		return s.Stream(ctx, visit)
	}
	samples, err := d.Audio(ctx, story)
	if err != nil {
		return err
	}
	return visit(samples)
}

// Words returns the words of a story in the order of their onsets.
func (d *Dataset) Words(ctx context.Context, story string) ([]Word, error) {
	s, err := d.Story(story)
	if err != nil {
		return nil, err
	}
	if s.Words.Absent() {
		return nil, fault.New(fault.Missing, "read words", d.spec.Name, "story %s has no words", story)
	}
	return s.Words.Load(ctx)
}

// Phones returns the phones of a story in the order of their onsets.
func (d *Dataset) Phones(ctx context.Context, story string) ([]Word, error) {
	s, err := d.Story(story)
	if err != nil {
		return nil, err
	}
	if s.Phones.Absent() {
		return nil, fault.New(fault.Missing, "read phones", d.spec.Name, "story %s has no phones", story)
	}
	return s.Phones.Load(ctx)
}

// Subjects resolves names and globs (as path.Match) to subjects, each once, in the order of the
// data set. "all" and globs match real subjects only; a derived subject must be named exactly. A
// pattern that matches no subject is an error.
func (d *Dataset) Subjects(patterns ...string) ([]string, error) {
	real, derived := d.SubjectNames(), d.derived()
	found := make(map[string]bool)
	for _, pattern := range patterns {
		if slices.Contains(real, pattern) || slices.Contains(derived, pattern) {
			found[pattern] = true
			continue
		}
		glob := pattern
		if pattern == allSubjects {
			glob = "*"
		}
		n, err := match(glob, real, found)
		if err != nil || n == 0 {
			return nil, d.unknown("subject", pattern, slices.Concat(real, derived))
		}
	}
	return slices.DeleteFunc(slices.Concat(real, derived), func(s string) bool { return !found[s] }), nil
}

// SubjectNames returns the names of the real subjects, in the order of the data set.
func (d *Dataset) SubjectNames() []string {
	return names(d.spec.Subjects, func(s Subject) string { return s.Name })
}

// derived returns the names of the subjects that were made from others, in the order of the data
// set.
func (d *Dataset) derived() []string {
	return names(d.spec.Derived, func(s Subject) string { return s.Name })
}

// IsDerived reports whether a subject was made from others, as an average is.
func (d *Dataset) IsDerived(subject string) bool { return slices.Contains(d.derived(), subject) }

// StoriesOf returns the stories that a subject has responses to, in the order of the data set; none
// for an unknown subject.
func (d *Dataset) StoriesOf(subject string) []string {
	s, err := d.subject(subject)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(d.Stories(), func(story string) bool {
		return !slices.ContainsFunc(s.Responses, func(r Response) bool { return r.Story == story })
	})
}

// ROIs returns the names of the regions of interest, in the order of the data set.
func (d *Dataset) ROIs() []string {
	return names(d.spec.ROIs, func(r ROI) string { return r.Name })
}

// subject returns a real or derived subject by its exact name.
func (d *Dataset) subject(name string) (*Subject, error) {
	for _, group := range [][]Subject{d.spec.Subjects, d.spec.Derived} {
		for i := range group {
			if group[i].Name == name {
				return &group[i], nil
			}
		}
	}
	return nil, d.unknown("subject", name, slices.Concat(d.SubjectNames(), d.derived()))
}

// unknown returns the error for a name that is not in the data set.
func (d *Dataset) unknown(kind, name string, known []string) error {
	err := fault.New(fault.Usage, "look up "+kind, d.spec.Name, "there is no %s %q", kind, name)
	if near := suggest.Nearest(name, slices.Values(known)); near != "" {
		return err.WithHint("did you mean %q?", near)
	}
	const shown = 8
	if len(known) > shown {
		return err.WithHint("there are %s and %d more", strings.Join(known[:shown], ", "), len(known)-shown)
	}
	return err.WithHint("there are %s", strings.Join(known, ", "))
}

// match adds the names that a glob matches to found and returns their number.
func match(pattern string, names []string, found map[string]bool) (n int, err error) {
	for _, name := range names {
		ok, err := path.Match(pattern, name)
		if err != nil {
			return 0, fmt.Errorf("%q: %w", pattern, err)
		}
		if ok {
			found[name] = true
			n++
		}
	}
	return n, nil
}

// allSubjects stands for all real subjects where subjects are named.
const allSubjects = "all"

// takenNames cannot be names of subjects: "all" stands for everyone, and a run has a file layout.json among the
// folders of its subjects.
var takenNames = []string{allSubjects, "layout.json"}

// usable reports whether a name can be that of a story or a subject: it becomes part of file names,
// globs and splits.
func usable(name string) bool {
	return name != "" && name != "." && name != ".." && name == strings.TrimSpace(name) &&
		!strings.ContainsAny(name, `/\*?[]:`) && !strings.ContainsFunc(name, unicode.IsControl)
}

func names[T any](list []T, name func(T) string) []string {
	out := make([]string, len(list))
	for i, item := range list {
		out[i] = name(item)
	}
	return out
}
