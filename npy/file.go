package npy

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/npyheader"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// File describes a .npy file of which only the header was read. [File.Open] reads elements on
// demand, so that neither the file need fit in memory nor many of them be open at once.
type File struct {
	Shape     []int
	DType     DType
	ByColumns bool // the first index runs fastest ("Fortran order")

	path    string
	header  *npyheader.Header
	size    int64     // of the file
	changed time.Time // its last change
}

// Stat reads the header of the .npy file at path, of what [Read] reads, and checks it against the
// length of the file.
func Stat(path string) (*File, error) {
	file, size, err := inputfile.Open(reading, path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	h, err := npyheader.Read(file, size)
	if err != nil {
		return nil, wrongKind(file, size, path, err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, inputfile.Error(reading, path, err)
	}
	return &File{Shape: h.Shape, DType: DType(h.DType), ByColumns: h.ByColumns, path: path, header: h, size: size,
		changed: info.ModTime()}, nil
}

// Open opens the file for reading elements. A file that has changed since [Stat] is an error of
// kind IO. The caller closes the reader.
func (f *File) Open() (*Reader, error) {
	file, err := os.Open(f.path)
	if err != nil {
		return nil, inputfile.Error(reading, f.path, err)
	}
	info, err := file.Stat()
	if err == nil && (info.Size() != f.size || !info.ModTime().Equal(f.changed)) {
		err = fault.New(fault.IO, reading, quote.OneLine(f.path), "the file has changed since it was opened").
			WithHint("try again when nothing writes it")
	}
	if err != nil {
		file.Close()
		return nil, inputfile.Error(reading, f.path, err)
	}
	return &Reader{File: f, file: file}, nil
}

// Reader reads elements of an open .npy file.
type Reader struct {
	*File
	file *os.File
	data *[]byte // a piece of the file; from pieces
}

// pieces are the buffers of readers that are closed.
var pieces = sync.Pool{New: func() any { return new([]byte) }}

// Close closes the file. A second Close does nothing.
func (r *Reader) Close() error {
	if r.data != nil {
		pieces.Put(r.data)
		r.data = nil
	}
	if err := r.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return inputfile.Error(reading, r.path, err)
	}
	return nil
}

// pieceBytes is how much a Reader reads at once: few reads, since each may be one over a network. Tests make it
// smaller.
var pieceBytes = 64 << 20

// Float32 fills out with len(out) consecutive elements from element at on, counted in the order of
// the file, as [Array.Float32] converts them.
func (r *Reader) Float32(at int, out []float32) error {
	size := r.DType.size()
	step := max(1, pieceBytes/size)
	if r.data == nil {
		r.data = pieces.Get().(*[]byte)
	}
	for len(out) > 0 {
		n := min(step, len(out))
		*r.data = slices.Grow((*r.data)[:0], n*size)
		data := (*r.data)[:n*size]
		if err := inputfile.Fill(r.file, data, r.header.Start+int64(at)*int64(size)); err != nil {
			return inputfile.Error(reading, r.path, err)
		}
		r.header.ToLittleEndian(data)
		if err := r.convert(at, data, out[:n]); err != nil {
			return err
		}
		at, out = at+n, out[n:]
	}
	return nil
}

// convert turns the elements from at on into float32.
func (r *Reader) convert(at int, data []byte, out []float32) error {
	if r.DType == Float32 { // the usual case, without another copy
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
		return nil
	}
	x, err := elements.Numbers[float32](data, elements.Kind(r.DType))
	var large *elements.RangeError
	switch {
	case errors.As(err, &large): // name the element by its place in the array, not in the piece
		large.Index = r.byRow(at + large.Index)
		return unreadable(r.path, large)
	case err != nil:
		return unreadable(r.path, err)
	}
	copy(out, x)
	return nil
}

// byRow returns the number of element i of the file, counted row by row.
func (r *Reader) byRow(i int) int {
	if !r.ByColumns {
		return i
	}
	n, stride := 0, 1
	index := make([]int, len(r.Shape))
	for k, d := range r.Shape { // the first index runs fastest
		index[k], i = i%d, i/d
	}
	for k := len(index) - 1; k >= 0; k-- {
		n += index[k] * stride
		stride *= r.Shape[k]
	}
	return n
}
