package hdf5

import (
	"io"

	"github.com/brainwavlm/bwlm/internal/inputfile"
)

// File is an open HDF5 file.
type File struct {
	src    *source
	root   uint64 // the address of the root group
	closer io.Closer
}

// Open opens the HDF5 file at path. A file of another kind is refused by its name, and one that was cut off
// by its superblock. The caller closes the file.
func Open(path string) (*File, error) {
	file, size, err := inputfile.Open(reading, path)
	if err != nil {
		return nil, err
	}
	f, err := New(file, size, path)
	if err != nil {
		file.Close()
		return nil, err
	}
	f.closer = file
	return f, nil
}

// New opens an HDF5 file of size bytes, which errors call name. Its Close does not close r.
func New(r io.ReaderAt, size int64, name string) (*File, error) {
	return open(&source{r: r, name: name, size: size})
}

func open(s *source) (*File, error) {
	s.begin()
	root, err := s.open()
	if err != nil {
		return nil, s.fault("", err)
	}
	return &File{src: s, root: root}, nil
}

// Close closes the file. Its data sets cannot be read any more.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	closer := f.closer
	f.closer = nil
	return f.src.fault("", closer.Close())
}
