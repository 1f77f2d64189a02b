package nifti

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/raw"
)

// pieceBytes is the memory in which a stream reads numbers.
const pieceBytes = 1 << 16

// maxBetween bounds the bytes between header and numbers: the XML of a CIFTI file has a few million.
const maxBetween = 1 << 26

// Stream is an image whose numbers are read in the order of the file, in bounded memory. Its file may be larger
// than what [Read] accepts.
type Stream struct {
	Header
	Extensions []Extension // none of a pair

	name  string
	in    io.Reader
	left  int64 // numbers that were not read
	piece []byte
	close func() error
}

// OpenStream reads the header of the image at path, gzipped or not, and stands before its first number. Of a pair,
// path may name either file. Numbers that the file is too small to hold are refused here; so are, in Read,
// compressed data that end early.
func OpenStream(path string) (*Stream, error) {
	header, numbers := pair(path)
	file, size, err := inputfile.Open(reading, header)
	if err != nil {
		return nil, err
	}
	s, err := newStream(file, size, path, numbers != "")
	if err != nil {
		file.Close()
		return nil, err
	}
	s.close = file.Close
	if numbers == "" {
		return s, nil
	}
	file.Close()
	if file, size, err = inputfile.Open(reading, numbers); err != nil {
		return nil, err
	}
	s.close = file.Close
	if err := s.attach(file, size); err != nil {
		file.Close()
		return nil, err
	}
	return s, nil
}

// newStream reads the header of a file of size bytes that errors call name.
func newStream(file io.Reader, size int64, name string, paired bool) (*Stream, error) {
	s := &Stream{name: name, close: func() error { return nil }}
	in, zipped, err := raw.Expand(file)
	if err != nil {
		return nil, s.damaged(err)
	}
	head, err := raw.ReadExactly(in, 4)
	if err != nil {
		return nil, s.damaged(err)
	}
	rest, err := raw.ReadExactly(in, headSize(head)-4)
	if err != nil {
		return nil, s.damaged(err)
	}
	if s.Header, err = parseHeader(append(head, rest...), paired); err != nil {
		return nil, s.damaged(err)
	}
	if paired {
		return s, nil
	}
	if err := s.holds(size, zipped); err != nil {
		return nil, err
	}
	between := int(s.offset) - headSize(head)
	if between > maxBetween {
		return nil, s.damaged(fmt.Errorf("%d bytes lie between header and numbers, %d are allowed", between,
			maxBetween))
	}
	extra, err := raw.ReadExactly(in, between)
	if err != nil {
		return nil, s.damaged(err)
	}
	if s.Extensions, err = extensions(extra, s.order); err != nil {
		return nil, s.damaged(err)
	}
	s.in = in
	return s, nil
}

// attach begins with the numbers of a pair.
func (s *Stream) attach(file io.Reader, size int64) error {
	in, zipped, err := raw.Expand(file)
	if err != nil {
		return s.damaged(err)
	}
	if err := s.holds(size, zipped); err != nil {
		return err
	}
	if n, err := io.CopyN(io.Discard, in, s.offset); err != nil {
		return s.damaged(fmt.Errorf("the data end after %d of the %d bytes before the numbers: %w", n, s.offset, err))
	}
	s.in = in
	return nil
}

// holds counts the numbers that the header declares, and refuses more of them than a file of size bytes can hold.
func (s *Stream) holds(size int64, zipped bool) error {
	n := int64(1)
	for _, d := range s.Dim {
		if int64(d) > math.MaxInt64/(int64(s.kind.Size())*n)/2 {
			return s.damaged(fmt.Errorf("shape %v has more numbers than can be counted", s.Dim))
		}
		n *= int64(d)
	}
	want, most := s.offset+n*int64(s.kind.Size()), size
	if zipped {
		most = raw.Expansion(size)
	}
	if want < 0 || want > most {
		return s.damaged(fmt.Errorf("shape %v of %s needs %d bytes, a file of %d can hold %d", s.Dim, s.kind.Name(),
			want, size, most))
	}
	s.left = n
	s.piece = make([]byte, min(pieceBytes, n*int64(s.kind.Size())))
	return nil
}

// Read reads the next len(dst) numbers, scaled.
func (s *Stream) Read(dst []float32) error {
	return s.pieces(int64(len(dst)), func(b []byte, from int64) {
		part := dst[from : from+int64(len(b)/s.kind.Size())]
		for i := range part {
			part[i] = s.at(b, i)
		}
	})
}

// Skip passes over the next n numbers.
func (s *Stream) Skip(n int64) error { return s.pieces(n, func([]byte, int64) {}) }

// pieces reads the next n numbers as bytes. Visit gets them piece by piece, and how many came before.
func (s *Stream) pieces(n int64, visit func(b []byte, from int64)) error {
	if n > s.left {
		return s.damaged(fmt.Errorf("%d numbers are asked for, %d are left", n, s.left))
	}
	size := int64(s.kind.Size())
	for from := int64(0); from < n; {
		b := s.piece[:min(int64(len(s.piece)), (n-from)*size)]
		if k, err := io.ReadFull(s.in, b); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = fmt.Errorf("the data end %d numbers early", s.left-int64(k)/size)
			}
			return s.damaged(err)
		}
		visit(b, from)
		from += int64(len(b)) / size
		s.left -= int64(len(b)) / size
	}
	return nil
}

// at is number i of b, scaled.
func (s *Stream) at(b []byte, i int) float32 {
	v := raw.Float(b, s.kind, s.order, i)
	if s.Slope != 1 || s.Inter != 0 {
		v = v*s.Slope + s.Inter
	}
	return float32(v)
}

// Finish checks, after the last number, that little follows it and that the compressed data are sound.
func (s *Stream) Finish() error {
	if s.left > 0 {
		return s.damaged(fmt.Errorf("%d numbers were not read", s.left))
	}
	if err := ends(s.in); err != nil {
		return s.damaged(err)
	}
	return nil
}

// Close closes the file.
func (s *Stream) Close() error { return s.close() }

// damaged makes the error of a file that is not sound; an error of the system stays one.
func (s *Stream) damaged(err error) error {
	if raw.OfSystem(err) {
		return inputfile.Error(reading, s.name, err)
	}
	return raw.Damaged(reading, s.name, err)
}
