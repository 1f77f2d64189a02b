package ckpt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
)

// NPYFile describes a .npy file of which only the header was read. [NPYFile.Open] reads elements on demand, so that
// neither the file need fit in memory nor many of them be open at once.
type NPYFile struct {
	Shape     []int
	DType     DType
	ByColumns bool // the first index runs fastest ("Fortran order")

	path      string
	bigEndian bool
	start     int64 // of the data
	size      int64 // of the file, with the time of its last change: what was read of it stays true
	changed   time.Time
}

// StatNPY reads the header of the .npy file at path, of what ReadNPY reads, and checks it against the length of the file.
func StatNPY(path string) (*NPYFile, error) {
	file, size, err := inputfile.Open(readNPY, path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, readError(readNPY, path, err)
	}
	h, start, err := readNPYHeader(file, size)
	if err != nil {
		return nil, readError(readNPY, path, err)
	}
	want, err := byteSize(h.dtype, h.shape)
	if err == nil && want != size-start {
		err = fmt.Errorf("shape %v of %v needs %d bytes, the file has %d", h.shape, h.dtype, want, size-start)
	}
	if err != nil {
		return nil, readError(readNPY, path, err)
	}
	return &NPYFile{Shape: h.shape, DType: h.dtype, ByColumns: h.byColumns && len(h.shape) > 1, path: path,
		bigEndian: h.bigEndian, start: start, size: size, changed: info.ModTime()}, nil
}

// Open opens the file for reading elements. A file that has changed since StatNPY is an error of kind IO. The caller
// closes the reader.
func (f *NPYFile) Open() (*NPYReader, error) {
	file, err := os.Open(f.path)
	if err != nil {
		return nil, readError(readNPY, f.path, err)
	}
	info, err := file.Stat()
	if err == nil && (info.Size() != f.size || !info.ModTime().Equal(f.changed)) {
		file.Close()
		return nil, fault.New(fault.IO, readNPY, place(f.path, ""), "the file has changed since it was opened").
			WithHint("try again when nothing writes it")
	}
	if err != nil {
		file.Close()
		return nil, readError(readNPY, f.path, err)
	}
	return &NPYReader{NPYFile: f, file: file}, nil
}

// NPYReader reads elements of an open .npy file.
type NPYReader struct {
	*NPYFile
	file *os.File
	data *[]byte // a piece of the file; from pieces
}

// pieces are the buffers of readers that are closed.
var pieces = sync.Pool{New: func() any { return new([]byte) }}

// Close closes the file. A second Close does nothing.
func (r *NPYReader) Close() error {
	if r.data != nil {
		pieces.Put(r.data)
		r.data = nil
	}
	if err := r.file.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
		return readError(readNPY, r.path, err)
	}
	return nil
}

// Float32 fills out with len(out) consecutive elements from element at on, counted in the order of the file, as
// Array.Float32 converts them.
func (r *NPYReader) Float32(at int, out []float32) error {
	size := r.DType.Size()
	step := max(1, pieceBytes/size)
	if r.data == nil {
		r.data = pieces.Get().(*[]byte)
	}
	for len(out) > 0 {
		n := min(step, len(out))
		*r.data = slices.Grow((*r.data)[:0], n*size)
		data := (*r.data)[:n*size]
		if err := inputfile.Fill(r.file, data, r.start+int64(at)*int64(size)); err != nil {
			return readError(readNPY, r.path, err)
		}
		if r.bigEndian {
			for item := range slices.Chunk(data, size) {
				slices.Reverse(item)
			}
		}
		if err := r.convert(at, data, out[:n]); err != nil {
			return err
		}
		at, out = at+n, out[n:]
	}
	return nil
}

// convert turns the elements from at on into float32.
func (r *NPYReader) convert(at int, data []byte, out []float32) error {
	if r.DType == F32 { // the usual case, without another copy
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
		return nil
	}
	x, err := values(&Array{DType: r.DType, Data: data, name: r.path}, convert[float32])
	if err != nil && r.DType == F64 { // name the element by its place in the matrix, not in the piece
		for i := range len(data) / 8 {
			v := math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:]))
			if math.IsInf(float64(float32(v)), 0) && !math.IsInf(v, 0) {
				return fault.New(fault.BadData, readNPY, place(r.path, ""), "element %d, %g, is too large for a 32-bit float", r.byRow(at+i), v).
					WithHint("save it as another dtype, with numpy's astype")
			}
		}
	}
	copy(out, x)
	return err
}

// byRow returns the number of element i of the file, counted row by row.
func (r *NPYReader) byRow(i int) int {
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
