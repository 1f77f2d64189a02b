package results

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
)

// Layout describes the matrices of an evaluation, so that it can be read without data set and model: the
// voxels, which rows, which regions. It is eval/test/layout.json.
type Layout struct {
	Schema   int             `json:"schema"`
	Subjects []LayoutSubject `json:"subjects"`
}

// LayoutSubject describes the matrices of one subject, (rows, voxels).
type LayoutSubject struct {
	Name   string        `json:"name"`
	Voxels int           `json:"voxels"`
	Rows   []design.Rows `json:"rows"` // story by story, as in the matrices
	ROIs   []LayoutROI   `json:"rois"`

	Clips []string `json:"clips,omitempty"` // whose rows follow each other, where stimuli are clips

	// part of a voxel's largest prediction within which two predictions are the same, measured on this machine
	Resolution float64 `json:"resolution,omitempty"`
}

// LayoutROI is a region of interest: the columns of its voxels.
type LayoutROI struct {
	Name    string `json:"name"`
	Columns []int  `json:"columns"`
}

// LayoutFile is the name of the file of a Layout.
const LayoutFile = "layout.json"

// ReadLayout reads the layout of a run.
func ReadLayout(run string) (out Layout, err error) {
	path := filepath.Join(run, "eval", "test", LayoutFile)
	err = jsonfile.ReadOwn("read scores", run, filepath.Join("eval", "test", LayoutFile), &out)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return out, fault.New(fault.Missing, "read scores", run, "there are no scores with a %s", LayoutFile).
			WithHint("evaluate %s", run)
	case err == nil:
		err = CheckSchema(path, out.Schema)
	}
	return out, err
}

// RowsOf names the test rows of a subject.
func (p LayoutSubject) RowsOf() (out []string) {
	for _, r := range p.Rows {
		out = append(out, fmt.Sprintf("%s[%d:%d]", r.Story, r.From, r.To))
	}
	return out
}

// Count is the number of test rows.
func (p LayoutSubject) Count() (n int) {
	for _, r := range p.Rows {
		n += r.To - r.From
	}
	return n
}

// Names returns the names of the subjects.
func (l Layout) Names() (out []string) {
	for _, p := range l.Subjects {
		out = append(out, p.Name)
	}
	return out
}

// Region returns the columns of a region, and whether the subject has it.
func (p LayoutSubject) Region(name string) ([]int, bool) {
	for _, r := range p.ROIs {
		if r.Name == name {
			return r.Columns, true
		}
	}
	return nil, false
}
