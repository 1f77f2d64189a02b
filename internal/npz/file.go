package npz

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/npyheader"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/sniff"
	"github.com/brainwavlm/bwlm/internal/stored"
)

const reading = "read npz"

// File is an open archive. Its calls, and those of its readers, must not run at the same time.
type File struct {
	path    string
	from    io.ReaderAt
	arrays  []stored.Array
	members []*member // of arrays
	others  []stored.Other
}

// member is an array in the archive.
type member struct {
	content io.ReaderAt // the .npy file
	start   int64       // of the elements in it
}

// Open opens an archive and lists its arrays. The caller closes it.
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

// Arrays returns the arrays of numbers, in the order of the archive, without the suffix .npy of their names.
func (f *File) Arrays() []stored.Array { return f.arrays }

// Others returns what else is in the archive.
func (f *File) Others() []stored.Other { return f.others }

// Reader returns a reader of the array of a name, or of the only one that can be meant if it is "".
func (f *File) Reader(name string) (*stored.Reader, error) {
	a, err := stored.Choose(reading, f.path, name, f.arrays, f.others)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(f.arrays, func(other stored.Array) bool { return other.Name == a.Name })
	m := f.members[i]
	return stored.New(a, m.content, m.start, func(err error) error { return f.fail(a.Name, err) })
}

// fail makes the error of a member, or of the archive if the name is "".
func (f *File) fail(name string, err error) error {
	e := inputfile.Error(reading, f.path, err)
	if name != "" {
		e.Path += ":" + quote.OneLine(quote.Short(name))
	}
	return e
}

// decode is Open for the bytes of r, size in all.
func decode(r io.ReaderAt, size int64, path string) (*File, error) {
	f := &File{path: path, from: r}
	kind := sniff.Of(r, size)
	if other := sniff.Other(reading, path, kind, "an npz archive of NumPy", sniff.NPZ, sniff.ZIP); other != nil {
		return nil, other
	}
	if kind == "" {
		return nil, f.fail("", errors.New("is not a zip archive, as numpy.savez writes"))
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, f.fail("", fmt.Errorf("the zip archive cannot be read: %w", stored.Cut(err)))
	}
	if err := f.list(z); err != nil {
		return nil, f.fail("", err)
	}
	if len(f.arrays) == 0 && len(f.others) == 0 {
		return nil, fault.New(fault.BadData, reading, quote.OneLine(path), "holds no array").
			WithHint("save arrays with numpy.savez")
	}
	return f, nil
}

// list lists the members of an archive.
func (f *File) list(z *zip.Reader) error {
	names := make(map[string]bool, len(z.File))
	var places []place
	for _, m := range z.File {
		if strings.HasSuffix(m.Name, "/") {
			continue // a folder
		}
		p, err := placeOf(m)
		name, isArray := strings.CutSuffix(m.Name, ".npy")
		switch {
		case err != nil:
		case names[m.Name]:
			err = errors.New("the name occurs twice")
		case isArray:
			err = f.add(name, m, p)
		default:
			f.others = append(f.others, stored.Other{Name: name, What: "a file that is not an array"})
		}
		if err != nil {
			return fmt.Errorf("member %s: %w", quote.OneLine(quote.Short(m.Name)), err)
		}
		names[m.Name] = true
		places = append(places, p)
	}
	return apart(places)
}

// add lists an array.
func (f *File) add(name string, m *zip.File, p place) error {
	content := f.content(m, p)
	size := int64(m.UncompressedSize64)
	h, err := npyheader.Read(content, size)
	if err != nil {
		if what := unread(content, size); what != "" {
			f.others = append(f.others, stored.Other{Name: name, What: what})
			return nil
		}
		return err
	}
	a := stored.Array{Name: name, Shape: h.Shape, DType: h.DType, BigEndian: h.BigEndian, ByColumns: h.ByColumns,
		Offset: -1}
	if m.Method == zip.Store {
		a.Offset = p.begin + h.Start
	}
	f.arrays = append(f.arrays, a)
	f.members = append(f.members, &member{content, h.Start})
	return nil
}

// unread says what the array of a sound .npy file is that holds no numbers, or "".
func unread(content io.ReaderAt, size int64) string {
	head := make([]byte, min(size, 256))
	if inputfile.Fill(content, head, 0) != nil || !strings.HasPrefix(string(head), npyheader.Magic) {
		return ""
	}
	_, dtype, _ := strings.Cut(string(head), "'descr': ")
	switch {
	case strings.HasPrefix(dtype, "'|O"):
		return "an array of Python objects"
	case strings.HasPrefix(dtype, "'<U"), strings.HasPrefix(dtype, "'>U"), strings.HasPrefix(dtype, "'|S"):
		return "text"
	case strings.HasPrefix(dtype, "["):
		return "an array of records"
	case strings.HasPrefix(dtype, "'<c"), strings.HasPrefix(dtype, "'>c"):
		return "an array of complex numbers"
	case strings.HasPrefix(dtype, "'<M"), strings.HasPrefix(dtype, "'<m"):
		return "an array of dates"
	}
	return ""
}
