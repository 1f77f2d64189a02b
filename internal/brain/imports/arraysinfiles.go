package imports

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/arrayfile"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/stored"
)

// matched is a matrix with its story and the other parts of its path.
type matched struct {
	Response
	file string // relative to the source
	rest []string
}

// matched gives a matrix the story that its path names. It is empty if there is none.
func (a *arrays) matched(file, path string, r Response) []matched {
	switch n := len(r.Shape); n {
	case 2, 3:
	case 1:
		a.found.Leave(file, "one dimension of %d, want TRs × voxels; columns of an ROI belong below rois", r.Shape[0])
		return nil
	default:
		a.found.Leave(file, "%d dimensions, want TRs × voxels, or repeats × TRs × voxels", n)
		return nil
	}
	story, rest, ok := match(path, a.found.Stories)
	if !ok {
		a.found.Leave(file, "its path has the name of no recording, or of several")
		return nil
	}
	r.Story = story
	return []matched{{r, file, rest}}
}

// inFiles finds the matrices in files of arrays.
func (a *arrays) inFiles() (out []matched) {
	for _, file := range a.files {
		path := filepath.Join(a.found.Source, file)
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
			name, where := stemOf(file), file
			if i := strings.Index(name, "."); i > 0 { // .jbl.gz
				name = name[:i]
			}
			name = filepath.Join(filepath.Dir(file), name)
			if a.opt.Array == "" && len(list) > 1 {
				name, where = name+"/"+array.Name, file+":"+array.Name
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
