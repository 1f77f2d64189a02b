package pickle

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Text is the text of a pickle, which is read from its start to its end.
type Text struct {
	from   io.Reader
	buffer []byte // room for what was read ahead
	ahead  []byte // what was read ahead
	pos    int64  // of the first byte of ahead
	size   int64  // of the text, -1 if it is unknown
}

// textBuffer is how much of a text is read at once.
const textBuffer = 4 << 10

// NewText returns the text that r gives. size is its length in bytes, or -1 if only reading tells. If r is an
// [io.Seeker], what is skipped is not read.
func NewText(r io.Reader, size int64) *Text {
	return &Text{from: r, buffer: make([]byte, textBuffer), size: size}
}

// Pos is the place of the next byte.
func (t *Text) Pos() int64 { return t.pos }

// fill reads ahead if nothing is left there. The error at the end is io.EOF.
func (t *Text) fill() error {
	for len(t.ahead) == 0 {
		n, err := t.from.Read(t.buffer)
		t.ahead = t.buffer[:n]
		if n == 0 && err != nil {
			return err
		}
	}
	return nil
}

// shortError is the error of a text that ends early.
type shortError struct{ wanted, found int64 }

func (e *shortError) Error() string {
	return fmt.Sprintf("%d bytes are wanted, there are %d", e.wanted, e.found)
}

// short makes the error of a read that failed after found of the wanted bytes.
func short(err error, wanted, found int64) error {
	if errors.Is(err, io.EOF) {
		return &shortError{wanted, found}
	}
	return err
}

// fits reports whether n more bytes can be there.
func (t *Text) fits(n int64) error {
	if n < 0 || t.size >= 0 && n > t.size-t.pos {
		return &shortError{n, t.size - t.pos}
	}
	return nil
}

// Byte returns the next byte.
func (t *Text) Byte() (byte, error) {
	if err := t.fill(); err != nil {
		return 0, short(err, 1, 0)
	}
	b := t.ahead[0]
	t.ahead, t.pos = t.ahead[1:], t.pos+1
	return b, nil
}

// Take returns the next n bytes. Memory is set aside as they come.
func (t *Text) Take(n int64) (string, error) {
	if err := t.fits(n); err != nil {
		return "", err
	}
	if n <= int64(len(t.ahead)) { // without a copy of the copy
		s := string(t.ahead[:n])
		t.ahead, t.pos = t.ahead[n:], t.pos+n
		return s, nil
	}
	var b strings.Builder
	for left := n; left > 0; {
		if err := t.fill(); err != nil {
			return "", short(err, n, n-left)
		}
		k := min(left, int64(len(t.ahead)))
		b.Write(t.ahead[:k])
		t.ahead, t.pos, left = t.ahead[k:], t.pos+k, left-k
	}
	return b.String(), nil
}

// line returns the bytes up to the next newline, which is taken and not returned. Nothing is taken for more
// than most bytes.
func (t *Text) line(most int) (string, error) {
	var b strings.Builder
	for b.Len() <= most {
		c, err := t.Byte()
		if err != nil {
			return "", err
		}
		if c == '\n' {
			return b.String(), nil
		}
		b.WriteByte(c)
	}
	return "", fmt.Errorf("a name of more than %d bytes", most)
}

// Skip passes over n bytes.
func (t *Text) Skip(n int64) error {
	if err := t.fits(n); err != nil {
		return err
	}
	k := min(n, int64(len(t.ahead)))
	t.ahead, t.pos = t.ahead[k:], t.pos+k
	left := n - k
	if left == 0 {
		return nil
	}
	if s, ok := t.from.(io.Seeker); ok && t.size >= 0 {
		_, err := s.Seek(left, io.SeekCurrent)
		t.pos += left
		return err
	}
	for left > 0 {
		if err := t.fill(); err != nil {
			return short(err, n, n-left)
		}
		k := min(left, int64(len(t.ahead)))
		t.ahead, t.pos, left = t.ahead[k:], t.pos+k, left-k
	}
	return nil
}

// left returns how many bytes are left, or -1 if there are some and only reading them would tell.
func (t *Text) left() (int64, error) {
	if t.size >= 0 {
		return t.size - t.pos, nil
	}
	err := t.fill()
	if errors.Is(err, io.EOF) {
		return 0, nil
	}
	return -1, err
}
