package hdf5

import "fmt"

// tree1 reads a node of a B-tree of version 1 whose leaves are chunks, and all below it.
func (b *chunkBuilder) tree1(address uint64, level int) error {
	s := b.d.src
	level, n, err := s.treeNode(address, 1, level)
	if err != nil {
		return err
	}
	rank := len(b.d.Shape)
	key := 8 + 8*(rank+1)
	data, err := s.bytes("a B-tree of chunks", address+24, uint64(n)*uint64(key+8))
	if err != nil {
		return err
	}
	at := make([]uint64, len(b.grid.per))
	for f := (&fields{b: data}); len(f.b) > 0; {
		c := chunk{stored: f.uint(4), mask: uint32(f.uint(4))}
		for axis := range rank {
			offset, n := f.address(), uint64(b.grid.chunk[axis])
			if level == 0 && offset%n != 0 {
				return fmt.Errorf("a chunk begins at %d of axis %d, not at a multiple of %d", offset, axis, n)
			}
			at[axis] = offset / n
		}
		f.take(8) // the offset in an element
		c.address = f.address()
		if level > 0 {
			err = b.tree1(c.address, level-1)
		} else {
			err = b.add(at, c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tree2 reads a B-tree of version 2 of chunks.
func (b *chunkBuilder) tree2() error {
	rank := len(b.d.Shape)
	at := make([]uint64, len(b.grid.per))
	kind := recordChunk
	if len(b.d.steps) > 0 {
		kind = recordFilteredChunk
	}
	return b.d.src.walk2(b.d.layout.address, []int{kind}, func(record []byte) error {
		f := &fields{b: record}
		c := chunk{address: f.address(), stored: b.out.bytes}
		if kind == recordFilteredChunk {
			size := len(record) - 8 - 4 - 8*rank
			if size < 1 || size > 8 {
				return fmt.Errorf("the record of a chunk has %d bytes", len(record))
			}
			c.stored, c.mask = f.uint(size), uint32(f.uint(4))
		}
		for axis := range rank {
			at[axis] = f.address()
		}
		if err := f.err("the record of a chunk"); err != nil {
			return err
		}
		return b.add(at, c)
	})
}
