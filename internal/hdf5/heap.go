package hdf5

import (
	"fmt"
	"math/bits"
)

// heap is a fractal heap: objects in direct blocks, which a table of rows with doubling sizes finds. Its
// offsets count the blocks one after another, heads included.
type heap struct {
	s           *source
	offsetBytes int
	lengthBytes int
	columns     uint64 // blocks in a row of the table
	start       uint64 // bytes of a block of the first row
	largest     uint64 // bytes of the largest direct block
	sums        bool   // direct blocks have checksums
	blocks      []heapBlock
}

// heapBlock is one direct block.
type heapBlock struct {
	offset, size, address uint64
	data                  []byte // once it was needed
}

const fractalHeap = "a fractal heap"

// heap opens the fractal heap at an address: it finds all direct blocks.
func (s *source) heap(address uint64) (*heap, error) {
	const headBytes = 146
	f, err := s.structure(fractalHeap, "FRHP", address, headBytes)
	if err != nil {
		return nil, err
	}
	if err := f.version0(fractalHeap); err != nil {
		return nil, err
	}
	f.take(2) // bytes of an identifier
	if n := f.int(2); n > 0 {
		return nil, unsupported("a fractal heap with filters")
	}
	flags := f.int(1)
	mostManaged := f.uint(4)
	f.take(96) // huge and tiny objects, free space
	h := &heap{s: s, sums: flags&2 != 0, columns: f.uint(2), start: f.address(), largest: f.address()}
	maxBits := f.int(2)
	f.take(2)
	root, rows := f.address(), f.int(2)
	if !powerOf2(h.columns) || !powerOf2(h.start) || !powerOf2(h.largest) || h.start > h.largest ||
		h.largest > 1<<40 || maxBits > 64 {
		return nil, fmt.Errorf("%s has rows of %d blocks of %d to %d bytes", fractalHeap, h.columns, h.start, h.largest)
	}
	h.offsetBytes = (maxBits + 7) / 8
	h.lengthBytes = min((log2(h.largest)+7)/8, width(mostManaged))
	switch {
	case root == undefined:
		return h, nil
	case rows == 0:
		h.blocks = []heapBlock{{size: h.start, address: root}}
		return h, nil
	}
	return h, h.table(root, rows, 0, 0)
}

func powerOf2(n uint64) bool { return n > 0 && n&(n-1) == 0 }

func log2(n uint64) int { return bits.Len64(n) - 1 }

// table reads an indirect block, whose first block begins at an offset of the heap.
func (h *heap) table(address uint64, rows int, offset uint64, depth int) error {
	if depth > maxDepth || rows < 1 || rows > 64 {
		return fmt.Errorf("%s nests %d deep or has a table of %d rows", fractalHeap, depth, rows)
	}
	const what = "a block of a fractal heap"
	head := 4 + 1 + 8 + h.offsetBytes
	f, err := h.s.structure(what, "FHIB", address, uint64(head+sumBytes)+uint64(rows)*h.columns*8)
	if err != nil {
		return err
	}
	f.take(head - 4)
	for row := range rows {
		size := h.start << max(0, row-1)
		for range h.columns {
			child := f.address()
			switch {
			case size == 0 || offset+size < offset:
				return fmt.Errorf("%s overflows", fractalHeap)
			case child == undefined:
			case size <= h.largest:
				if err := h.s.spend(2 * linkBytes); err != nil {
					return err
				}
				h.blocks = append(h.blocks, heapBlock{offset: offset, size: size, address: child})
			default:
				below := log2(size) - log2(h.start) - log2(h.columns) + 1
				if err := h.table(child, below, offset, depth+1); err != nil {
					return err
				}
			}
			offset += size
		}
	}
	return nil
}

// object reads the object of an identifier.
func (h *heap) object(id []byte) ([]byte, error) {
	f := &fields{b: id}
	if kind := f.int(1) >> 4 & 3; kind != 0 {
		return nil, unsupported("an object of kind %d in a fractal heap", kind)
	}
	offset, size := f.uint(h.offsetBytes), f.uint(h.lengthBytes)
	if err := f.err("an identifier of a fractal heap"); err != nil {
		return nil, err
	}
	low, high := 0, len(h.blocks)
	for low < high { // blocks are in the order of their offsets
		if mid := (low + high) / 2; h.blocks[mid].offset+h.blocks[mid].size <= offset {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low == len(h.blocks) || h.blocks[low].offset > offset {
		return nil, fmt.Errorf("%s has no block at byte %d", fractalHeap, offset)
	}
	data, err := h.block(&h.blocks[low])
	if err != nil {
		return nil, err
	}
	offset -= h.blocks[low].offset
	if size > uint64(len(data))-offset {
		return nil, fmt.Errorf("an object of %d bytes is larger than its block in the fractal heap", size)
	}
	return data[offset : offset+size : offset+size], nil
}

// block reads a direct block, whose checksum is computed with zeros in its own place.
func (h *heap) block(b *heapBlock) ([]byte, error) {
	if b.data != nil {
		return b.data, nil
	}
	const what = "a block of a fractal heap"
	data, err := h.s.signed(what, "FHDB", b.address, b.size)
	if err != nil {
		return nil, err
	}
	if h.sums {
		f := &fields{b: data}
		f.take(4 + 1 + 8 + h.offsetBytes)
		sum := f.take(sumBytes)
		if err := f.err(what); err != nil {
			return nil, err
		}
		want := (&fields{b: sum}).uint(sumBytes)
		clear(sum)
		if got := lookup3(data); uint64(got) != want && !h.s.anySum {
			return nil, fmt.Errorf("the checksum of %s is %08x, want %08x", what, got, want)
		}
	}
	b.data = data
	return data, nil
}
