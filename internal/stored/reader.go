package stored

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/inputfile"
)

// Reader reads elements of an array. Its calls must not run at the same time.
type Reader struct {
	Array
	Repeats, Rows, Columns int // of the matrices that the array is; a vector is one column

	from io.ReaderAt
	at   int64 // where the elements begin in from
	err  func(error) error
	data []byte // room for a piece
}

// New returns a reader of the elements that begin at a place of from. fail makes the error of a read that
// failed.
func New(a Array, from io.ReaderAt, at int64, fail func(error) error) (*Reader, error) {
	r := &Reader{Array: a, from: from, at: at, err: fail}
	var err error
	if _, err = a.Bytes(); err == nil {
		r.Repeats, r.Rows, r.Columns, err = a.Extent()
	}
	if err != nil {
		return nil, fail(err)
	}
	return r, nil
}

// pieceBytes is how much is read at once.
const pieceBytes = 1 << 20

// Number is a type that elements are read as.
type Number interface{ float32 | float64 }

// Elements fills out with elements from number at on, counted as they are stored, as [elements.Numbers] converts
// them; truth values are 0 and 1.
func Elements[T Number](r *Reader, at int64, out []T) error {
	size := r.DType.Size()
	for len(out) > 0 {
		n := min(len(out), pieceBytes/size)
		r.data = slices.Grow(r.data[:0], n*size)[:n*size]
		if err := inputfile.Fill(r.from, r.data, r.at+at*int64(size)); err != nil {
			return r.err(err)
		}
		if err := convert(r, at, out[:n]); err != nil {
			return r.err(err)
		}
		at, out = at+int64(n), out[n:]
	}
	return nil
}

// convert turns the piece that begins with element at into numbers.
func convert[T Number](r *Reader, at int64, out []T) error {
	size := r.DType.Size()
	if r.BigEndian {
		for item := range slices.Chunk(r.data, size) {
			slices.Reverse(item)
		}
	}
	if r.DType == elements.Float32 { // the usual case, without another copy
		for i := range out {
			out[i] = T(math.Float32frombits(binary.LittleEndian.Uint32(r.data[4*i:])))
		}
		return nil
	}
	kind := r.DType
	if kind == elements.Bool {
		if _, err := elements.Bools(r.data, kind); err != nil {
			return fmt.Errorf("from element %d on: %w", at, err)
		}
		kind = elements.Uint8
	}
	x, err := elements.Numbers[T](r.data, kind)
	if large := (*elements.RangeError)(nil); errors.As(err, &large) {
		large.Index += int(at)
		return large
	}
	copy(out, x)
	return err
}

// ReadRows fills out with rows from to to of a repeat, (to-from, Columns), row by row.
func ReadRows[T Number](r *Reader, repeat, from, to int, out []T) error {
	if !r.ByColumns {
		at := (int64(repeat)*int64(r.Rows) + int64(from)) * int64(r.Columns)
		return Elements(r, at, out[:(to-from)*r.Columns])
	}
	part := make([]T, r.Repeats*(to-from)) // of one column; repeats run fastest
	for c := range r.Columns {
		if err := Elements(r, int64(r.Repeats)*(int64(from)+int64(r.Rows)*int64(c)), part); err != nil {
			return err
		}
		for k := range to - from {
			out[k*r.Columns+c] = part[k*r.Repeats+repeat]
		}
	}
	return nil
}

// ReadColumns fills out with columns from to to of a repeat, (to-from, Rows), column by column.
func ReadColumns[T Number](r *Reader, repeat, from, to int, out []T) error {
	if r.ByColumns {
		return wholeColumns(r, repeat, from, to, out)
	}
	n := to - from
	step := 1 // rows that are read at once
	if n == r.Columns {
		step = max(1, pieceBytes/(8*max(1, n)))
	}
	part := make([]T, min(step, r.Rows)*n)
	for row := 0; row < r.Rows; row += step {
		found := part[:min(step, r.Rows-row)*n]
		at := (int64(repeat)*int64(r.Rows)+int64(row))*int64(r.Columns) + int64(from)
		if err := Elements(r, at, found); err != nil {
			return err
		}
		for k, x := range found {
			out[k%n*r.Rows+row+k/n] = x
		}
	}
	return nil
}

// wholeColumns is ReadColumns for columns that follow each other.
func wholeColumns[T Number](r *Reader, repeat, from, to int, out []T) error {
	length := int64(r.Repeats) * int64(r.Rows)
	if r.Repeats == 1 {
		return Elements(r, length*int64(from), out[:(to-from)*r.Rows])
	}
	part := make([]T, length) // repeats run fastest
	for c := from; c < to; c++ {
		if err := Elements(r, length*int64(c), part); err != nil {
			return err
		}
		for row := range r.Rows {
			out[(c-from)*r.Rows+row] = part[row*r.Repeats+repeat]
		}
	}
	return nil
}
