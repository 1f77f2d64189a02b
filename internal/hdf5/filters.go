package hdf5

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"

	"github.com/brainwavlm/bwlm/internal/inputfile"
)

// decoder undoes the filters of chunks. It keeps the last chunk, and its buffers.
type decoder struct {
	inflater io.ReadCloser
	stored   []byte    // what is in the file
	out      [2][]byte // what filters give, in turn

	of     *Dataset // of the last chunk
	number uint64   // of the last chunk
	last   decoded
}

// decoded is a chunk without its filters. The bytes of its elements may still be sorted by their place in
// the element, as the filter shuffle leaves them.
type decoded struct {
	data     []byte
	shuffled bool
}

// chunk returns the decoded chunk, until the next call.
func (d *Dataset) chunk(x *chunkIndex, c chunk) (decoded, error) {
	w := &d.src.decoder
	if w.of == d && w.number == c.at {
		return w.last, nil
	}
	w.of = nil
	out, err := d.decode(w, x, c)
	if err != nil {
		return decoded{}, fmt.Errorf("the chunk at byte %d: %w", c.address+uint64(d.src.base), err)
	}
	w.of, w.number, w.last = d, c.at, out
	return out, nil
}

// buffers returns how many buffers of a chunk the filters of a chunk need.
func (d *Dataset) buffers(steps []filter) int {
	n := 1
	for i, step := range steps {
		if step.id == filterShuffle && !d.lazy(steps, i) {
			n = 2
		}
	}
	if len(steps) > 2 {
		n = 2
	}
	return n
}

// lazy reports whether step i is a shuffle of the elements that is undone while they are read.
func (d *Dataset) lazy(steps []filter, i int) bool {
	s := steps[i]
	return i == 0 && s.id == filterShuffle && len(s.values) > 0 && int(s.values[0]) == d.Type.Size
}

// decode undoes the filters of a chunk, the last one first.
func (d *Dataset) decode(w *decoder, x *chunkIndex, c chunk) (decoded, error) {
	var steps []filter
	sums := 0
	for i, step := range d.steps {
		if c.mask>>i&1 == 0 {
			steps = append(steps, step)
			if step.id == filterFletcher {
				sums++
			}
		}
	}
	if len(steps) == 0 && c.stored != x.bytes {
		return decoded{}, fmt.Errorf("it has %d bytes, want %d", c.stored, x.bytes)
	}
	if err := d.affordable(x.bytes, d.buffers(steps)); err != nil {
		return decoded{}, err
	}
	at, err := d.src.place("it", c.address, c.stored)
	if err != nil {
		return decoded{}, err
	}
	w.stored = resize(w.stored, int(c.stored))
	data := w.stored
	if err := inputfile.Fill(d.src.r, data, at); err != nil {
		return decoded{}, err
	}
	most := int(x.bytes) + sums*sumBytes
	shuffled := false
	for i := len(steps) - 1; i >= 0; i-- {
		switch step := steps[i]; {
		case step.id == filterFletcher:
			data, err = fletcher(data)
		case d.lazy(steps, i):
			shuffled = d.Type.Size > 1
		default:
			w.out[0], w.out[1] = w.out[1], resize(w.out[0], most)
			data, err = w.undo(step, w.out[1], data)
		}
		if err != nil {
			return decoded{}, err
		}
	}
	if uint64(len(data)) != x.bytes {
		return decoded{}, fmt.Errorf("it decodes to %d bytes, want %d", len(data), x.bytes)
	}
	return decoded{data, shuffled}, nil
}

// resize returns n bytes, those of buffer if they suffice, else at least twice as many.
func resize(buffer []byte, n int) []byte {
	if n > cap(buffer) {
		return make([]byte, n, max(n, 2*cap(buffer)))
	}
	return buffer[:n]
}

// What decoding may take of memory: so many times the file, the declared array as float64, and a little more.
const (
	memoryPerByte = 32
	memoryMore    = 512 << 10
)

// affordable refuses a chunk that is larger than the array and the file explain.
func (d *Dataset) affordable(size uint64, buffers int) error {
	room := uint64(memoryMore + memoryPerByte*d.src.size)
	high, array := bits.Mul64(uint64(d.elements()), 8)
	if high != 0 || array > maxChunk*2 {
		array = maxChunk * 2
	}
	if size*uint64(buffers) > room+array {
		return fmt.Errorf("it decodes to %d bytes, more than an array of shape %v and a file of %d bytes allow", size,
			d.Shape, d.src.size)
	}
	return nil
}

// undo undoes one filter into out, whose length is the most that it may give.
func (w *decoder) undo(step filter, out, data []byte) ([]byte, error) {
	switch step.id {
	case filterDeflate:
		return w.inflate(out, data)
	case filterLZF:
		return lzf(out[:0], data)
	case filterShuffle:
		if len(step.values) == 0 || step.values[0] == 0 {
			return nil, errors.New("the filter shuffle has no size of elements")
		}
		if len(data) > len(out) {
			return nil, fmt.Errorf("the filter shuffle gives %d bytes, at most %d are possible", len(data), len(out))
		}
		unshuffle(out[:len(data)], data, int(step.values[0]))
		return out[:len(data)], nil
	}
	return nil, unsupported("the filter %s is not read", step.name())
}

// inflate expands zlib data, whose checksum it verifies.
func (w *decoder) inflate(out, data []byte) ([]byte, error) {
	in := bytes.NewReader(data)
	err := error(nil)
	if w.inflater == nil {
		w.inflater, err = zlib.NewReader(in)
	} else {
		err = w.inflater.(zlib.Resetter).Reset(in, nil)
	}
	n := 0
	for err == nil && n < len(out) {
		var k int
		k, err = w.inflater.Read(out[n:])
		n += k
	}
	if err == nil {
		if k, end := w.inflater.Read(make([]byte, 1)); k > 0 {
			return nil, fmt.Errorf("deflate gives more than %d bytes", len(out))
		} else {
			err = end
		}
	}
	if err != nil && !errors.Is(err, io.EOF) || n == 0 {
		return nil, fmt.Errorf("the compressed data are damaged: %v", err)
	}
	return out[:n], nil
}

// unshuffle sorts bytes by elements that were sorted by their place in the element. A rest that is no whole
// element is as it was.
func unshuffle(out, data []byte, size int) {
	n := len(data) / size
	if n == 0 { // of elements that a hostile file says to be large, each place would be visited
		copy(out, data)
		return
	}
	for place := range size {
		for i, b := range data[place*n : (place+1)*n] {
			out[i*size+place] = b
		}
	}
	copy(out[n*size:], data[n*size:])
}

// gather is unshuffle for the elements from first on that fill out.
func gather(out, data []byte, size, first int) {
	n := len(data) / size
	for place := range size {
		from := data[place*n+first:]
		for i := range len(out) / size {
			out[i*size+place] = from[i]
		}
	}
}

// fletcher verifies the checksum of Fletcher at the end of data and returns what is before it. HDF5 1.6.2 wrote
// the bytes of each half of it in the other order, and libhdf5 accepts both.
func fletcher(data []byte) ([]byte, error) {
	n := len(data) - sumBytes
	if n < 0 {
		return nil, errors.New("it is shorter than its checksum")
	}
	got := fletcher32(data[:n])
	want := uint32((&fields{b: data[n:]}).uint(sumBytes))
	if want != got && want != bits.RotateLeft32(bits.ReverseBytes32(got), 16) {
		return nil, fmt.Errorf("its fletcher32 checksum is %08x, want %08x", got, want)
	}
	return data[:n], nil
}

// fletcher32 is Fletcher's sum of 16-bit words modulo 65535, the first byte of a word being the higher; the
// second half is the sum of sums. A last byte alone is the higher one of a word.
func fletcher32(data []byte) uint32 {
	var a, b uint32
	fold := func(v uint32) uint32 { return v&0xffff + v>>16 }
	for words := range slices.Chunk(data, 2*360) { // as many as 32 bits can add
		for i := 0; i < len(words); i += 2 {
			a += uint32(words[i]) << 8
			if i+1 < len(words) {
				a += uint32(words[i+1])
			}
			b += a
		}
		a, b = fold(a), fold(b)
	}
	return fold(b)<<16 | fold(a)
}
