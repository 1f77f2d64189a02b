package hdf5

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// maxChunk bounds the bytes of a chunk.
const maxChunk = 1 << 30

// chunk is a chunk in the file.
type chunk struct {
	at      uint64 // its number in the grid, row by row
	address uint64
	stored  uint64 // bytes in the file
	mask    uint32 // of the filters that were left out, by bits
}

const chunkMemory = 32

// chunkIndex finds the chunks of an array.
type chunkIndex struct {
	chunks []chunk // by number; nil of an implicit index
	total  uint64  // in the grid
	bytes  uint64  // of a decoded chunk

	implicit bool
	first    uint64   // the address of the first chunk of an implicit index
	most     []uint64 // its chunks along each axis
}

// chunkBuilder collects the chunks of an array while its index is read.
type chunkBuilder struct {
	d    *Dataset
	grid grid
	most []uint64 // chunks along each axis if the array grew to its bounds; undefined without a bound
	out  *chunkIndex
}

// chunksOf returns the index of the chunks, which it reads at the first call.
func (d *Dataset) chunksOf() (*chunkIndex, error) {
	if d.index != nil {
		return d.index, nil
	}
	b := &chunkBuilder{d: d, grid: d.grid(), out: &chunkIndex{total: 1, bytes: uint64(d.Type.Size)}}
	for i, n := range b.grid.chunk {
		high, size := bits.Mul64(b.out.bytes, uint64(n))
		if high != 0 || size > maxChunk {
			return nil, fmt.Errorf("a chunk of shape %v has more than %d bytes", b.grid.chunk, maxChunk)
		}
		b.out.bytes = size
		b.out.total *= uint64(b.grid.per[i]) // at most the number of elements
		most := uint64(b.grid.per[i])
		if i < len(d.most) {
			most = d.most[i]
			if most != undefined && most > 0 {
				most = (most-1)/uint64(n) + 1
			}
		}
		b.most = append(b.most, most)
	}
	if high, all := bits.Mul64(b.out.total, b.out.bytes); high != 0 || all > b.mostDecoded() {
		return nil, fmt.Errorf("chunks of shape %v are far larger than an array of shape %v", b.grid.chunk, d.Shape)
	}
	if err := b.read(); err != nil {
		return nil, err
	}
	slices.SortFunc(b.out.chunks, func(a, b chunk) int { return cmp.Compare(a.at, b.at) })
	for i := 1; i < len(b.out.chunks); i++ {
		if b.out.chunks[i].at == b.out.chunks[i-1].at {
			return nil, fmt.Errorf("two chunks are at one place of the array, number %d", b.out.chunks[i].at)
		}
	}
	if !b.out.implicit && len(b.out.chunks) == 0 && b.out.total > 0 {
		return nil, errNeverWritten
	}
	d.index = b.out
	return d.index, nil
}

// mostDecoded is how many bytes all chunks may have, which bounds the time of decoding: those of the array and what
// chunks at its edge have beyond it.
func (b *chunkBuilder) mostDecoded() uint64 {
	const times, more = 64, 64 << 20
	high, array := bits.Mul64(uint64(b.d.elements()), uint64(b.d.Type.Size)*times)
	if high != 0 || array > math.MaxUint64-more {
		return math.MaxUint64
	}
	return array + more
}

// read reads the index. An array without an index was never written.
func (b *chunkBuilder) read() error {
	l := &b.d.layout
	if l.address == undefined {
		return nil
	}
	switch l.index {
	case indexTree1:
		return b.tree1(l.address, -1)
	case indexSingle:
		stored := l.stored
		if stored == 0 {
			stored = b.out.bytes
		}
		if b.out.total != 1 {
			return fmt.Errorf("an index of one chunk is for an array of %d", b.out.total)
		}
		return b.add(make([]uint64, len(b.grid.per)), chunk{address: l.address, stored: stored, mask: l.mask})
	case indexImplicit:
		return b.implicit()
	case indexFixed:
		return b.fixedArray()
	case indexExtensible:
		return b.extensibleArray()
	default:
		return b.tree2()
	}
}

// add takes up a chunk at a place of the grid, unless it was not written or lies beyond the array.
func (b *chunkBuilder) add(scaled []uint64, c chunk) error {
	if c.address == undefined {
		return nil
	}
	c.at = 0
	for axis, n := range b.grid.per {
		if scaled[axis] >= uint64(n) {
			return nil
		}
		c.at = c.at*uint64(n) + scaled[axis]
	}
	if b.d.layout.rawEdges && b.edge(scaled) {
		c.mask = math.MaxUint32
	}
	if _, err := b.d.src.place("a chunk", c.address, c.stored); err != nil {
		return err
	}
	if err := b.d.src.spend(chunkMemory); err != nil {
		return err
	}
	b.out.chunks = append(b.out.chunks, c)
	return nil
}

// edge reports whether a chunk lies partly beyond the array.
func (b *chunkBuilder) edge(scaled []uint64) bool {
	for axis, n := range b.grid.chunk {
		if int(scaled[axis]+1)*n > b.grid.shape[axis] {
			return true
		}
	}
	return false
}

// scaled finds the place in the grid of a number that counts chunks row by row in an array at its bounds, into
// out. The first axis may have no bound.
func scaled(number uint64, most []uint64, out []uint64) {
	for axis := len(most) - 1; axis >= 0; axis-- {
		if axis == 0 || most[axis] == 0 {
			out[axis], number = number, 0
			continue
		}
		out[axis], number = number%most[axis], number/most[axis]
	}
}

// implicit checks an index by arithmetic: all chunks lie one after another, those of an array at its bounds.
func (b *chunkBuilder) implicit() error {
	if len(b.d.steps) > 0 {
		return fmt.Errorf("an implicit index is for chunks without filters, these have %s", b.d.steps[0].name())
	}
	size := b.out.bytes
	for _, n := range b.most {
		high, low := bits.Mul64(size, n)
		if n == undefined || high != 0 {
			return fmt.Errorf("an implicit index is for arrays with bounds, this has %v", b.d.most)
		}
		size = low
	}
	if _, err := b.d.src.place("the chunks", b.d.layout.address, size); err != nil {
		return err
	}
	b.out.implicit, b.out.first, b.out.most = true, b.d.layout.address, b.most
	return nil
}

// find returns the chunk at a place of the grid, false if it was not written.
func (x *chunkIndex) find(g grid, index []int) (chunk, bool) {
	if x.implicit {
		n := uint64(0)
		for axis, i := range index {
			n = n*x.most[axis] + uint64(i)
		}
		return chunk{at: n, address: x.first + n*x.bytes, stored: x.bytes}, true
	}
	n := uint64(0)
	for axis, i := range index {
		n = n*uint64(g.per[axis]) + uint64(i)
	}
	at, ok := slices.BinarySearchFunc(x.chunks, n, func(c chunk, n uint64) int { return cmp.Compare(c.at, n) })
	if !ok {
		return chunk{}, false
	}
	return x.chunks[at], true
}

// MissingChunks returns how many of the chunks were not written. Their elements are [Dataset.Fill].
func (d *Dataset) MissingChunks() (missing, of int, err error) {
	if d.refused != nil {
		return 0, 0, d.Err()
	}
	if d.layout.class != chunked {
		return 0, 0, nil
	}
	d.src.begin()
	x, err := d.chunksOf()
	switch {
	case err != nil:
		return 0, 0, d.src.fault(d.Name, err)
	case x.implicit:
		return 0, int(x.total), nil
	}
	return int(x.total) - len(x.chunks), int(x.total), nil
}
