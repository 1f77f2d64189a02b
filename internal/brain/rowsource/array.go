package rowsource

import (
	"context"
	"os"
	"time"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/arrayfile"
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/stored"
)

const reading = "read array"

// OpenArray opens an array of two or three dimensions in a file of arrays, where it lies: nothing is copied. The array
// is the one of a name, or the only one that can be meant if it is "". One that is compressed is slow: see [Kept].
func OpenArray(path, name string) (Source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, inputfile.Error(reading, path, err)
	}
	f, err := arrayfile.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	a, err := stored.Choose(reading, path, name, f.Arrays(), f.Others())
	if err != nil {
		return nil, err
	}
	s := arraySource{path: path, array: a, size: info.Size(), changed: info.ModTime()}
	if s.repeats, s.rows, s.columns, err = a.Extent(); err != nil {
		return nil, inputfile.Error(reading, path, err)
	}
	if a.Offset < 0 {
		return &packed{s}, nil
	}
	if a.ByColumns {
		return &arrayColumns{s}, nil
	}
	return &s, nil
}

// arraySource is an array that is stored by rows in a file of several. Each read opens the file.
type arraySource struct {
	path                   string
	array                  stored.Array
	repeats, rows, columns int
	size                   int64
	changed                time.Time
}

// Shape returns the numbers of repeats, rows and columns.
func (s *arraySource) Shape() (repeats, rows, columns int) { return s.repeats, s.rows, s.columns }

// Stored returns the type in the file if it is not a float.
func (s *arraySource) Stored() string {
	switch s.array.DType {
	case elements.Float16, elements.Float32, elements.Float64:
		return ""
	}
	return string(s.array.DType)
}

// Array returns the name of the array in the file.
func (s *arraySource) Array() string { return s.array.Name }

// ReadRows fills out with rows from ≤ k < to of a repeat.
func (s *arraySource) ReadRows(_ context.Context, repeat, from, to int, out []float32) error {
	return s.open(func(r *stored.Reader) error { return stored.ReadRows(r, repeat, from, to, out) })
}

// file opens the file. One that has changed is an error of kind IO.
func (s *arraySource) file() (*os.File, error) {
	file, err := os.Open(s.path)
	if err != nil {
		return nil, inputfile.Error(reading, s.path, err)
	}
	info, err := file.Stat()
	switch {
	case err != nil:
		err = inputfile.Error(reading, s.path, err)
	case info.Size() != s.size || !info.ModTime().Equal(s.changed):
		err = fault.New(fault.IO, reading, quote.OneLine(s.path), "the file has changed since it was opened").
			WithHint("try again when nothing writes it")
	default:
		return file, nil
	}
	file.Close()
	return nil, err
}

// open calls do with a reader of the array.
func (s *arraySource) open(do func(*stored.Reader) error) error {
	file, err := s.file()
	if err != nil {
		return err
	}
	defer file.Close()
	r, err := stored.New(s.array, file, s.array.Offset,
		func(err error) error { return inputfile.Error(reading, s.path, err) })
	if err != nil {
		return err
	}
	return do(r)
}

// arrayColumns is an array that is stored by columns.
type arrayColumns struct{ arraySource }

// ReadRows reads all of the array.
func (s *arrayColumns) ReadRows(ctx context.Context, repeat, from, to int, out []float32) error {
	return rowsOfTiles(ctx, s, repeat, from, to, out)
}

// ReadTile fills out with columns from ≤ c < to of all repeats and rows, (repeats, rows, to-from).
func (s *arrayColumns) ReadTile(ctx context.Context, from, to int, out []float32) error {
	return s.open(func(r *stored.Reader) error {
		width := to - from
		columns := make([]float32, width*s.rows)
		for repeat := range s.repeats {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			if err := stored.ReadColumns(r, repeat, from, to, columns); err != nil {
				return err
			}
			for i, x := range columns {
				out[(repeat*s.rows+i%s.rows)*width+i/s.rows] = x
			}
		}
		return nil
	})
}
