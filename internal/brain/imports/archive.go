package imports

import (
	"context"
	"errors"
	"io"
	"math"
	"sync"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/arrayfile"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/stored"
)

// Archive is a file of which several arrays are wanted. It is opened once, and its digest is compared before the first
// array is read. Arrays of a compressed file are best read in their order.
type Archive struct {
	path   string
	mu     sync.Mutex
	file   *digested
	arrays arrayfile.File
}

// Archive returns the file at a path. [Found.Import] closes it.
func (f *Found) Archive(path string) *Archive {
	a := &Archive{path: path}
	f.opened = append(f.opened, a)
	return a
}

// Response is the responses to a story that an array of the file holds.
func (a *Archive) Response(story string, array stored.Array) Response {
	return Response{Story: story, File: a.path, Array: array.Name, Shape: array.Shape, DType: array.DType,
		Offset: array.Offset, InPlace: array.Offset >= 0 && !array.ByColumns, Open: a.Rows(array.Name)}
}

// Rows reads an array of the file.
func (a *Archive) Rows(name string) Opener { return a.rows(name, form{}) }

// rows reads an array that may be of another form.
func (a *Archive) rows(name string, as form) Opener {
	return func(context.Context) (Rows, error) {
		if err := a.open(); err != nil {
			return nil, err
		}
		out := &arrayRows{file: a.file, arrays: a.arrays, form: as}
		if err := out.open(a.path, name); err != nil {
			return nil, err
		}
		return out, nil
	}
}

// open opens the file at the first call.
func (a *Archive) open() (err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file != nil {
		return nil
	}
	file, err := openDigested(a.path)
	if err != nil {
		return err
	}
	if err = file.finish(); err == nil {
		a.arrays, err = arrayfile.Open(a.path)
	}
	if err != nil {
		file.Close()
		return err
	}
	a.file = file
	return nil
}

// Close closes the file. It is opened again if it is read.
func (a *Archive) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file == nil {
		return nil
	}
	a.arrays.Close()
	err := a.file.Close()
	a.file, a.arrays = nil, nil
	return err
}

// Columns reads the numbers of columns, of which there are n, from an array of one dimension in a file of arrays.
func Columns(path, name string, n int) ([]int, error) {
	rows, err := OpenArray(path, name)(context.Background())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []int
	for one := []float64{0}; ; {
		switch err := rows.Next(one); {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, err
		case one[0] != math.Trunc(one[0]) || one[0] < 0 || one[0] >= float64(n):
			where := quote.OneLine(path)
			if name != "" {
				where += ": " + quote.OneLine(name)
			}
			return nil, fault.New(fault.BadData, op, where, "element %d is %g, not one of %d columns", len(out),
				one[0], n)
		}
		out = append(out, int(one[0]))
	}
}
