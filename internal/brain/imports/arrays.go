package imports

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/annex"
	"github.com/brainwavlm/bwlm/internal/arrayfile"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// ArrayOptions say which arrays are wanted, and how they are read.
type ArrayOptions struct {
	Subjects, Stories []string // names or patterns; nil selects all

	Array     string // in files of several
	Transpose bool   // they are voxels × TRs
	Scale     bool   // integers are multiplied by their attribute scale or scale_factor

	Audio []string           // folders with recordings and words besides the source, or STORY=FILE
	First map[string]float64 // second of the recording at which row 0 begins, by story; "" is for all others
}

// Arrays finds recordings and matrices below a folder, in .npy and in files of arrays. A story is a recording, named by
// its stem or in the options. A matrix belongs to the story whose name is in its path, the longest where several are;
// what its path has besides that is its subject. Rows are tr seconds apart; 0 leaves that open, for [Found.LikelyTR].
// Of files of arrays, those of a name are taken, or if it is "" all that have the name of a recording, or the only one.
//
// Files that are not understood are left out, with the reason. That there is no story or no matrix is an error of kind
// BadData, and so are two matrices of one subject and story. Content that is not there goes to Missing.
func Arrays(ctx context.Context, folder string, tr float64, opt ArrayOptions) (*Found, error) {
	found, err := Start("arrays", folder)
	if err != nil {
		return nil, err
	}
	found.TR = tr
	a := &arrays{opt: opt, found: found, absent: map[string]bool{}}
	for _, step := range []func() error{
		func() error { return a.list(ctx) },
		a.stories,
		a.clocks,
		a.responses,
		a.enough,
		a.chosen,
		a.contents,
		a.words,
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// arrays is the search for the files of a data set.
type arrays struct {
	found            *Found
	opt              ArrayOptions
	sounds, matrices []string // paths
	files            []string // of arrays
	tables           []string // that may have words
	names            []string // of all stories that have responses
	absent           map[string]bool
	refused          error // of the first file of arrays none of which is taken
}

// list sorts the files below the folders by their endings.
func (a *arrays) list(ctx context.Context) error {
	folders := []string{a.found.Source}
	for _, text := range a.opt.Audio {
		if !strings.Contains(text, "=") {
			folders = append(folders, text)
		}
	}
	return a.found.EachFile(ctx, folders, a.file)
}

// file takes up a file: outside the source a recording or a table of words.
func (a *arrays) file(path string) {
	inside := relative(a.found.Source, path) != path
	leave := func(why string) {
		if inside {
			a.found.Leave(path, "%s", why)
		}
	}
	if key, there, err := annex.Of(path); err == nil && !there && key.Text != "" {
		a.absent[path] = true
	} else if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		leave("not a regular file, or a link without its file")
		return
	}
	switch ext := strings.ToLower(filepath.Ext(path)); {
	case IsAudio(path):
		a.sounds = append(a.sounds, path)
	case ext == ".tsv", ext == ".textgrid":
		a.tables = append(a.tables, path)
	case ext == ".npy" && inside:
		a.matrices = append(a.matrices, path)
	case arrayfile.Has(path) && inside:
		a.files = append(a.files, path)
	case ext == ".txt", ext == ".csv":
		leave("not a .npy: save matrices as .npy, TRs × voxels")
	default:
		leave("neither a file of arrays nor a recording (.wav, .flac, .mp3)")
	}
}

// stories makes a story of each recording: those that are named first.
func (a *arrays) stories() error {
	for _, text := range a.opt.Audio {
		story, file, named := strings.Cut(text, "=")
		if !named {
			continue
		}
		path, err := filepath.Abs(file)
		if err != nil || story == "" || nameOf(story) != story {
			return fault.New(fault.Usage, op, quote.OneLine(text), "is no STORY=FILE: names have none of /\\*?[]:")
		}
		if key, _, err := annex.Of(path); err != nil || key.Text == "" {
			if err := inputfile.Check(op, path); err != nil {
				return err
			}
		}
		a.found.Stories = append(a.found.Stories, Story{Name: story, Audio: path})
	}
	named := len(a.found.Stories)
	for _, file := range a.sounds {
		name := nameOf(stemOf(file))
		i := slices.IndexFunc(a.found.Stories, func(s Story) bool { return strings.EqualFold(s.Name, name) })
		switch {
		case slices.ContainsFunc(a.found.Stories[:named], func(s Story) bool { return s.Audio == file }):
			continue
		case i >= 0:
			a.found.Leave(file, "story %s has the recording %s already", name,
				relative(a.found.Source, a.found.Stories[i].Audio))
			continue
		case name != stemOf(file):
			a.found.Guess("%s is story %s, since a name of a story has none of /\\*?[]:",
				relative(a.found.Source, file), name)
		}
		a.found.Stories = append(a.found.Stories, Story{Name: name, Audio: file})
	}
	return nil
}

// clocks sets the second at which row 0 of each story begins.
func (a *arrays) clocks() error {
	all, known := a.opt.First[""]
	for i := range a.found.Stories {
		s := &a.found.Stories[i]
		first, own := a.opt.First[s.Name]
		if s.First = all; own {
			s.First = first
		}
	}
	for name := range a.opt.First {
		if name != "" && !slices.ContainsFunc(a.found.Stories, func(s Story) bool { return s.Name == name }) {
			return fault.New(fault.Usage, op, quote.OneLine(a.found.Source),
				"there is no story %s, whose row 0 is given", quote.OneLine(name))
		}
	}
	if !known {
		a.found.Guess("row 0 begins with the audio; if scanning began 10 s before it, first_tr_seconds is -10")
	}
	a.found.Guess("a row stands for the middle of its TR")
	return nil
}

// enough is an error if there are no stories, or no responses.
func (a *arrays) enough() error {
	fail := func(why string) error {
		e := fault.New(fault.BadData, op, a.found.Source, "%s", why)
		if len(a.found.LeftOut) > 0 {
			e.Reason += fmt.Sprintf("; left out: %s (%s)", a.found.LeftOut[0].File, a.found.LeftOut[0].Why)
		}
		return e.WithHint("give each matrix a name or folder with its subject and the stem of its recording, such " +
			"as sub-01/alice.npy next to alice.wav")
	}
	switch {
	case len(a.found.Subjects) > 0:
		return nil
	case len(a.absent) > 0:
		return a.missing(a.absent)
	case a.refused != nil && len(a.found.Stories) > 0:
		return a.refused
	case len(a.found.Stories) == 0:
		return fail("there is no recording (.wav, .flac, .mp3)")
	case len(a.matrices)+len(a.files) == 0:
		return fail("there is no .npy and no file of arrays")
	}
	return fail("no path of a matrix has the name of a recording")
}

// chosen forgets subjects and stories that are not selected.
func (a *arrays) chosen() error {
	f := a.found
	subjects, err := f.Select("subject", a.subjects(), a.opt.Subjects)
	if err != nil {
		return err
	}
	for _, s := range f.Stories {
		a.names = append(a.names, s.Name)
	}
	stories, err := f.Select("story", a.names, a.opt.Stories)
	if err != nil {
		return err
	}
	f.Subjects = slices.DeleteFunc(f.Subjects, func(s Subject) bool { return !slices.Contains(subjects, s.Name) })
	f.Stories = slices.DeleteFunc(f.Stories, func(s Story) bool { return !slices.Contains(stories, s.Name) })
	f.OnlyHeard()
	f.Stories = slices.DeleteFunc(f.Stories, func(s Story) bool { return !f.Heard(s.Name) })
	if len(f.Stories) == 0 && len(f.Missing) == 0 {
		return f.Fail(f.Source, "none of the chosen subjects has responses to a chosen story")
	}
	return nil
}

// contents notes what is not there of the recordings and responses that are wanted.
func (a *arrays) contents() error {
	wanted := map[string]bool{}
	for _, s := range a.found.Stories {
		wanted[s.Audio] = true
	}
	for _, s := range a.found.Subjects {
		for i := range s.Responses {
			wanted[s.Responses[i].File] = true
		}
	}
	return a.missing(wanted)
}

// missing notes those of some files whose content is not there.
func (a *arrays) missing(files map[string]bool) error {
	for _, path := range slices.Concat(a.sounds, a.matrices, a.files) { // in their order
		if a.absent[path] && files[path] {
			if _, _, err := a.found.File(path); err != nil {
				return err
			}
		}
	}
	for _, s := range a.found.Stories { // those that options name may be anywhere
		if _, _, err := a.found.File(s.Audio); err != nil {
			return err
		}
	}
	return nil
}

// LikelyTR returns the median over matrices of the seconds of audio for each row, rounded to a hundredth; 0 if no
// length is known.
func (f *Found) LikelyTR(ctx context.Context) float64 {
	var list []float64
	for _, p := range f.Subjects {
		for _, r := range p.Responses {
			i := slices.IndexFunc(f.Stories, func(s Story) bool { return s.Name == r.Story })
			seconds, err := audio.Length(ctx, f.Stories[i].Audio, audio.Options{})
			if _, rows, _ := r.Extent(); err == nil && rows > 0 {
				list = append(list, (seconds-f.Stories[i].First)/float64(rows))
			}
		}
	}
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return math.Round(100*list[len(list)/2]) / 100
}
