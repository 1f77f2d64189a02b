package deniz

import (
	"context"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/arrayfile"
	"github.com/brainwavlm/bwlm/internal/brain/imports"
	"github.com/brainwavlm/bwlm/internal/stored"
)

const (
	op = "import data"

	tr     = 2.0045
	silent = 5 // volumes before the sound
)

// Options select subjects and stories and tell what the files do not.
type Options struct {
	Subjects, Stories []string          // names or patterns; nil selects all
	Folders           []string          // with recordings, TextGrids and reports, besides the source
	Names             map[string]string // of the recordings, by those of arrays: story_01 is souls
	Modality          string            // listening, also if it is "", or reading
	AllRows           bool              // also those before and after the recording
}

// find is a search in the folder.
type find struct {
	*imports.Found
	ctx     context.Context
	opt     Options
	files   map[string][]string // of each subject
	stimuli imports.Stimuli
	reports map[string]string // files by story
}

// name is that of a file of responses.
var name = regexp.MustCompile(`^(.+?)_(listening|reading)_fmri_data_(trn|val)\.(hdf|hdf5|h5|hf5)$`)

// Find describes the responses below a folder.
func Find(ctx context.Context, source string, opt Options) (*imports.Found, error) {
	found, err := imports.Start("deniz", source)
	if err != nil {
		return nil, err
	}
	if opt.Modality == "" {
		opt.Modality = "listening"
	}
	f := &find{Found: found, ctx: ctx, opt: opt, files: map[string][]string{}, reports: map[string]string{}}
	found.TR = tr
	for _, step := range []func() error{f.list, f.read, f.stories, f.rows} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	f.splits()
	return found, nil
}

// Claims says why a folder is of this kind, "" if it is not.
func Claims(source string) (why string) {
	_ = (&imports.Found{Source: source}).EachFile(context.Background(), []string{source}, func(path string) {
		if base := filepath.Base(path); why == "" && name.MatchString(base) {
			why = base + " is there"
		}
	})
	return why
}

// list finds files by their names; the first of a name counts.
func (f *find) list() error {
	if err := f.EachFile(f.ctx, append([]string{f.Source}, f.opt.Folders...), f.file); err != nil {
		return err
	}
	if len(f.files) == 0 {
		return fault.New(fault.Missing, op, f.Source, "there are no responses "+
			"(SUBJECT_%s_fmri_data_trn.hdf, …_val.hdf)", f.opt.Modality).
			WithHint("clips of the shortclips data set (Y_train, Y_test) have no names of recordings: " +
				"save them by story")
	}
	return nil
}

func (f *find) file(path string) {
	base := filepath.Base(path)
	if m := name.FindStringSubmatch(base); m != nil {
		if m[2] == f.opt.Modality {
			f.files[m[1]] = append(f.files[m[1]], path)
		}
		return
	}
	if f.stimuli.Add(path) {
		return
	}
	if story, ok := strings.CutSuffix(base, ".report"); ok && f.reports[story] == "" {
		f.reports[story] = path
	}
}

// read lists the arrays of each subject.
func (f *find) read() error {
	var names []string
	for name := range f.files {
		names = append(names, name)
	}
	slices.Sort(names)
	names, err := f.Select("subject", names, f.opt.Subjects)
	if err != nil {
		return err
	}
	for _, subject := range names {
		s := imports.Subject{Name: subject}
		for _, path := range f.files[subject] {
			if _, there, err := f.File(path); err != nil {
				return err
			} else if !there {
				continue
			}
			list, err := f.arrays(path)
			if err != nil {
				return err
			}
			for _, r := range list {
				if slices.ContainsFunc(s.Responses, func(o imports.Response) bool { return o.Story == r.Story }) {
					return f.Fail(path, "story %s of subject %s is in %s, too", r.Story, subject,
						filepath.Base(s.Responses[0].File))
				}
				s.Responses = append(s.Responses, r)
			}
		}
		if len(s.Responses) > 0 {
			f.Subjects = append(f.Subjects, s)
		}
	}
	return nil
}

// arrays lists the stories of a file.
func (f *find) arrays(path string) (out []imports.Response, err error) {
	file, err := arrayfile.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	archive := f.Archive(path)
	for _, a := range file.Arrays() {
		if len(a.Shape) != 2 && len(a.Shape) != 3 {
			f.Leave(path, "%s is no matrix of rows × voxels", a)
			continue
		}
		story := a.Name
		if known := f.opt.Names[story]; known != "" {
			story = known
		}
		out = append(out, archive.Response(story, a))
	}
	for _, o := range file.Others() {
		f.Leave(path, "%s is %s", o.Name, o.What)
	}
	if len(out) == 0 {
		_, err := stored.Choose(op, path, "", file.Arrays(), file.Others())
		return nil, err
	}
	return out, nil
}

// stories finds the recording of each story, and leaves out stories without.
func (f *find) stories() error {
	if len(f.Subjects) == 0 { // Missing says why
		return nil
	}
	return f.Hear(&f.stimuli, f.opt.Stories,
		"name the folder of the recordings, and the recording of each array where their names differ")
}
