package imports

import (
	"context"
	"io"

	"github.com/brainwavlm/bwlm/internal/arrayfile"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/npyheader"
	"github.com/brainwavlm/bwlm/internal/sniff"
	"github.com/brainwavlm/bwlm/internal/stored"
)

// Rows is responses that are read in the order of their rows: those of the first repeat, then those of the second.
type Rows interface {
	// Next fills dst with the next row. After the last one it finishes the file, comparing its digest if the data set
	// lists one, and returns [io.EOF].
	Next(dst []float64) error
	// Close ends reading.
	Close() error
}

// Opener opens rows.
type Opener func(ctx context.Context) (Rows, error)

// slabBytes bounds the rows that are read at once where that is cheap, and wideBytes where rows are spread over all of
// a file.
const (
	slabBytes = 4 << 20
	wideBytes = 64 << 20
)

// OpenArray reads an array of two or three dimensions in a file of arrays, or a .npy. The digest of the file is that of
// all of it: of a file with many arrays that are wanted, [Found.Archive] computes it once.
func OpenArray(path, name string) Opener { return openAs(path, name, form{}) }

// form is how an array is read that is not as it should be.
type form struct {
	transposed bool // voxels × TRs
	scaled     bool // integers are multiplied by what their attribute says
}

// choose returns the array of a file that is meant.
func (f form) choose(path, name string, file arrayfile.File) (stored.Array, error) {
	if f.scaled {
		arrays, others := arrayfile.Scaled(file)
		return stored.Choose(op, path, name, arrays, others)
	}
	return stored.Choose(op, path, name, file.Arrays(), file.Others())
}

// openAs is OpenArray for an array of another form.
func openAs(path, name string, as form) Opener {
	return func(context.Context) (Rows, error) {
		file, err := openDigested(path)
		if err != nil {
			return nil, err
		}
		out := &arrayRows{file: file, owned: true, form: as}
		if err := out.open(path, name); err != nil {
			out.Close()
			return nil, err
		}
		return out, nil
	}
}

// arrayRows are the rows of an array, read in slabs.
type arrayRows struct {
	file                   *digested
	owned                  bool           // file and arrays are closed with the rows
	arrays                 arrayfile.File // nil of a .npy
	from                   arrayfile.Rows
	form                   form
	scale                  float64 // 0: the numbers are as they should be
	repeats, rows, columns int
	step                   int // rows of a slab
	slab                   []float64
	at                     int // the next row, counted through repeats
	begin, end             int // of the slab
}

func (a *arrayRows) open(path, name string) (err error) {
	var array stored.Array
	if a.arrays != nil {
		array, err = a.form.choose(path, name, a.arrays)
	} else if sniff.Of(a.file.file, a.file.size) == sniff.NPY {
		array, err = inNPY(a.file, path)
	} else if a.arrays, err = arrayfile.Open(path); err == nil {
		array, err = a.form.choose(path, name, a.arrays)
	}
	if err != nil {
		return err
	}
	if a.repeats, a.rows, a.columns, err = array.Extent(); err != nil {
		return inputfile.Error(op, path, err)
	}
	if a.form.transposed {
		a.rows, a.columns = a.columns, a.rows
	}
	a.scale = array.Scale
	if a.from, err = arrayfile.Read(a.arrays, array, a.file, path, a.form.transposed); err != nil {
		return err
	}
	row := 8 * max(1, a.columns)
	a.step = max(1, slabBytes/row)
	if a.from.Spread() {
		a.step = max(1, wideBytes/row)
	}
	if n := a.from.Step(); n > a.step { // whole chunks, if they fit
		a.step = max(a.step, min(n, wideBytes/row))
	} else if n > 1 {
		a.step = a.step / n * n
	}
	a.step = min(a.step, max(1, a.rows))
	return nil
}

// inNPY describes the array of a .npy.
func inNPY(file *digested, path string) (stored.Array, error) {
	h, err := npyheader.Read(io.NewSectionReader(file, 0, file.size), file.size)
	if err != nil {
		return stored.Array{}, inputfile.Error(op, path, err)
	}
	return stored.Array{Name: "array", Shape: h.Shape, DType: h.DType, BigEndian: h.BigEndian, ByColumns: h.ByColumns,
		Offset: h.Start}, nil
}

// Next fills dst with the next row.
func (a *arrayRows) Next(dst []float64) error {
	if a.at == a.repeats*a.rows {
		if !a.owned {
			return io.EOF
		}
		if err := a.file.finish(); err != nil {
			return err
		}
		return io.EOF
	}
	if a.at >= a.end {
		repeat, row := a.at/a.rows, a.at%a.rows
		n := min(a.step, a.rows-row)
		if a.slab == nil {
			a.slab = make([]float64, a.step*a.columns)
		}
		if err := a.from.ReadRows(repeat, row, row+n, a.slab[:n*a.columns]); err != nil {
			return err
		}
		if a.scale != 0 {
			for i := range a.slab[:n*a.columns] {
				a.slab[i] *= a.scale
			}
		}
		a.begin, a.end = a.at, a.at+n
	}
	copy(dst, a.slab[(a.at-a.begin)*a.columns:][:a.columns])
	a.at++
	return nil
}

// Close closes the file.
func (a *arrayRows) Close() error {
	if !a.owned {
		return nil
	}
	if a.arrays != nil {
		a.arrays.Close()
	}
	return a.file.Close()
}

// Part reads rows from ≤ k < to of each repeat of what open reads, which has rows rows.
func Part(open Opener, rows, from, to int) Opener {
	return func(ctx context.Context) (Rows, error) {
		all, err := open(ctx)
		if err != nil {
			return nil, err
		}
		return &part{Rows: all, rows: rows, from: from, to: to}, nil
	}
}

type part struct {
	Rows
	rows, from, to, at int
}

// Next fills dst with the next row of the part.
func (p *part) Next(dst []float64) error {
	for {
		if err := p.Rows.Next(dst); err != nil {
			return err
		}
		k := p.at % p.rows
		p.at++
		if k >= p.from && k < p.to {
			return nil
		}
	}
}

// AnyRows are the rows of an array, in any order.
type AnyRows interface {
	arrayfile.Rows
	Close() error
}

// RowsOf opens an array in a file of arrays for some of its rows. Its digest is not compared.
func RowsOf(path, name string) (AnyRows, error) {
	rows, err := OpenArray(path, name)(context.Background())
	if err != nil {
		return nil, err
	}
	a := rows.(*arrayRows)
	a.file.sum = nil
	return anyRows{a.from, a}, nil
}

type anyRows struct {
	arrayfile.Rows
	io.Closer
}
