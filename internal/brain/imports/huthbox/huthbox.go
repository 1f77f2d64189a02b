package huthbox

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/imports"
	"github.com/brainwavlm/bwlm/internal/joblib"
)

const (
	op = "import data"

	tr       = 2.0
	before   = 10 // volumes that were cut
	after    = 5
	silence  = 10.0 // seconds, where no times are there
	mostLate = .1   // TRs that a volume may be off the line through all
)

// find is a search in the folder.
type find struct {
	*imports.Found
	ctx              context.Context
	responses, rois  map[string]string // files by subject
	clocks           string            // file
	stimuli          imports.Stimuli
	clockOf          map[string]joblib.Clock
	subjects, chosen []string // patterns
}

// Find describes the subjects and stories that are selected by names or patterns; nil selects all. Recordings and
// TextGrids are also looked for in other folders.
func Find(ctx context.Context, source string, subjects, stories, folders []string) (*imports.Found, error) {
	found, err := imports.Start("huthbox", source)
	if err != nil {
		return nil, err
	}
	f := &find{Found: found, ctx: ctx, responses: map[string]string{}, rois: map[string]string{}, subjects: subjects,
		clockOf: map[string]joblib.Clock{}, chosen: stories}
	found.TR, found.Trimmed = tr, true
	for _, step := range []func() error{
		func() error { return f.list(append([]string{found.Source}, folders...)) },
		f.times,
		f.read,
		f.clock,
		f.regions,
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	f.Note("no mask is in this release, so that maps cannot be drawn; " +
		"those of ds003020 fit if they have as many voxels")
	return found, nil
}

// Claims says why a folder is of this kind, "" if it is not.
func Claims(source string) string {
	f := &find{Found: &imports.Found{Source: source}, responses: map[string]string{}, rois: map[string]string{},
		ctx: context.Background()}
	if f.list([]string{source}) != nil {
		return ""
	}
	for _, path := range f.responses {
		return filepath.Base(path) + " is there"
	}
	return ""
}

// list finds the files below some folders by their names.
func (f *find) list(folders []string) error {
	if err := f.EachFile(f.ctx, folders, f.file); err != nil {
		return err
	}
	if len(f.responses) == 0 {
		return fault.New(fault.Missing, op, f.Source, "there are no responses (SUBJECT_responses.jbl)").
			WithHint("name the folder of the release, which has responses/full_responses")
	}
	return nil
}

// file takes up a file by its name; the first of a name counts.
func (f *find) file(path string) {
	name := filepath.Base(path)
	put := func(to map[string]string, key string) {
		if to[key] == "" {
			to[key] = path
		}
	}
	stem, rest, isJoblib := strings.Cut(name, ".jbl")
	switch {
	case f.stimuli.Add(path):
	case isJoblib && (rest == "" || strings.HasPrefix(rest, ".")):
		if subject, ok := strings.CutSuffix(stem, "_responses"); ok {
			put(f.responses, subject)
		} else if subject, ok := strings.CutPrefix(stem, "rois_"); ok {
			put(f.rois, subject)
		} else if strings.HasPrefix(stem, "trfiles") && f.clocks == "" {
			f.clocks = path
		}
	}
}

// times reads the times of volumes.
func (f *find) times() error {
	if f.clocks == "" {
		f.Guess("row 0 begins at second %g of the recordings, as in ds003020: there is no trfiles_huge.jbl", silence)
		return nil
	}
	if _, there, err := f.File(f.clocks); err != nil || !there {
		return err
	}
	file, err := joblib.Open(f.clocks)
	if err != nil {
		return err
	}
	defer file.Close()
	clocks, err := file.Clocks()
	for _, c := range clocks {
		story, run, _ := strings.Cut(c.Name, ".")
		if run == "" || run == "0" {
			f.clockOf[story] = c
		}
	}
	return err
}

// read lists the stories in the files of responses.
func (f *find) read() error {
	var names []string
	for name := range f.responses {
		names = append(names, name)
	}
	slices.Sort(names)
	names, err := f.Select("subject", names, f.subjects)
	if err != nil {
		return err
	}
	for _, subject := range names {
		path := f.responses[subject]
		if _, there, err := f.File(path); err != nil {
			return err
		} else if !there {
			continue
		}
		s, err := f.subject(subject, path)
		if err != nil {
			return err
		}
		f.Subjects = append(f.Subjects, s)
	}
	if len(f.Subjects) == 0 { // Missing says why
		return nil
	}
	return f.Hear(&f.stimuli, f.chosen, "name the folder of the recordings, which have the names of the stories")
}

// subject lists the arrays of a file, in their order.
func (f *find) subject(name, path string) (imports.Subject, error) {
	s := imports.Subject{Name: name}
	file, err := joblib.Open(path)
	if err != nil {
		return s, err
	}
	defer file.Close()
	archive := f.Archive(path)
	voxels := 0
	for _, a := range file.Arrays() {
		if len(a.Shape) != 2 && len(a.Shape) != 3 {
			f.Leave(path, "%s is no matrix of rows × voxels", a)
			continue
		}
		if n := a.Shape[len(a.Shape)-1]; voxels == 0 {
			voxels = n
		} else if n != voxels {
			return s, f.Fail(path, "%s, other stories have %d voxels", a, voxels)
		}
		s.Responses = append(s.Responses, archive.Response(a.Name, a))
	}
	for _, o := range file.Others() {
		f.Leave(path, "%s is %s", o.Name, o.What)
	}
	if len(s.Responses) == 0 {
		return s, f.Fail(path, "holds no story, as arrays of rows × voxels")
	}
	return s, nil
}
