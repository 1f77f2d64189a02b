package audio

import (
	"encoding/binary"
	"io"
	"math"
	"slices"

	goaudio "github.com/go-audio/audio"
	"github.com/go-audio/wav"
)

// A wavSource decodes the samples of a WAV file: integers with go-audio/wav, floats by itself,
// since the library would read them as integers.
type wavSource struct {
	head  *wavHeader
	data  *io.SectionReader // the samples not yet decoded or passed to a decoder
	ints  goaudio.IntBuffer
	part  *wav.Decoder // the current piece's decoder
	left  int64        // samples that part still has
	limit int64        // bytes of samples that one decoder receives
	bytes []byte
	low   int // bits set in any sample below the meaningful ones
	peak  int // the largest magnitude of an integer
}

func openWAV(src io.ReaderAt, size int64, opt Options) (source, error) {
	h, err := readWAVHeader(src, size)
	if err != nil {
		return nil, err
	}
	if h.truncated != "" && !opt.AllowTruncated {
		return nil, bad("%s", h.truncated).WithHint("fetch it again, or allow truncated audio")
	}
	return &wavSource{head: h, data: io.NewSectionReader(src, h.data, h.size), limit: maxPart}, nil
}

func (w *wavSource) layout() (Info, int64) {
	h := w.head
	return Info{Format: "wav", SourceRate: h.rate, Channels: h.channels, Bits: h.bits}, h.size / h.frameBytes()
}

func (w *wavSource) notes() []string { return w.head.notes }

func (w *wavSource) read(dst []float32) (int, error) {
	if w.head.float {
		return w.readFloats(dst)
	}
	return w.readInts(dst)
}

// readFloats reads IEEE 754 samples unchanged.
func (w *wavSource) readFloats(dst []float32) (int, error) {
	width := w.head.width
	start, _ := w.data.Seek(0, io.SeekCurrent)
	left := (w.data.Size() - start) / int64(width)
	if left == 0 {
		return 0, io.EOF
	}
	dst = dst[:min(int64(len(dst)), left)]
	w.bytes = slices.Grow(w.bytes[:0], len(dst)*width)[:len(dst)*width]
	if _, err := io.ReadFull(w.data, w.bytes); err == io.EOF || err == io.ErrUnexpectedEOF {
		return 0, errShrunk()
	} else if err != nil {
		return 0, err
	}
	for i := range dst {
		b := w.bytes[i*width:]
		if width == 4 {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(b))
		} else {
			dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(b)))
		}
	}
	return len(dst) / w.head.channels, nil
}

func errShrunk() error { return bad("it became shorter while it was read") }

// readInts scales integers to full scale 1. 8-bit samples are unsigned, their zero is 128.
func (w *wavSource) readInts(dst []float32) (int, error) {
	if w.left == 0 {
		if err := w.nextPart(); err != nil {
			return 0, err
		}
	}
	n := int(min(int64(len(dst)), w.left))
	w.ints.Data = slices.Grow(w.ints.Data[:0], n)[:n]
	err := shield(func() error {
		got, err := w.part.PCMBuffer(&w.ints)
		if err == nil && got < n {
			return errShrunk()
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	w.left -= int64(n)
	scale := float32(math.Ldexp(1, 1-8*w.head.width))
	zero := 0
	if w.head.width == 1 {
		zero = 128
	}
	spare := 1<<(8*w.head.width-w.head.bits) - 1
	for i, v := range w.ints.Data {
		dst[i] = float32(v-zero) * scale
		w.low |= v & spare
		w.peak = max(w.peak, v, -v)
	}
	return n / w.head.channels, nil
}

// checkPlace refuses samples whose meaningful bits are the lower ones of their bytes, although they
// must be the upper ones: they would be too soft by the factor of the spare bits.
func (w *wavSource) checkPlace() error {
	if h := w.head; !h.float && w.low != 0 && 8*h.width-h.bits >= 4 && w.peak <= 1<<(h.bits-1) {
		return bad("its %d-bit samples are in the lower bits of %d bytes, want the upper bits", h.bits, h.width).
			WithHint("convert it to 16-bit WAV with the program that made it")
	}
	return io.EOF
}

// maxPart keeps the piece of one decoder within the 32 bits of its header; RF64 files are longer.
const maxPart = 1 << 30

// nextPart starts a decoder on the next piece of samples, after a header that describes nothing
// else.
func (w *wavSource) nextPart() error {
	start, _ := w.data.Seek(0, io.SeekCurrent)
	size := w.data.Size() - start
	if size == 0 {
		return w.checkPlace()
	}
	size = min(size, w.limit/w.head.frameBytes()*w.head.frameBytes())
	p := part{head: fmtHeader(tagPCM, w.head.channels, w.head.rate, w.head.width, uint32(size)), data: w.data,
		start: start}
	w.part = wav.NewDecoder(io.NewSectionReader(p, 0, int64(len(p.head))+size))
	w.left = size / int64(w.head.width)
	_, err := w.data.Seek(size, io.SeekCurrent)
	return err
}

// A part is a header followed by samples.
type part struct {
	head  []byte
	data  io.ReaderAt
	start int64 // of the samples in data
}

// ReadAt reads from the header and the samples.
func (p part) ReadAt(b []byte, off int64) (n int, err error) {
	if border := int64(len(p.head)); off < border {
		n = copy(b, p.head[off:])
	}
	if n < len(b) {
		var m int
		m, err = p.data.ReadAt(b[n:], p.start+off+int64(n)-int64(len(p.head)))
		n += m
	}
	return n, err
}
