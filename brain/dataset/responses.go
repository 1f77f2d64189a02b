package dataset

import (
	"context"
	"fmt"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/rowsource"
)

// Responses are the responses of one subject to one story, opened by the header of their file.
// Values are read when they are asked for; they are as they are stored, and whether they are finite
// is for who reads them all to check, as [Dataset.ReadResponses] does. The methods may be
// called from several goroutines at once.
type Responses struct {
	Subject, Story         string
	Repeats, Rows, Columns int
	Stored                 string // the type in the file if it is not a float: "int16"
	Copied                 string // why they are read from a copy in Spec.CacheDir: "text"; "": they are not
	Empty                  []int  // columns without values, ascending: their values here are 0

	Source Source // of the values
	Where  string // the file and what it is of, for errors
}

// OpenResponses opens the responses of a subject to a story. Of a .npy file only the header is
// read, and checked; what another program puts in memory is loaded and stays with the result, and so is
// text without Spec.CacheDir.
func (d *Dataset) OpenResponses(ctx context.Context, subject, story string) (*Responses, error) {
	s, err := d.subject(subject)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(s.Responses, func(r Response) bool { return r.Story == story })
	if i < 0 {
		return nil, fault.New(fault.Missing, "read responses", d.spec.Name, "subject %s has no responses to story %s",
			subject, story)
	}
	r, err := s.Responses[i].open(ctx, fmt.Sprintf("subject %s, story %s", subject, story))
	if err != nil {
		return nil, err
	}
	if r.Empty, err = d.emptyOf(ctx, s, r.Columns); err != nil {
		return nil, err
	}
	r.Subject, r.Story, r.Source = subject, story, rowsource.Masked(r.Source, r.Empty)
	return r, nil
}

// ReadResponses loads all responses of a subject to a story into memory. Those that are in memory
// are not copied.
func (d *Dataset) ReadResponses(ctx context.Context, subject, story string) (*Matrix, error) {
	r, err := d.OpenResponses(ctx, subject, story)
	if err != nil {
		return nil, err
	}
	return r.all(ctx)
}

// open opens what a Response refers to; what is its name in errors.
func (r Response) open(ctx context.Context, what string) (*Responses, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	out := &Responses{Where: what}
	if path := r.path(); path != "" {
		out.Where = path + ": " + what
	}
	if r.Source.Absent() {
		m, err := r.Matrix.Load(ctx)
		if err != nil {
			return nil, err
		}
		out.Source, out.Stored = memory{m}, m.Stored
	} else {
		s, err := r.Source.Load(ctx)
		if err != nil {
			return nil, err
		}
		out.Source = s
		if file, ok := s.(interface{ Stored() string }); ok {
			out.Stored = file.Stored()
		}
		if c, ok := s.(rowsource.Copy); ok {
			out.Copied = c.Why
		}
	}
	out.Repeats, out.Rows, out.Columns = out.Source.Shape()
	return out, shapeError(out.Source, out.Where)
}

// path returns the file of a Response, "" if it has none.
func (r Response) path() string { return r.Source.Path + r.Matrix.Path }

// ReadRows fills out with rows from ≤ k < to of a repeat, (to-from, Columns). It is fast where rows
// are stored together: in a row-major .npy file and in memory.
func (r *Responses) ReadRows(ctx context.Context, repeat, from, to int, out []float32) error {
	r.mustContain(repeat, from, to, r.Rows)
	return r.Source.ReadRows(ctx, repeat, from, to, out)
}

// mustContain panics unless from ≤ to are within n and there is such a repeat.
func (r *Responses) mustContain(repeat, from, to, n int) {
	if repeat < 0 || repeat >= r.Repeats || from < 0 || to < from || to > n {
		panic(fmt.Sprintf("dataset: %d to %d of %d in repeat %d of %d", from, to, n, repeat, r.Repeats))
	}
}

// all loads the responses into memory, and refuses values that are not finite. A matrix in
// memory is not copied.
func (r *Responses) all(ctx context.Context) (*Matrix, error) {
	held, ok := r.Source.(memory)
	m := held.Matrix
	if !ok {
		m = &Matrix{Repeats: r.Repeats, Rows: r.Rows, Voxels: r.Columns, Stored: r.Stored,
			Data: make([]float32, r.Repeats*r.Rows*r.Columns)}
		if err := r.fill(ctx, m); err != nil {
			return nil, err
		}
	}
	var bad rowsource.NotFinite
	for i, v := range m.Data {
		if v-v != 0 { // NaN and the infinities
			bad.Add(i, v)
		}
	}
	if err := bad.Err(r.Source, r.Where); err != nil {
		return nil, err
	}
	return m, nil
}

func (r *Responses) fill(ctx context.Context, m *Matrix) error {
	if s, ok := r.Source.(rowsource.Columns); ok {
		return s.ReadTile(ctx, 0, r.Columns, m.Data)
	}
	for k := range r.Repeats {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := r.Source.ReadRows(ctx, k, 0, r.Rows, m.repeat(k)); err != nil {
			return err
		}
	}
	return nil
}
