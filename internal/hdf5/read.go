package hdf5

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// Span is a range of rows or columns, from From on and before To.
type Span struct{ From, To int }

func (s Span) len() int { return s.To - s.From }

func (s Span) within(n int) bool { return 0 <= s.From && s.From <= s.To && s.To <= n }

// number is a type that elements are read as.
type number interface{ float32 | float64 }

// ReadRows fills out with rows from to to, row by row. Floats are widened exactly or rounded to nearest, and a
// finite number that no float32 can hold is refused; integers are rounded to nearest, and bool is 0 or 1. It holds
// one decoded chunk in memory.
func (d *Dataset) ReadRows(from, to int, out []float32) error {
	return read(d, Span{from, to}, Span{0, d.Columns()}, out)
}

// ReadRows64 is [Dataset.ReadRows] without rounding: only integers of 64 bits are rounded.
func (d *Dataset) ReadRows64(from, to int, out []float64) error {
	return read(d, Span{from, to}, Span{0, d.Columns()}, out)
}

// ReadBlock fills out with some columns of some rows, row by row, as [Dataset.ReadRows] does.
func (d *Dataset) ReadBlock(rows, columns Span, out []float32) error {
	return read(d, rows, columns, out)
}

// ReadBlock64 is [Dataset.ReadBlock] without rounding.
func (d *Dataset) ReadBlock64(rows, columns Span, out []float64) error {
	return read(d, rows, columns, out)
}

// read fills out, (rows, columns).
func read[T number](d *Dataset, rows, columns Span, out []T) error {
	switch {
	case d.refused != nil:
		return d.Err()
	case !rows.within(d.Rows()) || !columns.within(d.Columns()) || rows.len()*columns.len() != len(out):
		return fault.New(fault.Usage, reading, quote.OneLine(d.src.name)+":"+quote.OneLine(d.Name),
			"rows %d to %d and columns %d to %d into %d numbers; the array has %d rows and %d columns", rows.From,
			rows.To, columns.From, columns.To, len(out), d.Rows(), d.Columns())
	case len(out) == 0:
		return nil
	}
	d.src.begin()
	var err error
	if d.layout.class == chunked {
		err = readChunks(d, rows, columns, out)
	} else {
		err = readPlain(d, rows, columns, out)
	}
	var large *elements.RangeError
	if errors.As(err, &large) {
		n := columns.len()
		err = &refusal{fmt.Sprintf("row %d, column %d: %g is too large for a 32-bit float", rows.From+large.Index/n,
			columns.From+large.Index%n, large.Value), "check the array, or read it as 64-bit floats"}
	}
	return d.src.fault(d.Name, err)
}

// pieceBytes is how much of contiguous elements is read at once.
const pieceBytes = 256 << 10

// readPlain reads elements that are not in chunks.
func readPlain[T number](d *Dataset, rows, columns Span, out []T) error {
	var in io.ReaderAt = d.src.r
	at := int64(0)
	if d.layout.class == compact {
		in = bytes.NewReader(d.layout.data)
	} else {
		var err error
		if at, err = d.src.place("the array", d.layout.address, uint64(d.elements())*uint64(d.Type.Size)); err != nil {
			return err
		}
	}
	size, width := d.Type.Size, d.Columns()
	runs, n := rows.len(), columns.len() // runs of n elements that follow each other
	if n == width {
		runs, n = 1, len(out)
	}
	for run := range runs {
		first := (rows.From+run)*width + columns.From
		for done := 0; done < n; {
			k := min(pieceBytes/size, n-done)
			d.src.piece = slices.Grow(d.src.piece[:0], k*size)[:k*size]
			if err := inputfile.Fill(in, d.src.piece, at+int64(first+done)*int64(size)); err != nil {
				return err
			}
			if err := placed(convert(d, out[run*n+done:][:k], d.src.piece, 0, false), run*n+done); err != nil {
				return err
			}
			done += k
		}
	}
	return nil
}

// placed adds the place of the first element to an error that counts from it.
func placed(err error, first int) error {
	var large *elements.RangeError
	if errors.As(err, &large) {
		large.Index += first
	}
	return err
}

// readChunks reads elements that are in chunks: it decodes each chunk that has some of them.
func readChunks[T number](d *Dataset, rows, columns Span, out []T) error {
	x, err := d.chunksOf()
	if err != nil {
		return err
	}
	g := d.grid()
	for _, part := range g.boxes(rows.From, rows.To, columns) {
		var lo, hi []int // chunks
		for axis, n := range g.chunk {
			lo, hi = append(lo, part.lo[axis]/n), append(hi, (part.hi[axis]-1)/n+1)
		}
		for index := slices.Clone(lo); ; {
			var data decoded
			c, found := x.find(g, index)
			if found {
				if data, err = d.chunk(x, c); err != nil {
					return err
				}
			}
			if err := scatter(d, g, part, index, data, rows.From, columns, out); err != nil {
				return err
			}
			if !next(index, lo, hi) {
				break
			}
		}
	}
	return nil
}

// scatter copies the elements that a chunk and a box share to their places in out; those of a chunk without
// data are the fill value.
func scatter[T number](d *Dataset, g grid, part box, index []int, data decoded, firstRow int, columns Span, out []T,
) error {
	lead := g.lead()
	lo, hi := make([]int, lead+1), make([]int, lead+1)
	for axis, n := range g.chunk {
		lo[axis], hi[axis] = max(part.lo[axis], index[axis]*n), min(part.hi[axis], (index[axis]+1)*n)
	}
	n := hi[lead] - lo[lead]
	at := slices.Clone(lo[:lead])
	for {
		row, inChunk := 0, 0 // of the array, and the element in the chunk
		for axis, i := range at {
			row = row*g.shape[axis] + i
			inChunk = inChunk*g.chunk[axis] + i - index[axis]*g.chunk[axis]
		}
		inChunk = inChunk*g.chunk[lead] + lo[lead] - index[lead]*g.chunk[lead]
		to := (row-firstRow)*columns.len() + lo[lead] - columns.From
		if data.data == nil {
			fill := T(d.Fill())
			for i := range n {
				out[to+i] = fill
			}
		} else if err := placed(convert(d, out[to:to+n], data.data, inChunk, data.shuffled), to); err != nil {
			return err
		}
		if !next(at, lo[:lead], hi[:lead]) {
			return nil
		}
	}
}

// convert fills out with the elements of data from first on. Bytes that are shuffled or big-endian are put in order
// some at a time.
func convert[T number](d *Dataset, out []T, data []byte, first int, shuffled bool) error {
	size, kind := d.Type.Size, d.Type.Kind
	if kind == elements.Bool {
		kind = elements.Uint8
	}
	turned := d.Type.BigEndian && size > 1
	if !shuffled && !turned {
		return elements.Fill(out, data[first*size:(first+len(out))*size], kind)
	}
	var buffer [4096]byte
	for done := 0; done < len(out); {
		k := min(len(buffer)/size, len(out)-done)
		some := buffer[:k*size]
		if shuffled {
			gather(some, data, size, first+done)
		} else {
			copy(some, data[(first+done)*size:])
		}
		if turned {
			for i := 0; i < len(some); i += size {
				slices.Reverse(some[i : i+size])
			}
		}
		if err := placed(elements.Fill(out[done:done+k], some, kind), done); err != nil {
			return err
		}
		done += k
	}
	return nil
}
