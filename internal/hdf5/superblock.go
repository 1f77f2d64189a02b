package hdf5

import (
	"bytes"
	"fmt"

	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/sniff"
)

const signature = "\x89HDF\r\n\x1a\n"

// superblockBytes holds a superblock of any version.
const superblockBytes = 100

// open finds the superblock at byte 0, 512, 1024, 2048 and so on, and returns the address of the root group.
func (s *source) open() (uint64, error) {
	head := make([]byte, 8)
	for at := int64(0); at+int64(len(head)) <= s.size; at = max(512, 2*at) {
		if err := inputfile.Fill(s.r, head, at); err != nil {
			return 0, err
		}
		if string(head) == signature {
			return s.superblock(at)
		}
	}
	if err := sniff.Other(reading, s.name, sniff.Of(s.r, s.size), "an HDF5 file"); err != nil {
		return 0, err
	}
	return 0, &refusal{"is not an HDF5 file: it has no HDF5 signature", "name a file that h5py opens"}
}

// superblock reads the superblock at an offset, which becomes address 0.
func (s *source) superblock(at int64) (uint64, error) {
	data := make([]byte, min(superblockBytes, s.size-at))
	if err := inputfile.Fill(s.r, data, at); err != nil {
		return 0, err
	}
	s.base = at
	f := &fields{b: data[len(signature):]}
	switch v := f.int(1); v {
	case 0, 1:
		return s.superblock0(f, v)
	case 2, 3:
		return s.superblock2(f, v, data)
	default:
		return 0, unsupported("superblock version %d", v)
	}
}

// superblock0 reads a superblock of version 0 or 1 after its version.
func (s *source) superblock0(f *fields, version int) (uint64, error) {
	f.take(4) // versions of other structures
	offsets, lengths := f.int(1), f.int(1)
	f.take(1 + 2 + 2 + 4) // shape of B-trees, flags
	if version == 1 {
		f.take(4)
	}
	base := f.address()
	f.address() // free space
	end, driver := f.address(), f.address()
	f.address() // the name of the root group
	root := f.address()
	if err := f.err("the superblock"); err != nil {
		return 0, err
	}
	if driver != undefined {
		name, err := s.bytes("the driver information", driver, 16)
		if err == nil && !bytes.Equal(name[8:], make([]byte, 8)) {
			return 0, unsupported("a file in parts (driver %s)", bytes.TrimRight(name[8:], "\x00"))
		}
	}
	return root, s.checkSizes(offsets, lengths, base, end)
}

// Bits of the flags of superblock 3.
const (
	openForWriting = 1
	swmr           = 4
)

// superblock2 reads a superblock of version 2 or 3 after its version; data is all of it.
func (s *source) superblock2(f *fields, version int, data []byte) (uint64, error) {
	offsets, lengths, flags := f.int(1), f.int(1), f.int(1)
	base, _, end, root := f.address(), f.address(), f.address(), f.address()
	f.take(sumBytes)
	if err := f.err("the superblock"); err != nil {
		return 0, err
	}
	if err := s.checkSizes(offsets, lengths, base, end); err != nil {
		return 0, err
	}
	if _, err := s.checked("the superblock", data[:len(data)-len(f.b)]); err != nil {
		return 0, err
	}
	if version == 3 && flags&(openForWriting|swmr) != 0 {
		return 0, &refusal{"is open for writing, or its writer did not close it",
			"close it in the program that writes it, or run h5clear -s on it"}
	}
	return root, nil
}

// checkSizes compares the declared sizes with what is read and with the file. The end is counted from the
// start of the file if base is the user block's size.
func (s *source) checkSizes(offsets, lengths int, base, end uint64) error {
	if offsets != 8 || lengths != 8 {
		return unsupported("offsets of %d bytes and lengths of %d, want 8", offsets, lengths)
	}
	if end < base || end-base > uint64(s.size-s.base) {
		return &refusal{fmt.Sprintf("the superblock says %d bytes, the file has %d: it was cut off", end, s.size),
			"get the file again"}
	}
	return nil
}
