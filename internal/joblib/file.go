package joblib

import (
	"bytes"
	"errors"
	"io"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/pickle"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/sniff"
	"github.com/brainwavlm/bwlm/internal/stored"
)

const reading = "read joblib file"

// File is an open file of arrays. Its calls, and those of its readers, must not run at the same time.
type File struct {
	contents

	path    string
	from    io.ReaderAt
	packing *packing        // nil if it is not compressed
	stream  *stored.Forward // the unpacked file, one for all readers
}

// Open opens a file by joblib.dump, compressed or not, or a pickle of arrays, and lists what it holds. The
// caller closes it.
func Open(path string) (*File, error) {
	file, size, err := inputfile.Open(reading, path)
	if err != nil {
		return nil, err
	}
	f, err := decode(file, size, path)
	if err != nil {
		file.Close()
	}
	return f, err
}

// Close closes the file.
func (f *File) Close() error {
	if c, ok := f.from.(io.Closer); ok {
		if err := c.Close(); err != nil {
			return inputfile.Error(reading, f.path, err)
		}
	}
	return nil
}

// Arrays returns the arrays of numbers, in the order of the file.
func (f *File) Arrays() []stored.Array { return f.arrays }

// Others returns what else is in the file that is an array.
func (f *File) Others() []stored.Other { return f.others }

// Compression names how the file is compressed: "zlib", "gzip", "bzip2", "xz", "LZMA", "LZ4", or "".
func (f *File) Compression() string {
	if f.packing == nil {
		return ""
	}
	return f.packing.name
}

// Reader returns a reader of the array of a name, or of the only one that can be meant if it is "". Readers of
// a compressed file share one stream: those that read arrays in their order unpack it once.
func (f *File) Reader(name string) (*stored.Reader, error) {
	a, err := stored.Choose(reading, f.path, name, f.arrays, f.others)
	if err != nil {
		return nil, err
	}
	for i := range f.arrays {
		if f.arrays[i].Name == a.Name {
			return f.reader(a, f.made[i])
		}
	}
	return nil, f.fail(errors.New("the array is not in the list"))
}

// reader returns a reader of an array.
func (f *File) reader(a stored.Array, made *array) (*stored.Reader, error) {
	switch {
	case made.inline != nil:
		return stored.New(a, bytes.NewReader(made.inline), 0, f.fail)
	case f.packing != nil:
		return stored.New(a, f.stream, made.at, f.fail)
	}
	return stored.New(a, f.from, made.at, f.fail)
}

// fail makes the error of a file that cannot be read.
func (f *File) fail(err error) error {
	e := inputfile.Error(reading, f.path, err)
	if a := (*advised)(nil); errors.As(err, &a) {
		e.Hint = a.hint
	}
	return e
}

// Bounds of the memory of a pickle's values in bytes, and in bytes for each one of the file.
const (
	leastMemory = 256 << 10
	memoryTimes = 24
	mostMemory  = 1 << 30
	packedBonus = 4 << 20 // a pickle expands well
)

// memoryOf is the memory that the values of a file of size bytes may have.
func memoryOf(size int64) int64 { return min(leastMemory+memoryTimes*size, mostMemory) }

// decode is Open for the bytes of r, size in all.
func decode(r io.ReaderAt, size int64, path string) (*File, error) {
	start := make([]byte, min(size, 16))
	if err := inputfile.Fill(r, start, 0); err != nil {
		return nil, inputfile.Error(reading, path, err)
	}
	f := &File{path: path, from: r, packing: packingOf(start)}
	f.contents = contents{seen: map[string]bool{}, left: memoryOf(size), packed: f.packing != nil}
	memory := memoryOf(size)
	text := pickle.NewText(io.NewSectionReader(r, 0, size), size)
	if f.packing != nil {
		f.stream = stored.NewForward(func() (io.Reader, error) { return f.packing.unpack(r, size) }, -1)
		in, err := f.packing.unpack(r, size)
		if err != nil {
			return nil, f.wrongKind(size, start, err)
		}
		memory += packedBonus
		head := make([]byte, 2) // whether it is a pickle at all
		n, err := io.ReadFull(in, head)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, f.fail(err)
		}
		start = head[:n]
		text = pickle.NewText(io.MultiReader(bytes.NewReader(start), in), -1)
	}
	if len(start) == 0 || start[0] != 0x80 {
		return nil, f.wrongKind(size, start, errors.New("is not a joblib file: it holds no pickle of protocol 2 to 5"))
	}
	value, err := pickle.Read(text, dialect(memory))
	if err == nil {
		err = f.list(value)
	}
	if err != nil {
		return nil, f.fail(err)
	}
	return f, nil
}

// wrongKind is the error of a file that is not by joblib: that it is of another kind, if it is, or err.
func (f *File) wrongKind(size int64, start []byte, err error) error {
	if len(start) > 1 && start[0] == 'Z' && start[1] == 'F' {
		return fault.New(fault.BadData, reading, quote.OneLine(f.path),
			"is compressed as joblib did before version 0.10").
			WithHint(saveAgain)
	}
	kind := sniff.Of(f.from, size)
	if other := sniff.Other(reading, f.path, kind, "a joblib file", sniff.Pickle); other != nil {
		return other
	}
	return f.fail(err)
}
