package dataset

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/npy"
)

// Source holds the responses of one subject to one story and is read by rows: a file, or a
// generator. Its methods may be called from several goroutines at once. A [Matrix] is one in
// memory.
type Source interface {
	// Shape returns the numbers of repeats, rows (TRs) and columns (voxels).
	Shape() (repeats, rows, columns int)

	// ReadRows fills out with rows from ≤ k < to of a repeat, (to-from, columns), one row after
	// another.
	ReadRows(ctx context.Context, repeat, from, to int, out []float32) error
}

// columnSource is a Source whose columns are stored together, so that whole columns are what it
// reads fast.
type columnSource interface {
	Source

	// readTile fills out with columns from ≤ c < to of all repeats and rows, (repeats, rows,
	// to-from).
	readTile(ctx context.Context, from, to int, out []float32) error
}

// source opens a .npy file of two or three dimensions by its header.
func (f folder) source(_ context.Context, name string) (Source, error) {
	path, err := f.find(name)
	if err != nil {
		return nil, err
	}
	file, err := npy.Stat(path)
	if err != nil {
		return nil, err
	}
	s := npySource{file: file, repeats: 1}
	switch shape := file.Shape; len(shape) {
	case 2:
		s.rows, s.columns = shape[0], shape[1]
	case 3:
		s.repeats, s.rows, s.columns = shape[0], shape[1], shape[2]
	default:
		return nil, fault.New(fault.BadData, "read matrix", path,
			"shape %v, want TRs × voxels or repeats × TRs × voxels", shape)
	}
	if file.DType == npy.Bool {
		return nil, fault.New(fault.BadData, "read matrix", path, "the values are booleans, want numbers")
	}
	if file.ByColumns {
		return &npyColumns{s}, nil
	}
	return &s, nil
}

// isNPY reports whether a file of responses is read by rows; others are text.
func isNPY(name string) bool { return strings.EqualFold(filepath.Ext(name), ".npy") }

// npySource is a .npy file in row-major order. Each read opens the file, so that a study of
// hundreds of files holds none open.
type npySource struct {
	file                   *npy.File
	repeats, rows, columns int
}

func (s *npySource) Shape() (repeats, rows, columns int) { return s.repeats, s.rows, s.columns }

// stored returns the type in the file if it is not a float.
func (s *npySource) stored() string {
	switch s.file.DType {
	case npy.Float16, npy.Float32, npy.Float64:
		return ""
	}
	return string(s.file.DType)
}

func (s *npySource) ReadRows(_ context.Context, repeat, from, to int, out []float32) error {
	r, err := s.file.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	return r.Float32((repeat*s.rows+from)*s.columns, out[:(to-from)*s.columns])
}

// npyColumns is a .npy file in column-major (Fortran) order: repeats run fastest, then rows.
type npyColumns struct{ npySource }

// ReadRows reads all of the file, a tile at a time: each row is spread over it.
func (s *npyColumns) ReadRows(ctx context.Context, repeat, from, to int, out []float32) error {
	width := tileColumns(s.repeats, s.rows)
	tile := make([]float32, s.repeats*s.rows*min(width, s.columns))
	for at := 0; at < s.columns; at += width {
		w := min(width, s.columns-at)
		if err := s.readTile(ctx, at, at+w, tile); err != nil {
			return err
		}
		for k := from; k < to; k++ {
			copy(out[(k-from)*s.columns+at:][:w], tile[(repeat*s.rows+k)*w:])
		}
	}
	return nil
}

func (s *npyColumns) readTile(ctx context.Context, from, to int, out []float32) error {
	r, err := s.file.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	length, width := s.repeats*s.rows, to-from // of a column in the file
	step := max(1, min(width, 1<<16/length))
	buffer := buffers.Get().(*[]float32)
	defer buffers.Put(buffer)
	*buffer = slices.Grow((*buffer)[:0], step*length)
	columns := (*buffer)[:step*length]
	for at := 0; at < width; at += step {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		n := min(step, width-at)
		if err := r.Float32((from+at)*length, columns[:n*length]); err != nil {
			return err
		}
		for i, x := range columns[:n*length] {
			k, repeat := i%length/s.repeats, i%s.repeats
			out[(repeat*s.rows+k)*width+at+i/length] = x
		}
	}
	return nil
}

// slabBytes bounds the values that a pass over responses holds at once.
const slabBytes = 8 << 20

// tileColumns returns the number of whole columns that a pass holds at once.
func tileColumns(repeats, rows int) int { return max(1, slabBytes/4/max(repeats*rows, 1)) }

// Shape returns the numbers of repeats, rows and columns.
func (m *Matrix) Shape() (repeats, rows, columns int) { return m.Repeats, m.Rows, m.Voxels }

// ReadRows copies rows from ≤ k < to of a repeat to out.
func (m *Matrix) ReadRows(_ context.Context, repeat, from, to int, out []float32) error {
	copy(out[:(to-from)*m.Voxels], m.Data[(repeat*m.Rows+from)*m.Voxels:])
	return nil
}

// shapeError refuses responses that are empty, or whose values do not fit their shape.
func shapeError(s Source, where string) error {
	bad := func(why string, args ...any) error {
		return fault.New(fault.BadData, "read responses", where, why, args...)
	}
	repeats, rows, columns := s.Shape()
	if repeats < 1 || rows < 1 || columns < 1 {
		return bad("the matrix is empty: %d repeats of %d TRs × %d voxels", repeats, rows, columns)
	}
	if m, ok := s.(*Matrix); ok && len(m.Data) != repeats*rows*columns {
		return bad("%d values for %d repeats of %d TRs × %d voxels", len(m.Data), repeats, rows, columns)
	}
	return nil
}

// notFinite counts the values of responses that are not finite, and remembers the first.
type notFinite struct {
	count, at int // at: the place of the first, counted through repeats, rows and columns
	value     float32
}

// add notes the value at a place.
func (n *notFinite) add(at int, value float32) {
	if n.count == 0 || at < n.at {
		n.at, n.value = at, value
	}
	n.count++
}

// err names the first value, or is nil if there is none.
func (n *notFinite) err(s Source, where string) error {
	if n.count == 0 {
		return nil
	}
	repeats, rows, columns := s.Shape()
	k, voxel := n.at/columns, n.at%columns
	at := fmt.Sprintf("TR %d, voxel %d", k%rows, voxel)
	if repeats > 1 {
		at = fmt.Sprintf("repeat %d, %s", k/rows, at)
	}
	return fault.New(fault.BadData, "read responses", where, "%s is %g (%d of %d values are not finite)", at, n.value,
		n.count, repeats*rows*columns).
		WithHint("repair or leave out these values first; no value is filled in")
}
