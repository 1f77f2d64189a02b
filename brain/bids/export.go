package bids

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/brain/finished"
)

const exporting = "export"

// formats are the kinds of file: nifti and gifti of maps, csv and json of the table of regions.
var formats = []string{"nifti", "gifti", "csv", "json"}

// Options say what to write. The zero value writes all that a run has.
type Options struct {
	Formats []string // "nifti" and "gifti" of maps, "csv" and "json" of the table; nil: all that the run has
	Task    string   // of the names; "": the test story, or stories if there are several
	// of the names, e.g. fsaverage5: whose surface or grid the places are of is nothing that files say
	Space    string
	Force    bool                  // replace what an export wrote
	Version  string                // of bwlm
	Note     func(text string)     // what is left out; may be nil
	Progress func(done, total int) // files; may be nil
}

// Result lists the files written.
type Result struct {
	Schema  int      `json:"schema"`
	Out     string   `json:"out"`
	Formats []string `json:"formats"`
	Files   []string `json:"files"` // below out
}

// Write exports runs below dir, each into a folder of its own if there are several. Of a subject
// there are base, base at its best layer, tuned, delta, ceiling and per cent of ceiling, as far as
// eval/test of the run has them; and p and q if files beside them are called base_p.npy,
// tuned_p.npy, delta_p.npy, or _q.npy. A dir that holds anything is refused without Force, and one
// that is no export is refused anyway.
func Write(ctx context.Context, runs []string, dir string, opt Options) (*Result, error) {
	if opt.Note == nil {
		opt.Note = func(string) {}
	}
	if opt.Progress == nil {
		opt.Progress = func(int, int) {}
	}
	for _, f := range opt.Formats {
		if !slices.Contains(formats, f) {
			return nil, fault.New(fault.Usage, exporting, "Formats", "there is no format %q",
				f).WithHint("there are %s", strings.Join(formats, ", "))
		}
	}
	found, err := finished.Read(ctx, runs...)
	if err != nil {
		return nil, err
	}
	res := &Result{Schema: 1, Out: dir}
	var plans []*plan
	for _, run := range found.Runs {
		p := &plan{run: run, opt: opt}
		if len(found.Runs) > 1 {
			p.below = run.Name
		}
		if err := p.make(); err != nil {
			return nil, err
		}
		plans = append(plans, p)
	}
	if err := makeRoom(dir, opt.Force); err != nil {
		return nil, err
	}
	total := 0
	for _, p := range plans {
		total += len(p.files)
	}
	for _, p := range plans {
		for _, f := range p.files {
			if err := ctx.Err(); err != nil {
				return nil, context.Cause(ctx)
			}
			name := filepath.Join(p.below, f.name)
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				return nil, fault.Wrap(fault.IO, exporting, path, err)
			}
			if err := atomicfile.Write(path, f.write); err != nil {
				return nil, err
			}
			res.Files = append(res.Files, filepath.ToSlash(name))
			opt.Progress(len(res.Files), total)
		}
		for _, f := range p.formats {
			if !slices.Contains(res.Formats, f) {
				res.Formats = append(res.Formats, f)
			}
		}
	}
	return res, nil
}
