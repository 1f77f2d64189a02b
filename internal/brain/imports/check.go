package imports

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/datacheck"
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/npyheader"
)

// Check opens the data set that was found and compares rows, shapes and audio by their headers. Differences that are
// usual become Notes. Matrices that do not fit are one error of kind BadData that names them.
func (f *Found) Check(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "bwlm-import-*")
	if err != nil {
		return fault.Wrap(fault.IO, op, "", err)
	}
	defer os.RemoveAll(dir)
	stand, files, err := f.withHeaders(dir)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, FileName)
	if err := os.WriteFile(path, stand.YAML(), 0o600); err != nil {
		return fault.Wrap(fault.IO, op, path, err)
	}
	d, err := dataset.Open(path)
	if err != nil {
		return f.located(err, path)
	}
	shapes, err := datacheck.CheckShapes(ctx, d, d.SubjectNames(), d.Stories())
	if err != nil {
		return err
	}
	f.Notes = append(f.Notes, shapes.Notes...)
	wrong := slices.Concat(shapes.Wrong, shapes.Lengths)
	for i, err := range wrong {
		found, ok := errors.AsType[*fault.Error](err)
		if !ok {
			continue
		}
		path, rest, _ := strings.Cut(found.Path, ": ") // what follows is the subject and the story
		if files[path] != "" {
			named := *found
			named.Path = files[path] + ": " + rest
			wrong[i] = &named
		}
	}
	return f.refuse(wrong)
}

// withHeaders is the data set with a file in dir that has the shape alone, in place of each response that cannot be
// read where it lies, and the files that they stand for.
func (f *Found) withHeaders(dir string) (*Found, map[string]string, error) {
	out, files := *f, map[string]string{}
	out.Subjects = slices.Clone(f.Subjects)
	for i := range out.Subjects {
		s := &out.Subjects[i]
		s.Responses = slices.Clone(s.Responses)
		for k := range s.Responses {
			r := &s.Responses[k]
			if r.InPlace {
				continue
			}
			path := filepath.Join(dir, fmt.Sprintf("%d-%d.npy", i, k))
			repeats, rows, voxels := r.Extent()
			head := npyheader.Make(elements.Int8, r.Shape)
			err := os.WriteFile(path, head, 0o600)
			if err == nil {
				err = os.Truncate(path, int64(len(head))+int64(repeats)*int64(rows)*int64(voxels))
			}
			if err != nil {
				return nil, nil, fault.Wrap(fault.IO, op, path, err)
			}
			files[path] = r.File
			r.File, r.Array = path, ""
		}
	}
	return &out, files, nil
}

// located puts the source in the place of the temporary file of a check.
func (f *Found) located(err error, path string) error {
	if known, ok := errors.AsType[*fault.Error](err); ok {
		named := *known
		named.Path = f.Source
		return &named
	}
	return fault.Wrap(fault.BadData, op, path, err)
}

// saveTransposed is the hint for a matrix of voxels × TRs, and mayTranspose that of a kind that can transpose it.
const (
	saveTransposed = "save it as TRs × voxels"
	mayTranspose   = "save it as TRs × voxels, or import it transposed"
)

// shownErrors of matrices that do not fit are named in full.
const shownErrors = 5

// refuse joins what does not fit to one error with the hint of the first.
func (f *Found) refuse(wrong []error) error {
	if len(wrong) == 0 {
		return nil
	}
	out := fault.New(fault.BadData, op, f.Source, "")
	for i, err := range wrong {
		found, ok := errors.AsType[*fault.Error](err)
		switch {
		case !ok || i >= shownErrors:
			continue
		case i > 0:
			out.Reason += "; "
		}
		out.Reason += relative(f.Source, found.Path) + ": " + found.Reason
		if out.Hint == "" {
			out.Hint = found.Hint
			if f.Kind == "arrays" && found.Hint == saveTransposed {
				out.Hint = mayTranspose
			}
		}
	}
	if n := len(wrong) - shownErrors; n > 0 {
		out.Reason += fmt.Sprintf("; and %d more matrices do not fit", n)
	}
	return out
}

// outside refuses a folder within the source, links followed.
func (f *Found) outside(dir string) error {
	source, err := filepath.EvalSymlinks(f.Source)
	if err != nil {
		return fault.Wrap(fault.Missing, op, f.Source, err)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return fault.Wrap(fault.IO, op, dir, err)
	}
	for at := abs; ; at = filepath.Dir(at) {
		if real, err := filepath.EvalSymlinks(at); err == nil {
			if rest, err := filepath.Rel(source, real); err == nil && filepath.IsLocal(rest) {
				return fault.New(fault.Usage, op, dir, "lies within %s, where nothing is written", f.Source).
					WithHint("choose a folder elsewhere")
			}
			return nil
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}
