package hdf5

import (
	"fmt"
	"math/bits"
	"slices"
)

// elementBytes checks the head of an array of chunks: whether the chunks have filters, and the bytes of
// each chunk's entry.
func (b *chunkBuilder) elementBytes(what string, filtered, entry int) error {
	const plain = 8
	want := len(b.d.steps) > 0
	ok := filtered == 0 && entry == plain
	if want {
		ok = filtered == 1 && entry > plain+4 && entry <= plain+8+4
	}
	if !ok {
		return fmt.Errorf("%s is of type %d with entries of %d bytes, which does not suit the filters", what, filtered,
			entry)
	}
	return nil
}

// entry reads the entry of a chunk.
func (b *chunkBuilder) entry(f *fields, bytes int) chunk {
	c := chunk{address: f.address(), stored: b.out.bytes}
	if bytes > 8 {
		c.stored, c.mask = f.uint(bytes-8-4), uint32(f.uint(4))
	}
	return c
}

// pages is the number of pages of some entries, 0 if they are not in pages.
func pages(entries, page uint64) uint64 {
	if entries <= page {
		return 0
	}
	return (entries-1)/page + 1
}

// bit reports whether bit i is set, the highest of the first byte being the first.
func bit(data []byte, i uint64) bool { return data[i/8]>>(7-i%8)&1 != 0 }

// maxPageBits bounds the entries of a page, 2 to this power.
const maxPageBits = 30

// fixedArray reads a fixed array: the entries of all chunks of an array at its bounds, in one block. In a
// large one they are in pages, each with a checksum, and a bit tells the pages that were written.
func (b *chunkBuilder) fixedArray() error {
	const what = "a fixed array of chunks"
	f, err := b.d.src.structure(what, "FAHD", b.d.layout.address, 28)
	if err != nil {
		return err
	}
	if err := f.version0(what); err != nil {
		return err
	}
	filtered, bytes, pageBits := f.int(1), f.int(1), f.int(1)
	n, address := f.address(), f.address()
	if err := b.elementBytes(what, filtered, bytes); err != nil {
		return err
	}
	total := uint64(1)
	for _, k := range b.most {
		high, low := bits.Mul64(total, k)
		if high != 0 || k == undefined {
			return fmt.Errorf("%s is for arrays with bounds, this has %v", what, b.d.most)
		}
		total = low
	}
	if n != total || pageBits > maxPageBits || n > uint64(b.d.src.size) {
		return fmt.Errorf("%s is for %d chunks in pages of 2^%d, the array has %d", what, n, pageBits, total)
	}
	if address == undefined {
		return nil
	}
	head, page := uint64(4+1+1+8), uint64(1)<<pageBits
	count := pages(n, page)
	if count == 0 {
		f, err := b.d.src.structure(what, "FADB", address, head+n*uint64(bytes)+sumBytes)
		if err != nil {
			return err
		}
		f.take(int(head) - 4)
		return b.entries(f, bytes, 0, n, b.boundPlace)
	}
	f, err = b.d.src.structure(what, "FADB", address, head+(count+7)/8+sumBytes)
	if err != nil {
		return err
	}
	f.take(int(head) - 4)
	written := func(i uint64) bool { return bit(f.b, i) }
	return b.pages(written, address+head+(count+7)/8+sumBytes, bytes, page, 0, n, b.boundPlace)
}

// boundPlace is the place of a number that counts the chunks of an array at its bounds.
func (b *chunkBuilder) boundPlace(number uint64, out []uint64) { scaled(number, b.most, out) }

// entries reads n entries, of chunks whose numbers begin at first.
func (b *chunkBuilder) entries(f *fields, bytes int, first, n uint64, place func(uint64, []uint64)) error {
	at := make([]uint64, len(b.grid.per))
	for i := range n {
		c := b.entry(f, bytes)
		if f.short {
			return f.err("an array of chunks")
		}
		place(first+i, at)
		if err := b.add(at, c); err != nil {
			return err
		}
	}
	return nil
}

// pages reads n entries from pages at an address, of chunks whose numbers begin at first, if the pages were
// written.
func (b *chunkBuilder) pages(written func(uint64) bool, address uint64, bytes int, page, first, n uint64,
	place func(uint64, []uint64),
) error {
	const what = "a page of an array of chunks"
	for i := uint64(0); i*page < n; i++ {
		if !written(i) {
			continue
		}
		k := min(page, n-i*page)
		data, err := b.d.src.bytes(what, address+i*(page*uint64(bytes)+sumBytes), k*uint64(bytes)+sumBytes)
		if err == nil {
			data, err = b.d.src.checked(what, data)
		}
		if err == nil {
			err = b.entries(&fields{b: data}, bytes, first+i*page, k, place)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// freeAxis is the one axis without a bound, which an extensible array counts slowest.
func (b *chunkBuilder) freeAxis() (int, error) {
	free := slices.Index(b.most, undefined)
	if free < 0 || slices.Index(b.most[free+1:], undefined) >= 0 {
		return 0, fmt.Errorf("an extensible array is for arrays with one axis that can grow, this has %v", b.d.most)
	}
	return free, nil
}

// freePlace is the place of a number that counts the chunks with axis free as the slowest.
func (b *chunkBuilder) freePlace(free int) func(uint64, []uint64) {
	order := append([]uint64{undefined}, slices.Delete(slices.Clone(b.most), free, free+1)...)
	turned := make([]uint64, len(order))
	return func(number uint64, out []uint64) {
		scaled(number, order, turned)
		copy(out, turned[1:free+1])
		out[free] = turned[0]
		copy(out[free+1:], turned[free+1:])
	}
}
