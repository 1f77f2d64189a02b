package hdf5

import (
	"errors"
	"fmt"
)

// Messages of object headers.
const (
	msgSpace        = 0x01
	msgLinkInfo     = 0x02
	msgType         = 0x03
	msgOldFill      = 0x04
	msgFill         = 0x05
	msgLink         = 0x06
	msgExternal     = 0x07
	msgLayout       = 0x08
	msgFilters      = 0x0b
	msgAttribute    = 0x0c
	msgContinuation = 0x10
	msgSymbols      = 0x11
	msgAttrInfo     = 0x15
)

// message is one message of an object header.
type message struct {
	kind   int
	shared bool // the data only say where the message is
	data   []byte
}

// header is an object: its messages.
type header []message

// has returns the first message of a kind, nil if there is none.
func (h header) has(kind int) *message {
	for i := range h {
		if h[i].kind == kind {
			return &h[i]
		}
	}
	return nil
}

const objectHeader = "an object header"

// block is a part of an object header: the header itself, or a continuation.
type block struct{ address, size uint64 }

// header reads the object header at an address.
func (s *source) header(address uint64) (header, error) {
	start, err := s.bytes(objectHeader, address, 16)
	if err != nil {
		return nil, err
	}
	if string(start[:4]) == "OHDR" {
		return s.header2(address, start)
	}
	f := &fields{b: start}
	if v := f.int(1); v != 1 {
		return nil, fmt.Errorf("there is no object header at byte %d", address+uint64(s.base))
	}
	f.take(1)
	count := f.int(2)
	f.take(4) // references
	return s.header1(block{address + 16, f.uint(4)}, count)
}

// header1 reads the messages of an object header of version 1.
func (s *source) header1(first block, count int) (header, error) {
	var out header
	blocks := []block{first}
	for i := 0; i < len(blocks); i++ {
		data, err := s.bytes(objectHeader, blocks[i].address, blocks[i].size)
		if err != nil {
			return nil, err
		}
		for f := (&fields{b: data}); len(f.b) >= 8 && count > 0; count-- {
			kind, size, flags := f.int(2), f.int(2), f.int(1)
			f.take(3)
			m := message{kind, flags&2 != 0, f.take(size)}
			if err := f.err(objectHeader); err != nil {
				return nil, err
			}
			if out, blocks, err = s.add(out, blocks, m); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// header2 reads an object header of version 2, which begins with start.
func (s *source) header2(address uint64, start []byte) (header, error) {
	f := &fields{b: start[4:]}
	if v := f.int(1); v != 2 {
		return nil, unsupported("an object header of version %d", v)
	}
	flags := f.int(1)
	skip := uint64(6) // bytes before the size of the first block
	if flags&0x20 != 0 {
		skip += 16 // times
	}
	if flags&0x10 != 0 {
		skip += 4 // when attributes become dense
	}
	width := uint64(1) << (flags & 3)
	data, err := s.bytes(objectHeader, address, skip+width)
	if err != nil {
		return nil, err
	}
	f = &fields{b: data[skip:]}
	size := f.uint(int(width))
	if size > uint64(s.size) {
		return nil, fmt.Errorf("an object header of %d bytes is larger than the file", size)
	}
	var out header
	blocks := []block{{address, skip + width + size + sumBytes}}
	for i := 0; i < len(blocks); i++ {
		magic, from := "OCHK", uint64(0)
		if i == 0 {
			magic, from = "OHDR", skip+width-4
		}
		f, err := s.structure(objectHeader, magic, blocks[i].address, blocks[i].size)
		if err != nil {
			return nil, err
		}
		f.take(int(from))
		if out, blocks, err = s.messages2(f, flags, out, blocks); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// messages2 reads the messages of one block of version 2. A rest that is too small for a message is a gap.
func (s *source) messages2(f *fields, flags int, out header, blocks []block) (header, []block, error) {
	least, ordered := 4, flags&4 != 0
	if ordered {
		least += 2
	}
	for len(f.b) >= least {
		kind, size, flags := f.int(1), f.int(2), f.int(1)
		if ordered {
			f.take(2)
		}
		m := message{kind, flags&2 != 0, f.take(size)}
		err := f.err(objectHeader)
		if err != nil {
			return nil, nil, err
		}
		if out, blocks, err = s.add(out, blocks, m); err != nil {
			return nil, nil, err
		}
	}
	return out, blocks, nil
}

const (
	maxBlocks    = 1 << 12 // of an object header
	messageBytes = 64      // of memory, beside the data
)

// add adds a message to a header, or the block that it names.
func (s *source) add(out header, blocks []block, m message) (header, []block, error) {
	switch m.kind {
	case 0: // a gap
		return out, blocks, nil
	case msgContinuation:
		f := &fields{b: m.data}
		next := block{f.address(), f.address()}
		for _, b := range blocks {
			if b.address == next.address {
				return nil, nil, errors.New("an object header continues in itself")
			}
		}
		if len(blocks) == maxBlocks {
			return nil, nil, fmt.Errorf("an object header has more than %d parts", maxBlocks)
		}
		return out, append(blocks, next), f.err("a continuation")
	}
	return append(out, m), blocks, s.spend(messageBytes)
}
