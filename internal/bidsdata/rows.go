package bidsdata

import (
	"errors"
	"iter"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/cifti"
	"github.com/brainwavlm/bwlm/internal/gifti"
	"github.com/brainwavlm/bwlm/internal/nifti"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// series is a file that is read row by row.
type series interface {
	Columns() int
	Each(visit func(row int, values []float32) error) error
}

// Each calls visit with each row of the scan's files, from row 0 of the file, in a slice that is used again. Voxels are
// the columns of volumes, by their places in the file, as [nifti.OpenSeries] takes them; nil means all, and it must be
// nil for other forms. A surface has the vertices of the left hemisphere, then those of the right one.
func (s Scan) Each(voxels []int, visit func(row int, values []float32) error) error {
	switch {
	case s.Form.Kind == Volumes:
		in, err := nifti.OpenSeries(s.Files[0], voxels)
		if err != nil {
			return err
		}
		defer in.Close()
		return in.Each(visit)
	case voxels != nil:
		return fault.New(fault.Usage, reading, quote.OneLine(s.Files[0]), "voxels are of volumes, this is %s", s.Form)
	case s.Form.Kind == Dense:
		in, err := cifti.OpenSeries(s.Files[0])
		if err != nil {
			return err
		}
		return in.Each(visit)
	}
	both := make([]series, len(s.Files))
	for i, file := range s.Files {
		in, err := gifti.OpenSeries(file, s.Columns/2)
		if err != nil {
			return err
		}
		both[i] = in
	}
	return beside(both[0], both[1], visit)
}

// result is a row, or an error.
type result struct {
	values []float32
	err    error
}

var errEnough = errors.New("enough")

// results are the rows of a series; an error is the last of them.
func results(s series) iter.Seq[result] {
	return func(yield func(result) bool) {
		err := s.Each(func(_ int, values []float32) error {
			if !yield(result{values: values}) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(result{err: err})
		}
	}
}

// beside joins the rows of two series.
func beside(left, right series, visit func(row int, values []float32) error) error {
	next, stop := iter.Pull(results(right))
	defer stop()
	joined := make([]float32, left.Columns()+right.Columns())
	return left.Each(func(row int, values []float32) error {
		r, ok := next()
		switch {
		case r.err != nil:
			return r.err
		case !ok:
			return fault.New(fault.BadData, reading, "", "the right hemisphere has no row %d", row)
		}
		copy(joined, values)
		copy(joined[len(values):], r.values)
		return visit(row, joined)
	})
}
