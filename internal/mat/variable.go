package mat

import (
	"bufio"
	"compress/zlib"
	"errors"
	"fmt"
	"io"

	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/stored"
)

// variable is a part of the file that holds one variable, perhaps compressed.
type variable struct {
	file   *File
	begin  int64 // in the file
	packed int64 // bytes there, 0 if it is not compressed
	size   int64 // of what it holds
}

// inflater is a decoder that serves one stream after another.
type inflater struct {
	in  *bufio.Reader
	out io.ReadCloser
}

// open begins to unpack a stream.
func (i *inflater) open(r io.Reader) (io.Reader, error) {
	if i.in == nil {
		i.in = bufio.NewReader(nil)
	}
	i.in.Reset(r)
	if i.out != nil {
		return i.out, i.out.(zlib.Resetter).Reset(i.in, nil)
	}
	var err error
	i.out, err = zlib.NewReader(i.in)
	if err != nil {
		i.out = nil
	}
	return i.out, err
}

// content is what a variable holds. The inflater serves it alone from now on.
func (v *variable) content(with *inflater) io.ReaderAt {
	if v.packed == 0 {
		return io.NewSectionReader(v.file.from, v.begin, v.size)
	}
	return v.forward(with, v.size)
}

func (v *variable) forward(with *inflater, size int64) *stored.Forward {
	return stored.NewForward(func() (io.Reader, error) {
		return with.open(io.NewSectionReader(v.file.from, v.begin, v.packed))
	}, size)
}

// maxExpansion is how much deflate can expand.
const maxExpansion = 1032

// compressed lists a compressed variable: a stream of zlib with one matrix.
func (f *File) compressed(begin, packed int64) error {
	v := &variable{file: f, begin: begin, packed: packed}
	content := v.forward(f.shared, -1)
	head := make([]byte, 8)
	if err := inputfile.Fill(content, head, 0); err != nil {
		return err
	}
	kind, n := f.order.Uint32(head), int64(f.order.Uint32(head[4:]))
	switch {
	case kind != miMatrix:
		return fmt.Errorf("a compressed element of type %d, want a matrix", kind)
	case n > maxExpansion*packed:
		return fmt.Errorf("a compressed variable claims %d bytes, %d cannot hold as many", n, packed)
	case n == 0:
		return errors.New("a compressed variable of no bytes")
	}
	v.size = 8 + n
	content.SetSize(v.size)
	if err := f.matrix(&scanner{v, content}, 8, v.size, "", 0); err != nil {
		return err
	}
	return inputfile.Fill(content, head[:1], v.size-1) // to its end, where the checksum is
}
