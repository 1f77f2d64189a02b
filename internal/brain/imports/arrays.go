package imports

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/annex"
	"github.com/brainwavlm/bwlm/internal/arrayfile"
	"github.com/brainwavlm/bwlm/npy"
)

// ArrayOptions say how arrays are read.
type ArrayOptions struct {
	Array     string // in files of several
	Transpose bool   // they are voxels × TRs
	Scale     bool   // integers are multiplied by their attribute scale or scale_factor
}

// Arrays finds recordings and matrices below a folder, in .npy and in files of arrays. A story is a recording, named by
// its stem. A matrix belongs to the story whose name is in its path, the longest where several are; what its path has
// besides that is its subject. Rows are tr seconds apart; 0 leaves that open, for [Found.LikelyTR]. Of files of arrays,
// those of a name are taken, or if it is "" all that have the name of a recording, or the only one; opt says more.
//
// Files that are not understood are left out, with the reason. That there is no story or no matrix is an error of kind
// BadData, and so are two matrices of one subject and story.
func Arrays(ctx context.Context, folder string, tr float64, opt ArrayOptions) (*Found, error) {
	found, err := Start("arrays", folder)
	if err != nil {
		return nil, err
	}
	found.TR = tr
	a := &arrays{opt: opt, found: found}
	if err := a.list(ctx); err != nil {
		return nil, err
	}
	a.stories()
	if err := a.responses(); err != nil {
		return nil, err
	}
	a.words()
	a.found.Guess("row 0 begins with the audio; if scanning began 10 s before it, first_tr_seconds is -10")
	a.found.Guess("a row stands for the middle of its TR")
	return a.found, a.enough()
}

// arrays is the search for the files of a data set.
type arrays struct {
	found            *Found
	opt              ArrayOptions
	sounds, matrices []string // relative paths
	files            []string // of arrays
	tables           []string // that may have words
	absent           []File   // whose content is not there
	refused          error    // of the first file of arrays none of which is taken
}

const (
	mostFiles = 100_000 // of a folder: more is a mistake about the folder
	mostDepth = 8
)

// list sorts the files below the folder by their endings.
func (a *arrays) list(ctx context.Context) error {
	seen := 0
	return filepath.WalkDir(a.found.Source, func(path string, e fs.DirEntry, err error) error {
		rel := relative(a.found.Source, path)
		switch {
		case context.Cause(ctx) != nil:
			return context.Cause(ctx)
		case err != nil:
			return fault.Wrap(fault.IO, op, path, err)
		case rel == ".":
			return nil
		case strings.HasPrefix(e.Name(), "."):
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		case e.IsDir():
			if strings.Count(rel, string(filepath.Separator)) >= mostDepth {
				a.found.Leave(rel, "a folder too deep")
				return fs.SkipDir
			}
			return nil
		}
		if seen++; seen > mostFiles {
			return fault.New(fault.BadData, op, a.found.Source, "has more than %d files", mostFiles).
				WithHint("name the folder of the arrays and recordings")
		}
		if key, there, err := annex.Of(path); err == nil && !there && key.Text != "" {
			a.absent = append(a.absent, File{Path: path, Bytes: key.Size, Key: key.Text})
			a.found.Leave(rel, "its content is not there (git-annex or Git LFS)")
			return nil
		}
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			a.found.Leave(rel, "not a regular file, or a link without its file")
			return nil
		}
		switch ext := strings.ToLower(filepath.Ext(rel)); ext {
		case ".wav", ".flac", ".mp3":
			a.sounds = append(a.sounds, rel)
		case ".npy":
			a.matrices = append(a.matrices, rel)
		case ".tsv":
			a.tables = append(a.tables, rel)
		case ".txt", ".csv":
			a.found.Leave(rel, "not a .npy: save matrices as .npy, TRs × voxels")
		default:
			if arrayfile.Has(rel) {
				a.files = append(a.files, rel)
				return nil
			}
			a.found.Leave(rel, "neither a file of arrays nor a recording (.wav, .flac, .mp3)")
		}
		return nil
	})
}

// stories makes a story of each recording.
func (a *arrays) stories() {
	for _, file := range a.sounds {
		stem := stemOf(file)
		name := nameOf(stem)
		i := slices.IndexFunc(a.found.Stories, func(s Story) bool { return strings.EqualFold(s.Name, name) })
		if i >= 0 {
			a.found.Leave(file, "story %s has the recording %s already", name,
				relative(a.found.Source, a.found.Stories[i].Audio))
			continue
		}
		if name != stem {
			a.found.Guess("%s is story %s, since a name of a story has none of /\\*?[]:", file, name)
		}
		a.found.Stories = append(a.found.Stories, Story{Name: name, Audio: filepath.Join(a.found.Source, file)})
	}
}

// responses gives each matrix its story and subject.
func (a *arrays) responses() error {
	list := a.inFiles()
	for _, file := range a.matrices {
		header, err := npy.Stat(filepath.Join(a.found.Source, file))
		if err != nil {
			a.found.Leave(file, "%s", reasonOf(err))
			continue
		}
		path := filepath.Join(a.found.Source, file)
		list = append(list, a.matched(file, strings.TrimSuffix(file, filepath.Ext(file)), a.turned(Response{File: path,
			Shape: header.Shape, InPlace: true, Open: openAs(path, "", a.form())}))...)
	}
	rests := make([][]string, len(list))
	for i, m := range list {
		rests[i] = m.rest
	}
	names := subjectNames(rests)
	for i, m := range list {
		name := names[i]
		at := slices.IndexFunc(a.found.Subjects, func(s Subject) bool { return s.Name == name })
		if at < 0 {
			at = len(a.found.Subjects)
			a.found.Subjects = append(a.found.Subjects, Subject{Name: name})
		}
		s := &a.found.Subjects[at]
		if k := slices.IndexFunc(s.Responses, func(r Response) bool { return r.Story == m.Story }); k >= 0 {
			return fault.New(fault.BadData, op, a.found.Source, "%s and %s would both be subject %s, story %s", m.file,
				relative(a.found.Source, s.Responses[k].File), name, m.Story).
				WithHint("give each file a name or folder with its subject and its story, and save repeats as one " +
					"array, repeats × TRs × voxels")
		}
		s.Responses = append(s.Responses, m.Response)
	}
	if len(list) > 0 {
		a.found.Guess("the subjects are %s, from what the paths of the matrices have besides the story",
			strings.Join(a.names(), ", "))
	}
	slices.SortFunc(a.found.Subjects, func(a, b Subject) int { return cmp.Compare(a.Name, b.Name) })
	a.found.Stories = slices.DeleteFunc(a.found.Stories, func(s Story) bool {
		used := slices.ContainsFunc(a.found.Subjects, func(p Subject) bool {
			return slices.ContainsFunc(p.Responses, func(r Response) bool { return r.Story == s.Name })
		})
		if !used {
			a.found.Leave(relative(a.found.Source, s.Audio),
				"a recording without responses: no path of a matrix has its name")
		}
		return !used
	})
	return nil
}

func (a *arrays) names() (out []string) {
	for _, s := range a.found.Subjects {
		out = append(out, s.Name)
	}
	slices.Sort(out)
	return out
}

// words gives a story the table of its stem, if it is one of words.
func (a *arrays) words() {
	for _, file := range a.tables {
		i := slices.IndexFunc(a.found.Stories, func(s Story) bool { return s.Name == nameOf(stemOf(file)) })
		switch {
		case i < 0:
			a.found.Leave(file, "a table that has the name of no story")
		case a.found.Stories[i].Words != "":
			a.found.Leave(file, "story %s has a table of words already", a.found.Stories[i].Name)
		default:
			s := &a.found.Stories[i]
			path := filepath.Join(a.found.Source, file)
			if _, err := dataset.ReadWords(path); err != nil {
				a.found.Leave(file, "not a table of words: %s", reasonOf(err))
				continue
			}
			s.Words = path
			a.found.Guess("%s has the words of story %s, by its name", file, s.Name)
		}
	}
}

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
	case len(a.found.Subjects) == 0 && len(a.absent) > 0:
		a.found.Missing = a.absent
	case len(a.found.Subjects) == 0 && a.refused != nil && len(a.sounds) > 0:
		return a.refused
	case len(a.sounds) == 0:
		return fail("there is no recording (.wav, .flac, .mp3)")
	case len(a.matrices)+len(a.files) == 0:
		return fail("there is no .npy and no file of arrays")
	case len(a.found.Subjects) == 0:
		return fail("no path of a matrix has the name of a recording")
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
			if rows := r.Shape[len(r.Shape)-2]; err == nil && rows > 0 {
				list = append(list, seconds/float64(rows))
			}
		}
	}
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return math.Round(100*list[len(list)/2]) / 100
}
