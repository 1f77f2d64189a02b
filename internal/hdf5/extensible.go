package hdf5

import (
	"fmt"
	"math/bits"
)

// extensible is an extensible array of chunks, which grows along one axis: some entries in an index block, then
// data blocks of growing sizes, whose addresses are in the index block and later in secondary blocks. Super
// block u stands for 2^(u/2) data blocks of 2^((u+1)/2) times the least number of entries.
type extensible struct {
	b         *chunkBuilder
	bytes     int // of an entry
	offset    int // bytes of the offset in heads of blocks
	inIndex   uint64
	least     uint64 // entries of the smallest data block
	page      uint64 // entries of a page
	place     func(uint64, []uint64)
	number    uint64 // of the next chunk
	end       uint64 // the number after the last chunk of the array; entries from it on are not used
	fewBlocks uint64 // the least data blocks of a secondary block
}

const extensibleArray = "an extensible array of chunks"

func (b *chunkBuilder) extensibleArray() error {
	f, err := b.d.src.structure(extensibleArray, "EAHD", b.d.layout.address, 72)
	if err != nil {
		return err
	}
	if err := f.version0(extensibleArray); err != nil {
		return err
	}
	filtered, bytes, maxBits := f.int(1), f.int(1), f.int(1)
	e := &extensible{b: b, bytes: bytes, offset: (maxBits + 7) / 8}
	e.inIndex, e.least, e.fewBlocks = f.uint(1), f.uint(1), f.uint(1)
	pageBits := f.int(1)
	f.take(48) // counts
	address := f.address()
	if err := b.elementBytes(extensibleArray, filtered, bytes); err != nil {
		return err
	}
	free, err := b.freeAxis()
	if err != nil {
		return err
	}
	if !powerOf2(e.least) || !powerOf2(e.fewBlocks) || maxBits > 64 || maxBits < log2(e.least) ||
		pageBits > maxPageBits {
		return fmt.Errorf("%s has blocks of %d entries, groups of %d blocks and %d bits", extensibleArray, e.least,
			e.fewBlocks, maxBits)
	}
	e.page, e.place, e.end = 1<<pageBits, b.freePlace(free), 1
	for axis, n := range b.most {
		if axis == free {
			n = uint64(b.grid.per[axis])
		}
		high, low := bits.Mul64(e.end, n)
		if high != 0 {
			return fmt.Errorf("%s is for too many chunks", extensibleArray)
		}
		e.end = low
	}
	if address == undefined {
		return nil
	}
	return e.indexBlock(address, maxBits)
}

// indexBlock reads the index block and all blocks that it leads to.
func (e *extensible) indexBlock(address uint64, maxBits int) error {
	supers := 1 + maxBits - log2(e.least)
	inIndex := min(2*log2(e.fewBlocks), supers) // super blocks whose data blocks are in the index block
	direct, secondary := 2*(e.fewBlocks-1), uint64(supers-inIndex)
	head := uint64(4 + 1 + 1 + 8)
	f, err := e.b.d.src.structure("an index block of chunks", "EAIB", address,
		head+e.inIndex*uint64(e.bytes)+8*(direct+secondary)+sumBytes)
	if err != nil {
		return err
	}
	f.take(int(head) - 4)
	if err := e.b.entries(f, e.bytes, 0, e.inIndex, e.place); err != nil {
		return err
	}
	e.number = e.inIndex
	for u := 0; u < supers && e.number < e.end; u++ {
		blocks, entries, err := e.super(u)
		if err != nil {
			return err
		}
		if u < inIndex {
			for range blocks {
				if err := e.dataBlock(f.address(), entries, nil, 0); err != nil {
					return err
				}
			}
			continue
		}
		if err := e.secondary(f.address(), blocks, entries); err != nil {
			return err
		}
	}
	return f.err("an index block of chunks")
}

// super returns the number of data blocks of a super block, and the entries of each.
func (e *extensible) super(u int) (blocks, entries uint64, err error) {
	const most = 31
	if u > 2*most || (u+1)/2+log2(e.least) > most {
		return 0, 0, fmt.Errorf("%s has too many entries", extensibleArray)
	}
	return 1 << (u / 2), e.least << ((u + 1) / 2), nil
}

// secondary reads a secondary block: bits that tell the written pages, those of one data block right after those of
// another, in whole bytes for each block; and the addresses of the data blocks.
func (e *extensible) secondary(address, blocks, entries uint64) error {
	if address == undefined {
		e.number += blocks * entries
		return nil
	}
	bitmap := (pages(entries, e.page) + 7) / 8
	head := uint64(4 + 1 + 1 + 8 + e.offset)
	f, err := e.b.d.src.structure("a secondary block of chunks", "EASB", address,
		head+blocks*bitmap+8*blocks+sumBytes)
	if err != nil {
		return err
	}
	f.take(int(head) - 4)
	written := f.take(int(blocks * bitmap))
	for i := uint64(0); i < blocks && e.number < e.end; i++ {
		if err := e.dataBlock(f.address(), entries, written, i*pages(entries, e.page)); err != nil {
			return err
		}
	}
	return nil
}

// dataBlock reads the entries of a data block, in pages if they are many. written has a bit for each page, from bit
// page on.
func (e *extensible) dataBlock(address, entries uint64, written []byte, page uint64) error {
	first := e.number
	e.number += entries
	if address == undefined || first >= e.end {
		return nil
	}
	const what = "a data block of chunks"
	head := uint64(4 + 1 + 1 + 8 + e.offset)
	if pages(entries, e.page) == 0 {
		f, err := e.b.d.src.structure(what, "EADB", address, head+entries*uint64(e.bytes)+sumBytes)
		if err != nil {
			return err
		}
		f.take(int(head) - 4)
		return e.b.entries(f, e.bytes, first, entries, e.place)
	}
	if written == nil {
		return fmt.Errorf("%s in pages is in an index block", what)
	}
	if _, err := e.b.d.src.structure(what, "EADB", address, head+sumBytes); err != nil {
		return err
	}
	return e.b.pages(func(i uint64) bool { return bit(written, page+i) }, address+head+sumBytes, e.bytes, e.page, first,
		entries, e.place)
}
