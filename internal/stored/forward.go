package stored

import (
	"errors"
	"io"
)

// Forward is a stream that is unpacked from its start, as an [io.ReaderAt]. Reading on from the end of the last
// read is cheap; reading what comes before it unpacks the stream anew. Its calls must not run at the same time.
type Forward struct {
	open func() (io.Reader, error)
	size int64
	now  io.Reader
	pos  int64 // of now
}

// NewForward returns a stream of size bytes, -1 if that is not known, that open begins anew.
func NewForward(open func() (io.Reader, error), size int64) *Forward {
	return &Forward{open: open, size: size}
}

// SetSize sets the size of a stream, which its start may tell.
func (f *Forward) SetSize(n int64) { f.size = n }

// ErrCut is the error of a stream that ends before the elements that it should hold.
var ErrCut = errors.New("what is compressed ends early")

// ErrLong is the error of a stream that goes on after its size.
var ErrLong = errors.New("what is compressed is longer than it should be")

// ReadAt fills p from an offset. The read that reaches the size of the stream reads its end too, where formats
// have their checksum.
func (f *Forward) ReadAt(p []byte, offset int64) (int, error) {
	n, err := f.readAt(p, offset)
	if err != nil {
		f.now = nil // what follows an error is not known
		n = 0       // what has a wrong checksum was not read
	}
	return n, Cut(err)
}

// Cut returns [ErrCut] for the error of a stream that ended early, and any other as it is.
func Cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrCut
	}
	return err
}

func (f *Forward) readAt(p []byte, offset int64) (int, error) {
	if f.now == nil || offset < f.pos {
		now, err := f.open()
		if err != nil {
			return 0, err
		}
		f.now, f.pos = now, 0
	}
	skipped, err := io.CopyN(io.Discard, f.now, offset-f.pos)
	f.pos += skipped
	if err != nil {
		return 0, err
	}
	n, err := io.ReadFull(f.now, p)
	f.pos += int64(n)
	if err != nil || f.pos != f.size {
		return n, err
	}
	var more [1]byte
	switch _, err := io.ReadFull(f.now, more[:]); {
	case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return n, nil
	case err != nil:
		return n, err
	}
	return n, ErrLong
}
