package bids

import (
	"context"
	"io"
	"iter"

	"github.com/brainwavlm/bwlm/internal/bidsdata"
	"github.com/brainwavlm/bwlm/internal/brain/imports"
	"github.com/brainwavlm/bwlm/internal/clean"
	"github.com/brainwavlm/bwlm/internal/scanrows"
)

// reader opens the scans of a subject. It keeps what is taken out of the last one, since the next story may be of the
// same scan.
type reader struct {
	columns *scanrows.Columns
	recipe  clean.Recipe
	files   func(bidsdata.Scan) []string // that a scan is made from
	file    string
	scan    *scanrows.Scan
}

// open returns a scan. The digests of its files are compared first, where git-annex lists them.
func (r *reader) open(s bidsdata.Scan) (*scanrows.Scan, error) {
	if r.file == s.Files[0] {
		return r.scan, nil
	}
	r.file, r.scan = "", nil
	for _, file := range r.files(s) {
		if err := imports.CheckDigest(file); err != nil {
			return nil, err
		}
	}
	scan, err := scanrows.Open(s, r.columns, r.recipe)
	if err != nil {
		return nil, err
	}
	r.file, r.scan = s.Files[0], scan
	return scan, nil
}

// rows are the rows of a story in one or several scans, its repeats.
type rows struct {
	next func() (row, bool)
	stop func()
}

// row is a row, or an error.
type row struct {
	values []float32
	err    error
}

// opener reads rows of a story from the scans of its repeats, as many of each.
func (r *reader) opener(scans []bidsdata.Scan, count int) imports.Opener {
	return func(ctx context.Context) (imports.Rows, error) {
		next, stop := iter.Pull(func(yield func(row) bool) {
			for _, s := range scans {
				if !r.each(ctx, s, count, yield) {
					return
				}
			}
		})
		return &rows{next, stop}, nil
	}
}

// each yields the rows of a story in a scan. It is false if no more are wanted.
func (r *reader) each(ctx context.Context, s bidsdata.Scan, count int, yield func(row) bool) bool {
	scan, err := r.open(s)
	stopped := false
	if err == nil {
		err = scan.Each(ctx, s.FromRow, s.FromRow+count, func(_ int, values []float32) error {
			if !yield(row{values: values}) {
				stopped = true
				return io.EOF
			}
			return nil
		})
	}
	switch {
	case stopped:
		return false
	case err != nil:
		yield(row{err: err})
		return false
	}
	return true
}

// Next fills dst with the next row.
func (r *rows) Next(dst []float64) error {
	line, ok := r.next()
	switch {
	case !ok:
		return io.EOF
	case line.err != nil:
		return line.err
	}
	for i, v := range line.values {
		dst[i] = float64(v)
	}
	return nil
}

// Close ends reading.
func (r *rows) Close() error {
	r.stop()
	return nil
}
