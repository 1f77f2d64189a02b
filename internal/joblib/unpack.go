package joblib

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/ulikunitz/xz/lzma"

	"github.com/brainwavlm/bwlm/internal/stored"
)

// packing is a way to compress a stream.
type packing struct {
	name string // with its article
	open func(r *bufio.Reader, window int64) (io.Reader, error)
}

// packings are the ways that joblib knows, by the bytes that they begin with.
var packings = []struct {
	magic string
	packing
}{
	{"\x1f\x8b", packing{"gzip", func(r *bufio.Reader, _ int64) (io.Reader, error) { return gzip.NewReader(r) }}},
	{"BZh", packing{"bzip2", func(r *bufio.Reader, _ int64) (io.Reader, error) { return bzip2.NewReader(r), nil }}},
	{"\xfd7zXZ\x00", packing{"xz", newXZ}},
	{"]\x00\x00", packing{"LZMA", newLZMA}},
	{"\x04\x22\x4d\x18", packing{"LZ4", newLZ4}},
}

// packingOf finds out how a file that begins with some bytes is compressed, nil if it is not.
func packingOf(start []byte) *packing {
	for i, p := range packings {
		if bytes.HasPrefix(start, []byte(p.magic)) {
			return &packings[i].packing
		}
	}
	// zlib: deflate with a window of 32 KiB, and a checksum of these two bytes.
	if len(start) > 1 && start[0] == 0x78 && binary.BigEndian.Uint16(start)%31 == 0 {
		return &packing{"zlib", func(r *bufio.Reader, _ int64) (io.Reader, error) { return zlib.NewReader(r) }}
	}
	return nil
}

// Bounds of what unpacking may need. Deflate expands 1032-fold at most.
const (
	maxExpansion = 1100
	leastWindow  = 8 << 20
	windowTimes  = 32
	mostWindow   = 256 << 20 // four times that of the strongest setting of xz
)

// unpack begins to unpack a file of size bytes.
func (p *packing) unpack(file io.ReaderAt, size int64) (_ io.Reader, err error) {
	defer recovered(&err)
	in := bufio.NewReader(io.NewSectionReader(file, 0, size))
	out, err := p.open(in, windowOf(size))
	if err != nil {
		return nil, p.error(err)
	}
	return &unpacked{packing: p, in: in, out: out, left: maxExpansion*size + 1<<20}, nil
}

// windowOf is the largest window of a decoder for a file of size bytes.
func windowOf(size int64) int64 { return min(max(leastWindow, windowTimes*size), mostWindow) }

// error names the way of compression.
func (p *packing) error(err error) error { return fmt.Errorf("%s: %w", p.name, stored.Cut(err)) }

// unpacked is what a file holds.
type unpacked struct {
	*packing
	in   *bufio.Reader
	out  io.Reader
	left int64 // bytes that may still come
}

// errTail is the error of a file with something after its stream.
var errTail = errors.New("bytes follow the end of the stream")

// Read reads unpacked bytes.
func (u *unpacked) Read(p []byte) (n int, err error) {
	defer func() {
		if err != nil && !errors.Is(err, io.EOF) {
			err = u.error(err)
		}
	}()
	defer recovered(&err)
	n, err = u.out.Read(p)
	if u.left -= int64(n); u.left < 0 {
		return 0, fmt.Errorf("expands more than %d-fold", maxExpansion)
	}
	if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		if _, tail := u.in.Peek(1); tail == nil {
			return n, errTail
		}
	}
	return n, err
}

// recovered makes an error of the panic of a decoder.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the decoder failed: %v", p)
	}
}

// newLZMA unpacks the format of one header: properties, the size of the window (4 bytes) and that of the
// content (8 bytes). A window that is larger than it may be is made as large as it may be.
func newLZMA(r *bufio.Reader, window int64) (io.Reader, error) {
	header := make([]byte, lzma.HeaderLen)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, err
	}
	declared := binary.LittleEndian.Uint32(header[1:])
	binary.LittleEndian.PutUint32(header[1:], uint32(min(int64(declared), window)))
	return lzma.NewReader(&joined{bytes.NewReader(header), r})
}

// joined reads some bytes and then those of a file, byte by byte too, so that no more is taken than is needed.
type joined struct {
	first *bytes.Reader
	then  *bufio.Reader
}

func (j *joined) Read(p []byte) (int, error) {
	if j.first.Len() > 0 {
		return j.first.Read(p)
	}
	return j.then.Read(p)
}

// ReadByte reads one byte.
func (j *joined) ReadByte() (byte, error) {
	if j.first.Len() > 0 {
		return j.first.ReadByte()
	}
	return j.then.ReadByte()
}
