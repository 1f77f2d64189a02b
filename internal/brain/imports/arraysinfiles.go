package imports

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/arrayfile"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/stored"
	"github.com/brainwavlm/bwlm/npy"
)

// matched is a matrix with its story and the other parts of its path.
type matched struct {
	Response
	file string // relative to the source
	rest []string
}

// responses gives each matrix its story and subject.
func (a *arrays) responses() error {
	list := a.inFiles()
	for _, path := range a.matrices {
		file := relative(a.found.Source, path)
		name := strings.TrimSuffix(file, filepath.Ext(file))
		if a.absent[path] {
			list = append(list, a.closed(file, name, path)...)
			continue
		}
		header, err := npy.Stat(path)
		if err != nil {
			a.found.Leave(file, "%s", reasonOf(err))
			continue
		}
		list = append(list, a.matched(file, name, a.turned(Response{File: path, Shape: header.Shape, InPlace: true,
			Open: openAs(path, "", a.form())}))...)
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
	slices.SortFunc(a.found.Subjects, func(a, b Subject) int { return cmp.Compare(a.Name, b.Name) })
	if len(list) > 0 {
		a.found.Guess("the subjects are %s, from what the paths of the matrices have besides the story",
			strings.Join(a.subjects(), ", "))
	}
	a.found.Stories = slices.DeleteFunc(a.found.Stories, func(s Story) bool {
		heard := a.found.Heard(s.Name)
		if !heard && len(a.found.Subjects) > 0 {
			a.found.Leave(s.Audio, "a recording without responses: no path of a matrix has its name")
		}
		return !heard && len(a.found.Subjects) > 0
	})
	return nil
}

// subjects are the names of the subjects.
func (a *arrays) subjects() (out []string) {
	for _, s := range a.found.Subjects {
		out = append(out, s.Name)
	}
	return out
}

// closed gives a file whose content is not there the story that its path names.
func (a *arrays) closed(file, name, path string) []matched {
	story, rest, ok := match(name, a.found.Stories)
	if !ok {
		a.found.Leave(file, "its content is not there (git-annex or Git LFS)")
		return nil
	}
	return []matched{{Response{Story: story, File: path, Shape: []int{0, 0}, Offset: -1, InPlace: true}, file, rest}}
}

// matched gives a matrix the story that its path names. It is empty if there is none.
func (a *arrays) matched(file, name string, r Response) []matched {
	switch n := len(r.Shape); n {
	case 2, 3:
	case 1:
		a.found.Leave(file, "one dimension of %d, want TRs × voxels; columns of an ROI belong below rois", r.Shape[0])
		return nil
	default:
		a.found.Leave(file, "%d dimensions, want TRs × voxels, or repeats × TRs × voxels", n)
		return nil
	}
	story, rest, ok := match(name, a.found.Stories)
	if !ok {
		a.found.Leave(file, "its path has the name of no recording, or of several")
		return nil
	}
	r.Story = story
	return []matched{{r, file, rest}}
}

// inFiles finds the matrices in files of arrays.
func (a *arrays) inFiles() (out []matched) {
	for _, path := range a.files {
		file := relative(a.found.Source, path)
		stem, _, _ := strings.Cut(filepath.Base(file), ".") // .jbl.gz
		base := filepath.Join(filepath.Dir(file), stem)
		if a.absent[path] {
			out = append(out, a.closed(file, base, path)...)
			continue
		}
		list, err := a.arraysOf(path)
		if err != nil {
			refused := a.refuse(file, err)
			if a.found.Leave(file, "%s", refused.Reason+"; "+refused.Hint); a.refused == nil {
				a.refused = refused
			}
			continue
		}
		archive := a.found.Archive(path)
		for _, array := range list {
			name, where := base, file
			if a.opt.Array == "" && len(list) > 1 {
				name, where = base+"/"+array.Name, file+":"+array.Name
			}
			r := Response{File: path, Array: array.Name, Shape: array.Shape, DType: array.DType, Offset: array.Offset,
				InPlace: array.Offset >= 0, Open: archive.rows(array.Name, a.form())}
			if array.Scale != 0 {
				r.Treated, r.InPlace = fmt.Sprintf("multiplied by %g", array.Scale), false
			}
			out = append(out, a.matched(where, name, a.turned(r))...)
		}
	}
	return out
}

func (a *arrays) form() form { return form{transposed: a.opt.Transpose, scaled: a.opt.Scale} }

// turned is a response with rows and voxels exchanged, if they are to be.
func (a *arrays) turned(r Response) Response {
	n := len(r.Shape)
	if !a.opt.Transpose || n < 2 {
		return r
	}
	r.Shape, r.InPlace = slices.Clone(r.Shape), false
	r.Shape[n-2], r.Shape[n-1] = r.Shape[n-1], r.Shape[n-2]
	if r.Treated != "" {
		r.Treated += "; "
	}
	r.Treated += "transposed"
	return r
}

// arraysOf lists the arrays of a file that may be meant.
func (a *arrays) arraysOf(path string) ([]stored.Array, error) {
	file, err := arrayfile.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if a.opt.Array == "" {
		var named []stored.Array
		for _, array := range file.Arrays() {
			if _, _, ok := match(array.Name, a.found.Stories); ok {
				named = append(named, array)
			}
		}
		if len(named) > 1 {
			return named, nil
		}
	}
	one, err := a.form().choose(path, a.opt.Array, file)
	if err != nil {
		return nil, err
	}
	if text, err := arrayfile.Unwritten(file, one.Name); err != nil {
		return nil, err
	} else if text != "" {
		a.found.Note("%s: %s", relative(a.found.Source, path), text)
	}
	return []stored.Array{one}, nil
}

// refuse is the error of a file of arrays none of which is taken.
func (a *arrays) refuse(file string, err error) *fault.Error {
	out := *inputfile.Error(op, file, err)
	out.Path = quote.OneLine(file)
	if names, ok := strings.CutPrefix(out.Hint, "name one of them: "); ok {
		return out.WithHint("choose one of them by name: %s", names)
	}
	if strings.Contains(out.Reason, arrayfile.MayBeScaled) {
		return out.WithHint("have the integers scaled, or save what they stand for as floats")
	}
	return &out
}
