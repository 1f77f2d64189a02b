package dataset

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/rowsource"
)

// Source holds the responses of one subject to one story and is read by rows: a file, or a
// generator. Its methods may be called from several goroutines at once.
type Source interface {
	// Shape returns the numbers of repeats, rows (TRs) and columns (voxels).
	Shape() (repeats, rows, columns int)

	// ReadRows fills out with rows from ≤ k < to of a repeat, (to-from, columns), one row after
	// another.
	ReadRows(ctx context.Context, repeat, from, to int, out []float32) error
}

// memory is a matrix in memory as a Source.
type memory struct{ *Matrix }

// Shape returns the numbers of repeats, rows and columns.
func (m memory) Shape() (repeats, rows, columns int) { return m.Repeats, m.Rows, m.Voxels }

// ReadRows copies rows from ≤ k < to of a repeat to out.
func (m memory) ReadRows(_ context.Context, repeat, from, to int, out []float32) error {
	copy(out[:(to-from)*m.Voxels], m.Data[(repeat*m.Rows+from)*m.Voxels:])
	return nil
}

// Held returns all values, not a copy.
func (m memory) Held() []float32 { return m.Data }

// source opens a .npy file of two or three dimensions by its header.
func (f folder) source(ctx context.Context, name string) (Source, error) {
	path, err := f.find(name)
	if err != nil {
		return nil, err
	}
	return f.kept.Open(ctx, path, func() (rowsource.Source, error) { return rowsource.Open(path) })
}

// text opens a matrix in text, which is read whole.
func (f folder) text(ctx context.Context, name string) (Source, error) {
	path, err := f.find(name)
	if err != nil {
		return nil, err
	}
	return f.kept.OpenText(ctx, path, func() (rowsource.Source, error) {
		m, err := f.matrix(ctx, name)
		return memory{m}, err
	})
}

// arrayOf opens an array of a file of several: the one of a name, or the only one that can be meant if it is "".
func arrayOf(array string) func(f folder, _ context.Context, name string) (Source, error) {
	return func(f folder, ctx context.Context, name string) (Source, error) {
		path, err := f.find(name)
		if err != nil {
			return nil, err
		}
		return f.kept.Open(ctx, path, func() (rowsource.Source, error) { return rowsource.OpenArray(path, array) })
	}
}

// isNPY reports whether a file of responses is read by rows; others are text.
func isNPY(name string) bool { return strings.EqualFold(filepath.Ext(name), ".npy") }

// shapeError refuses responses that are empty, or whose values do not fit their shape.
func shapeError(s Source, where string) error {
	bad := func(why string, args ...any) error {
		return fault.New(fault.BadData, "read responses", where, why, args...)
	}
	repeats, rows, columns := s.Shape()
	if repeats < 1 || rows < 1 || columns < 1 {
		return bad("the matrix is empty: %d repeats of %d TRs × %d voxels", repeats, rows, columns)
	}
	if m, ok := s.(memory); ok && len(m.Data) != repeats*rows*columns {
		return bad("%d values for %d repeats of %d TRs × %d voxels", len(m.Data), repeats, rows, columns)
	}
	return nil
}
