package deniz

import (
	"context"
	"io/fs"
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
	ctx                   context.Context
	opt                   Options
	files                 map[string][]string // of each subject
	audio, words, reports map[string]string   // files by story
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
	f := &find{Found: found, ctx: ctx, opt: opt, files: map[string][]string{}, audio: map[string]string{},
		words: map[string]string{}, reports: map[string]string{}}
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
	_ = filepath.WalkDir(source, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil || e.IsDir() && strings.HasPrefix(e.Name(), ".") && path != source:
			return fs.SkipDir
		case name.MatchString(e.Name()):
			why = e.Name() + " is there"
			return fs.SkipAll
		}
		return nil
	})
	return why
}

// list finds files by their names; the first of a name counts.
func (f *find) list() error {
	if err := f.EachFile(append([]string{f.Source}, f.opt.Folders...), f.file); err != nil {
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
	stem := strings.TrimSuffix(base, filepath.Ext(base))
	to := map[string]map[string]string{".wav": f.audio, ".flac": f.audio, ".mp3": f.audio, ".textgrid": f.words,
		".report": f.reports}[strings.ToLower(filepath.Ext(base))]
	if to != nil && to[stem] == "" {
		to[stem] = path
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
	var names []string
	for _, s := range f.Subjects {
		for _, r := range s.Responses {
			if !slices.Contains(names, r.Story) {
				names = append(names, r.Story)
			}
		}
	}
	slices.Sort(names)
	all := names
	names, err := f.Select("story", names, f.opt.Stories)
	if err != nil {
		return err
	}
	for _, story := range names {
		path := f.audio[story]
		if path == "" {
			f.Leave(f.Subjects[0].Responses[0].File+":"+story,
				"there is no recording of story %s, which is left out", story)
			continue
		}
		if _, _, err := f.File(path); err != nil {
			return err
		}
		f.Stories = append(f.Stories, imports.Story{Name: story, Audio: path, Words: f.words[story],
			Phones: f.words[story]})
	}
	if len(f.Stories) == 0 {
		return fault.New(fault.Missing, op, f.Source, "no story has a recording: there are %s", strings.Join(all,
			", ")).
			WithHint("name the folder of the recordings, and the recording of each array where their names differ")
	}
	for i := range f.Subjects {
		s := &f.Subjects[i]
		s.Responses = slices.DeleteFunc(s.Responses, func(r imports.Response) bool {
			return !slices.ContainsFunc(f.Stories, func(s imports.Story) bool { return s.Name == r.Story })
		})
	}
	f.Subjects = slices.DeleteFunc(f.Subjects, func(s imports.Subject) bool { return len(s.Responses) == 0 })
	return nil
}
