package joblib

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/pierrec/lz4/v4"
)

// lz4Reader unpacks LZ4 frames (github.com/lz4/lz4, doc/lz4_Frame_format.md). The module that decodes blocks
// reads frames, too, but sets aside room for the largest block that a frame may hold, twice.
type lz4Reader struct {
	in      *bufio.Reader
	most    int    // bytes of a block
	flags   byte   // of the frame
	size    uint64 // of what the frame holds, if its flags say so
	packed  []byte
	block   []byte // unpacked, behind what blocks may refer to
	history int    // how much of block that is
	ready   []byte // the part of block that is not read yet
	sum     *xxh32 // of what the frame holds
	count   uint64
}

// Flags of a frame, and the largest distance that a block refers back.
const (
	lz4Independent = 0x20
	lz4BlockSums   = 0x10
	lz4HasSize     = 0x08
	lz4HasSum      = 0x04
	lz4HasID       = 0x01
	lz4Window      = 64 << 10
)

func newLZ4(r *bufio.Reader, _ int64) (io.Reader, error) {
	l := &lz4Reader{in: r}
	return l, l.begin()
}

// begin reads the header of a frame.
func (l *lz4Reader) begin() error {
	header := make([]byte, 6, 19)
	if _, err := io.ReadFull(l.in, header); err != nil {
		return err
	}
	l.flags = header[4]
	code := header[5] >> 4 & 7
	switch {
	case binary.LittleEndian.Uint32(header) != 0x184d2204:
		return errors.New("the frame has another form than LZ4 has now")
	case l.flags&0xc2 != 0x40 || header[5]&0x8f != 0 || code < 4:
		return errors.New("the header of the frame is damaged")
	case l.flags&lz4HasID != 0:
		return errors.New("the frame needs a dictionary")
	}
	more := 1
	if l.flags&lz4HasSize != 0 {
		more += 8
	}
	header = header[:6+more]
	if _, err := io.ReadFull(l.in, header[6:]); err != nil {
		return err
	}
	last := len(header) - 1
	if byte(hash32(header[4:last])>>8) != header[last] {
		return errors.New("the checksum of the header is wrong")
	}
	if more > 1 {
		l.size = binary.LittleEndian.Uint64(header[6:])
	}
	l.most = 1 << (8 + 2*int(code)) // 64 KiB to 4 MiB
	l.sum, l.count, l.history, l.block = new(xxh32), 0, 0, l.block[:0]
	l.sum.reset()
	return nil
}

// Read reads unpacked bytes.
func (l *lz4Reader) Read(p []byte) (int, error) {
	for len(l.ready) == 0 {
		if err := l.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, l.ready)
	l.ready = l.ready[n:]
	return n, nil
}

// next unpacks the next block. The error is io.EOF behind the last frame.
func (l *lz4Reader) next() error {
	n, err := l.uint32()
	if err != nil {
		return unexpected(err)
	}
	if n == 0 {
		return l.endFrame()
	}
	const plain = 1 << 31
	size := int(n &^ plain)
	if size > l.most {
		return fmt.Errorf("a block of %d bytes, the frame has at most %d", size, l.most)
	}
	l.packed = grown(l.packed, size)
	if _, err := io.ReadFull(l.in, l.packed); err != nil {
		return unexpected(err)
	}
	if l.flags&lz4BlockSums != 0 {
		if sum, err := l.uint32(); err != nil || sum != hash32(l.packed) {
			return errors.Join(unexpected(err), errors.New("the checksum of a block is wrong"))
		}
	}
	return l.unpackBlock(n&plain != 0)
}

// unpackBlock unpacks the bytes in packed.
func (l *lz4Reader) unpackBlock(plain bool) error {
	l.forget()
	room := len(l.packed)
	if !plain {
		room = min(l.most, 255*len(l.packed)) // no block expands more
	}
	l.block = grown(l.block, l.history+room)
	into := l.block[l.history:]
	n := copy(into, l.packed)
	if !plain {
		var err error
		if n, err = lz4.UncompressBlockWithDict(l.packed, into, l.block[:l.history]); err != nil {
			return errors.New("a block is damaged")
		}
	}
	l.block = l.block[:l.history+n]
	l.ready = l.block[l.history:]
	l.sum.write(l.ready)
	l.count += uint64(n)
	return nil
}

// forget keeps of the blocks before what the next may refer to, at the start of block.
func (l *lz4Reader) forget() {
	kept := 0
	if l.flags&lz4Independent == 0 {
		kept = copy(l.block, l.block[max(0, len(l.block)-lz4Window):])
	}
	l.history = kept
	l.block = l.block[:kept]
}

// grown is p with n bytes, those that it has at its start.
func grown(p []byte, n int) []byte {
	if cap(p) >= n {
		return p[:n]
	}
	more := make([]byte, n)
	copy(more, p)
	return more
}

// endFrame compares the frame's size and checksum, and begins the next frame if there is one.
func (l *lz4Reader) endFrame() error {
	if l.flags&lz4HasSum != 0 {
		if sum, err := l.uint32(); err != nil || sum != l.sum.sum() {
			return errors.Join(unexpected(err), errors.New("the checksum of the frame is wrong"))
		}
	}
	if l.flags&lz4HasSize != 0 && l.size != l.count {
		return fmt.Errorf("the frame holds %d bytes, its header says %d", l.count, l.size)
	}
	if _, err := l.in.Peek(1); err != nil {
		return err
	}
	return unexpected(l.begin())
}

func (l *lz4Reader) uint32() (uint32, error) {
	var b [4]byte
	_, err := io.ReadFull(l.in, b[:])
	return binary.LittleEndian.Uint32(b[:]), err
}
