package mat

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/sniff"
	"github.com/brainwavlm/bwlm/internal/stored"
)

const reading = "read MATLAB file"

// File is an open file of variables. Its calls, and those of its readers, must not run at the same time.
type File struct {
	path   string
	from   io.ReaderAt
	size   int64
	order  binary.ByteOrder
	arrays []stored.Array
	places []place // of arrays
	others []stored.Other
	texts  []textPlace
	names  map[string]bool
	shared *inflater // for the variables that Open unpacks one after another
}

// place is where the elements of an array are.
type place struct {
	variable *variable
	at       int64         // in what the variable holds
	kind     elements.Kind // in which they are stored
}

// Open opens a file and lists its variables. The caller closes it.
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

// Arrays returns the arrays of numbers, in the order of the file. Their types are those that MATLAB shows.
func (f *File) Arrays() []stored.Array { return f.arrays }

// Others returns what else is in the file.
func (f *File) Others() []stored.Other { return f.others }

// Reader returns a reader of the array of a name, or of the only one that can be meant if it is "".
func (f *File) Reader(name string) (*stored.Reader, error) {
	a, err := stored.Choose(reading, f.path, name, f.arrays, f.others)
	if err != nil {
		return nil, err
	}
	p := f.places[slices.IndexFunc(f.arrays, func(other stored.Array) bool { return other.Name == a.Name })]
	a.DType = p.kind
	return stored.New(a, p.variable.content(new(inflater)), p.at, func(err error) error {
		e := f.fail(err)
		e.Path += ":" + quote.OneLine(quote.Short(a.Name))
		return e
	})
}

// fail makes the error of a file that cannot be read.
func (f *File) fail(err error) *fault.Error { return inputfile.Error(reading, f.path, err) }

// header5 is the length of the header of version 5: 116 bytes of text, the place of data that do not matter here,
// the version and the order of bytes.
const header5 = 128

// decode is Open for the bytes of r, size in all.
func decode(r io.ReaderAt, size int64, path string) (*File, error) {
	f := &File{path: path, from: r, size: size, names: map[string]bool{}, shared: new(inflater)}
	head := make([]byte, min(size, header5))
	if err := inputfile.Fill(r, head, 0); err != nil {
		return nil, inputfile.Error(reading, path, err)
	}
	kind := sniff.Of(r, size)
	if other := sniff.Other(reading, path, kind, "a MATLAB file of version 4 or 5", sniff.MAT4,
		sniff.MAT5); other != nil {
		return nil, other
	}
	var err error
	switch {
	case len(head) == header5 && bytes.IndexByte(head[:4], 0) < 0 && f.version5(head[124:]):
		err = f.list5()
	case len(head) >= header4 && bytes.IndexByte(head[:4], 0) >= 0:
		err = f.list4()
	default:
		err = errors.New("is not a MATLAB file of version 4 or 5")
	}
	if err == nil && len(f.arrays) == 0 && len(f.others) == 0 {
		err = errors.New("holds no variable")
	}
	if err != nil {
		return nil, f.fail(err)
	}
	return f, nil
}

// version5 reads the end of the header, version 0x0100 and the letters MI, and reports whether it is that of
// version 5.
func (f *File) version5(end []byte) bool {
	switch string(end) {
	case "\x00\x01IM":
		f.order = binary.LittleEndian
	case "\x01\x00MI":
		f.order = binary.BigEndian
	default:
		return false
	}
	return true
}

// add lists an array.
func (f *File) add(a stored.Array, p place) error {
	if err := f.take(a.Name); err != nil {
		return err
	}
	a.BigEndian = f.order == binary.BigEndian
	f.arrays, f.places = append(f.arrays, a), append(f.places, p)
	return nil
}

// addOther lists what cannot be read.
func (f *File) addOther(name, what string, data bool) error {
	f.others = append(f.others, stored.Other{Name: name, What: what, Data: data})
	return f.take(name)
}

// take refuses a name that was there before.
func (f *File) take(name string) error {
	if f.names[name] {
		return fmt.Errorf("two variables have the name %s", quote.OneLine(quote.Short(name)))
	}
	f.names[name] = true
	return nil
}
