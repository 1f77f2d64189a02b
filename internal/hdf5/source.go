package hdf5

import (
	"fmt"
	"io"

	"github.com/brainwavlm/bwlm/internal/inputfile"
)

// source reads the structures of a file by their addresses.
type source struct {
	r    io.ReaderAt
	name string // for errors
	size int64  // of the file
	base int64  // the place of address 0
	left int64  // how many bytes of structures the present call may still read

	decoder decoder // of chunks
	piece   []byte  // of contiguous elements

	anySum bool // checksums are not verified; for tests, whose damaged files would all stop there
}

// What one call may read of structures: so often the file, and a little more. A sound file is read hardly
// more than once.
const (
	readsOfFile = 16
	readsMore   = 256 << 10
)

// begin starts a call with a new budget.
func (s *source) begin() {
	s.left = readsMore + readsOfFile*s.size
}

// spend takes n bytes from the budget.
func (s *source) spend(n int64) error {
	if s.left -= n; s.left < 0 {
		return fmt.Errorf("the structures of the file are more than %d times its size: they refer to one another",
			readsOfFile)
	}
	return nil
}

// place is the offset of n bytes at an address, an error if they are not in the file.
func (s *source) place(what string, address, n uint64) (int64, error) {
	size := uint64(s.size - s.base)
	switch {
	case address == undefined:
		return 0, fmt.Errorf("%s has no address", what)
	case address > size || n > size-address:
		return 0, fmt.Errorf("%s, %d bytes at byte %d, ends beyond the end of the file at byte %d", what, n,
			address+uint64(s.base), s.size)
	}
	return int64(address) + s.base, nil
}

// bytes reads n bytes of a structure; what names it.
func (s *source) bytes(what string, address, n uint64) ([]byte, error) {
	at, err := s.place(what, address, n)
	if err != nil {
		return nil, err
	}
	if err := s.spend(int64(n)); err != nil {
		return nil, err
	}
	data := make([]byte, n)
	return data, inputfile.Fill(s.r, data, at)
}

// signed reads n bytes that begin with a signature of 4 characters.
func (s *source) signed(what, signature string, address, n uint64) ([]byte, error) {
	data, err := s.bytes(what, address, n)
	if err != nil {
		return nil, err
	}
	if len(data) < 4 || string(data[:4]) != signature {
		return nil, fmt.Errorf("%s at byte %d does not begin with %s", what, address+uint64(s.base), signature)
	}
	return data, nil
}

// structure reads n bytes that begin with a signature of 4 characters and end with a checksum, and returns
// what is between them.
func (s *source) structure(what, signature string, address, n uint64) (*fields, error) {
	data, err := s.signed(what, signature, address, n)
	if err != nil {
		return nil, err
	}
	if data, err = s.checked(what, data); err != nil {
		return nil, err
	}
	return &fields{b: data[min(4, len(data)):]}, nil
}

// version0 reads the version of a structure, which must be 0.
func (f *fields) version0(what string) error {
	if v := f.int(1); v != 0 {
		return unsupported("%s has version %d, want 0", what, v)
	}
	return nil
}
