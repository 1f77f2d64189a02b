package imports

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/brain/datacheck"
)

// op is the operation of errors.
const op = "import data"

// FileName is the name of the description.
const FileName = "dataset.yaml"

// Found is a data set that was found in files. Paths are absolute.
type Found struct {
	Schema   int       `json:"schema"`
	Kind     string    `json:"kind"` // of the source
	Source   string    `json:"source"`
	Name     string    `json:"name"`
	TR       float64   `json:"tr_seconds"`
	Stories  []Story   `json:"stories"`
	Subjects []Subject `json:"subjects"`
	Guessed  []string  `json:"guessed"`
	LeftOut  []LeftOut `json:"left_out"`
	Notes    []string  `json:"notes"` // differences of rows and audio that are usual
}

// Story is a recording with what belongs to it.
type Story struct {
	Name  string `json:"name"`
	Audio string `json:"audio"`
	Words string `json:"words,omitempty"`
}

// Subject is a subject with the file of each story.
type Subject struct {
	Name      string     `json:"name"`
	Responses []Response `json:"responses"`
}

// Response is the file of the responses to a story.
type Response struct {
	Story string `json:"story"`
	File  string `json:"file"`
	Shape []int  `json:"shape"`
}

// LeftOut is a file that is not in the description.
type LeftOut struct {
	File string `json:"file"` // relative to the source
	Why  string `json:"why"`
}

// Check opens the data set that was found and compares rows, shapes and audio by their headers. Differences that are
// usual become Notes. Matrices that do not fit are one error of kind BadData that names them.
func (f *Found) Check(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "bwlm-import-*")
	if err != nil {
		return fault.Wrap(fault.IO, op, "", err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, FileName)
	if err := os.WriteFile(path, f.YAML(), 0o600); err != nil {
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
	return f.refuse(slices.Concat(shapes.Wrong, shapes.Lengths))
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
		}
	}
	if n := len(wrong) - shownErrors; n > 0 {
		out.Reason += fmt.Sprintf("; and %d more matrices do not fit", n)
	}
	return out
}

// Write writes the description into a folder, which is made and which must not lie within the source. A description
// that is there already is an error of kind Exists.
func (f *Found) Write(dir string) error {
	if err := f.outside(dir); err != nil {
		return err
	}
	path := filepath.Join(dir, FileName)
	if _, err := os.Lstat(path); err == nil {
		return fault.New(fault.Exists, op, path, "is there already").WithHint("choose another folder")
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fault.Wrap(fault.IO, op, dir, err)
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(f.YAML())
		return err
	})
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
