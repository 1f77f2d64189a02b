package imports

import (
	"context"
	"io"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/disk"
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// state is what an unfinished import knows of a response that it read: from what, and what came out.
type state struct {
	Sources  []File        `json:"sources"`
	Array    string        `json:"array"`
	Shape    []int         `json:"shape"`
	Dropped  [2]int        `json:"dropped_rows"`
	Treated  string        `json:"treated,omitempty"`
	Selected string        `json:"selected,omitempty"` // digest of what selects columns
	DType    elements.Kind `json:"dtype"`              // "" if nothing is written
	Modified int64         `json:"modified"`
	Made     *copied       `json:"made"`
}

func npyName(subject, story string) string { return filepath.Join(subject, story+".npy") }

// subject reads all responses of a subject, then leaves the same voxels out of all of them.
func (j *job) subject(ctx context.Context, i int) error {
	s := &j.Subjects[i]
	if err := j.folder.MkdirAll(s.Name, 0o777); err != nil {
		return disk.Fault(op, j.folder.Path(s.Name), err)
	}
	if err := j.folder.MkdirAll(filepath.Join(stateName, s.Name), 0o777); err != nil {
		return disk.Fault(op, j.folder.Path(s.Name), err)
	}
	s.KeepNaN = s.KeepNaN || j.opt.Link // nothing can be left out of files as they are
	var empty, everywhere []int
	made := make([]*copied, len(s.Responses))
	for k := range s.Responses {
		var err error
		if made[k], err = j.response(ctx, s, &s.Responses[k], empty); err != nil {
			return err
		}
		if everywhere = union(everywhere, made[k].Empty); !s.KeepNaN {
			empty = everywhere
		}
	}
	_, _, voxels := s.Responses[0].Extent()
	if len(everywhere)+len(s.dropped()) == voxels {
		return fault.New(fault.BadData, op, quote.OneLine(s.Responses[0].File),
			"subject %s has no voxel with numbers in all stories", s.Name)
	}
	for k := range made {
		if j.opt.Link || slices.Equal(made[k].LeftOut, empty) {
			continue
		}
		var err error
		if made[k], err = j.narrowed(ctx, s, &s.Responses[k], made[k], empty); err != nil {
			return err
		}
	}
	j.out = append(j.out, made)
	return j.voxels(s, empty, voxels)
}

// response reads a response, and writes it unless it is linked. What an earlier call finished stays as it is.
func (j *job) response(ctx context.Context, s *Subject, r *Response, leftOut []int) (*copied, error) {
	sources, err := r.sources()
	if err != nil {
		return nil, err
	}
	repeats, rows, _ := r.Extent()
	now := state{Sources: sources, Array: r.Array, Shape: r.Shape, Dropped: r.Dropped, Treated: r.Treated,
		Selected: s.selected()}
	name := npyName(s.Name, r.Story)
	if !j.opt.Link {
		now.DType = j.opt.DType
		j.files[name] = true
	}
	if done := j.before(s, r, now); done != nil {
		j.step(repeats*rows, s, r)
		return done, nil
	}
	read := func(w io.Writer) (err error) {
		now.Made, err = stream(ctx, s, r, leftOut, j.opt.DType, w, func() { j.step(1, s, r) })
		return err
	}
	if j.opt.Link {
		err = read(nil)
	} else {
		err = atomicfile.WriteIn(j.folder, name, read)
	}
	if err != nil {
		return nil, err
	}
	return now.Made, j.remember(s, r, now)
}

// before returns what an earlier call made of the same sources, nil if it made nothing or something else.
func (j *job) before(s *Subject, r *Response, now state) *copied {
	var then state
	if jsonfile.ReadIn(op, j.folder, stateOf(s, r), &then) != nil || then.Made == nil {
		return nil
	}
	if now.DType != "" {
		info, err := j.folder.Lstat(npyName(s.Name, r.Story))
		if err != nil || info.Size() != then.Made.Bytes || info.ModTime().UnixNano() != then.Modified {
			return nil
		}
	}
	now.Made, now.Modified = then.Made, then.Modified
	if !reflect.DeepEqual(plainState(now), plainState(then)) {
		return nil
	}
	return then.Made
}

// plainState is a state without what is not written.
func plainState(s state) state {
	s.Sources = slices.Clone(s.Sources)
	for i := range s.Sources {
		s.Sources[i] = File{Path: s.Sources[i].Path, Bytes: s.Sources[i].Bytes, Modified: s.Sources[i].Modified.UTC(),
			Key: s.Sources[i].Key}
	}
	return s
}

func stateOf(s *Subject, r *Response) string {
	return filepath.Join(stateName, s.Name, r.Story+".json")
}

// remember keeps what was made of a response for another call.
func (j *job) remember(s *Subject, r *Response, now state) error {
	if now.DType != "" {
		info, err := j.folder.Lstat(npyName(s.Name, r.Story))
		if err != nil {
			return disk.Fault(op, j.folder.Path(npyName(s.Name, r.Story)), err)
		}
		now.Modified = info.ModTime().UnixNano()
	}
	return jsonfile.WriteIn(j.folder, stateOf(s, r), now)
}

// narrowed writes a response again without more voxels.
func (j *job) narrowed(ctx context.Context, s *Subject, r *Response, made *copied, leftOut []int) (*copied, error) {
	sources, err := r.sources()
	if err != nil {
		return nil, err
	}
	name := npyName(s.Name, r.Story)
	now := state{Sources: sources, Array: r.Array, Shape: r.Shape, Dropped: r.Dropped, Treated: r.Treated,
		Selected: s.selected(), DType: j.opt.DType}
	if err := atomicfile.WriteIn(j.folder, name, func(w io.Writer) (err error) {
		now.Made, err = narrow(ctx, j.folder, name, s, r, made, leftOut, j.opt.DType, w)
		return err
	}); err != nil {
		return nil, err
	}
	return now.Made, j.remember(s, r, now)
}

func (j *job) step(rows int, s *Subject, r *Response) {
	if j.done += rows; j.opt.Progress != nil {
		j.opt.Progress("import", j.done, j.total, s.Name+"/"+r.Story)
	}
}

// union joins two ascending lists.
func union(a, b []int) []int {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}
