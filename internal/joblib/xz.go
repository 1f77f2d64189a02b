package joblib

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

// xzReader unpacks an xz file of one stream (tukaani.org/xz/xz-file-format.txt): a header, blocks, an index of
// them and a footer, all with checksums. The module that decodes LZMA2 reads the container, too, but sets aside
// whatever window a block asks for.
type xzReader struct {
	in     *counted
	window int64
	flags  [2]byte // the kind of checksum
	block  io.Reader
	sum    hash.Hash // of the block
	begin  int64     // of the block
	size   int64     // of what the block holds
	index  []xzRecord
	ended  bool
}

// xzRecord is the entry of a block in the index.
type xzRecord struct{ packed, unpacked uint64 }

// counted counts the bytes that are read, which are not read ahead.
type counted struct {
	r *bufio.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// ReadByte reads one byte.
func (c *counted) ReadByte() (byte, error) {
	b, err := c.r.ReadByte()
	if err == nil {
		c.n++
	}
	return b, err
}

// full reads n bytes.
func (c *counted) full(n int) ([]byte, error) {
	p := make([]byte, n)
	_, err := io.ReadFull(c, p)
	return p, err
}

var errXZ = errors.New("the container is damaged")

func newXZ(r *bufio.Reader, window int64) (io.Reader, error) {
	x := &xzReader{in: &counted{r: r}, window: window}
	header, err := x.in.full(12)
	if err != nil {
		return nil, err
	}
	copy(x.flags[:], header[6:8])
	if crc32.ChecksumIEEE(header[6:8]) != binary.LittleEndian.Uint32(header[8:]) || header[6] != 0 {
		return nil, errXZ
	}
	if x.newSum() == nil {
		return nil, fmt.Errorf("checksum %d is not known", x.flags[1])
	}
	return x, nil
}

// newSum makes the checksum of a block, nil for an unknown kind.
func (x *xzReader) newSum() hash.Hash {
	switch x.flags[1] {
	case 0:
		return noSum{crc32.NewIEEE()}
	case 1:
		return littleEndian{crc32.NewIEEE()}
	case 4:
		return littleEndian{crc64.New(crc64.MakeTable(crc64.ECMA))}
	case 10:
		return sha256.New()
	}
	return nil
}

// noSum is a checksum of no bytes.
type noSum struct{ hash.Hash }

// Sum adds nothing.
func (noSum) Sum(b []byte) []byte { return b }

// littleEndian is a checksum whose last byte comes first.
type littleEndian struct{ hash.Hash }

// Sum appends the checksum.
func (l littleEndian) Sum(b []byte) []byte {
	sum := l.Hash.Sum(nil)
	for i := range sum {
		b = append(b, sum[len(sum)-1-i])
	}
	return b
}

// Read reads unpacked bytes.
func (x *xzReader) Read(p []byte) (int, error) {
	for {
		switch {
		case x.ended:
			return 0, io.EOF
		case x.block == nil:
			if err := x.next(); err != nil {
				return 0, unexpected(err)
			}
			continue
		}
		n, err := x.block.Read(p)
		x.sum.Write(p[:n])
		x.size += int64(n)
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			err = unexpected(x.endBlock())
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// unexpected is err, which is not the end of the stream.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// next begins the next block, or reads the index and the footer.
func (x *xzReader) next() error {
	begin := x.in.n
	size, err := x.in.ReadByte()
	if err != nil {
		return err
	}
	if size == 0 {
		x.ended = true
		return x.readIndex(begin)
	}
	rest, err := x.in.full(int(size)*4 + 3)
	if err != nil {
		return err
	}
	header := append([]byte{size}, rest...)
	text, sum := header[:len(header)-4], header[len(header)-4:]
	if crc32.ChecksumIEEE(text) != binary.LittleEndian.Uint32(sum) {
		return errXZ
	}
	dictionary, err := filterOf(text)
	if err != nil {
		return err
	}
	x.begin, x.size, x.sum = begin, 0, x.newSum()
	x.block, err = lzma.Reader2Config{DictCap: int(max(lzma.MinDictCap, min(dictionary, x.window)))}.NewReader2(x.in)
	return err
}

// filterOf reads the header of a block, whose one filter must be LZMA2, and returns the size of its window.
func filterOf(header []byte) (int64, error) {
	const packedSize, unpackedSize, lzma2 = 0x40, 0x80, 0x21
	flags, rest := header[1], bytes.NewReader(header[2:])
	for _, bit := range []byte{packedSize, unpackedSize} {
		if flags&bit != 0 {
			if _, err := binary.ReadUvarint(rest); err != nil { // the index has them, too
				return 0, errXZ
			}
		}
	}
	filter := make([]byte, 3)
	if _, err := io.ReadFull(rest, filter); err != nil {
		return 0, errXZ
	}
	if flags&^(packedSize|unpackedSize) != 0 || filter[0] != lzma2 || filter[1] != 1 {
		return 0, errors.New("filters other than LZMA2 are not read")
	}
	return lzma.DecodeDictCap(filter[2])
}

// endBlock reads the padding of a block and its checksum.
func (x *xzReader) endBlock() error {
	packed := x.in.n - x.begin
	padding, err := x.in.full(int(-packed & 3))
	if err != nil {
		return err
	}
	want := x.sum.Sum(nil)
	sum, err := x.in.full(len(want))
	if err != nil {
		return err
	}
	if !bytes.Equal(sum, want) || bytes.Count(padding, []byte{0}) != len(padding) {
		return errors.New("a checksum is wrong")
	}
	x.index = append(x.index, xzRecord{uint64(packed) + uint64(len(sum)), uint64(x.size)})
	x.block = nil
	return nil
}

// readIndex compares the index with the blocks, and reads the footer.
func (x *xzReader) readIndex(begin int64) error {
	sum := crc32.NewIEEE()
	sum.Write([]byte{0})
	from := &summed{x.in, sum}
	n, err := binary.ReadUvarint(from)
	if err != nil {
		return err
	}
	if n != uint64(len(x.index)) {
		return errXZ
	}
	for _, record := range x.index {
		packed, err := binary.ReadUvarint(from)
		if err != nil {
			return err
		}
		unpacked, err := binary.ReadUvarint(from)
		if err != nil {
			return err
		}
		if record != (xzRecord{packed, unpacked}) {
			return errXZ
		}
	}
	for (x.in.n-begin)&3 != 0 {
		if b, err := from.ReadByte(); err != nil || b != 0 {
			return errors.Join(err, errXZ)
		}
	}
	size := x.in.n - begin + 4
	rest, err := x.in.full(4 + 12)
	if err != nil {
		return err
	}
	le, footer := binary.LittleEndian, rest[4:]
	if le.Uint32(rest) != sum.Sum32() || le.Uint32(footer) != crc32.ChecksumIEEE(footer[4:10]) ||
		(int64(le.Uint32(footer[4:]))+1)*4 != size || !bytes.Equal(footer[8:10], x.flags[:]) ||
		string(footer[10:]) != "YZ" {
		return errXZ
	}
	return nil
}

// summed adds bytes that are read to a checksum.
type summed struct {
	r   *counted
	sum hash.Hash
}

// ReadByte reads one byte.
func (s *summed) ReadByte() (byte, error) {
	b, err := s.r.ReadByte()
	if err == nil {
		s.sum.Write([]byte{b})
	}
	return b, err
}
