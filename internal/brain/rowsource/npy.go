package rowsource

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/npy"
)

// Open opens a .npy file of two or three dimensions by its header.
func Open(path string) (Source, error) {
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

// npySource is a .npy file in row-major order. Each read opens the file, so that a study of
// hundreds of files holds none open.
type npySource struct {
	file                   *npy.File
	repeats, rows, columns int
}

// Shape returns the numbers of repeats, rows and columns.
func (s *npySource) Shape() (repeats, rows, columns int) { return s.repeats, s.rows, s.columns }

// Stored returns the type in the file if it is not a float.
func (s *npySource) Stored() string {
	switch s.file.DType {
	case npy.Float16, npy.Float32, npy.Float64:
		return ""
	}
	return string(s.file.DType)
}

// ReadRows fills out with rows from ≤ k < to of a repeat.
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

// ReadRows reads all of the file.
func (s *npyColumns) ReadRows(ctx context.Context, repeat, from, to int, out []float32) error {
	return rowsOfTiles(ctx, s, repeat, from, to, out)
}

// ReadTile fills out with columns from ≤ c < to of all repeats and rows, (repeats, rows, to-from).
func (s *npyColumns) ReadTile(ctx context.Context, from, to int, out []float32) error {
	r, err := s.file.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	length, width := s.repeats*s.rows, to-from // of a column in the file
	step := max(1, min(width, 1<<16/length))
	buffer := Buffers.Get().(*[]float32)
	defer Buffers.Put(buffer)
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
