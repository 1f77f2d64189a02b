package hdf5

import (
	"fmt"
	"slices"
)

// layoutClass tells how the elements are stored.
type layoutClass int

const (
	compact layoutClass = iota
	contiguous
	chunked
	virtual
)

// indexKind tells how chunks are found.
type indexKind int

const (
	indexTree1 indexKind = iota // the only kind before layout message 4
	indexSingle
	indexImplicit
	indexFixed
	indexExtensible
	indexTree2
)

// layout is where the elements are.
type layout struct {
	class   layoutClass
	address uint64 // of contiguous elements, or of the index of chunks
	data    []byte // compact elements
	chunk   []int  // the shape of a chunk, with the bytes of an element as its last
	index   indexKind

	rawEdges bool   // chunks beyond the edge of the array are stored without filters
	stored   uint64 // bytes of a single filtered chunk
	mask     uint32 // of its filters
}

const layoutMessage = "a layout message"

// parseLayout reads a layout message of version 1 to 5.
func parseLayout(data []byte) (layout, error) {
	f := &fields{b: data}
	version := f.int(1)
	var l layout
	var err error
	switch version {
	case 1, 2:
		l, err = layout1(f)
	case 3, 4, 5:
		l.class = layoutClass(f.int(1))
		switch {
		case l.class == compact:
			l.data = f.take(f.int(2))
		case l.class == contiguous:
			l.address = f.address()
		case l.class == chunked && version == 3:
			axes := f.int(1)
			l.address = f.address()
			l.chunk, err = chunkShape(f, axes, 4)
		case l.class == chunked:
			l, err = layout4(f)
		}
	default:
		err = unsupported("a layout message of version %d", version)
	}
	if err == nil {
		err = f.err(layoutMessage)
	}
	if err == nil && (l.class < compact || l.class > virtual) {
		err = unsupported("a layout of class %d", int(l.class))
	}
	return l, err
}

// layout1 reads version 1 or 2, of HDF5 before 1.6.3.
func layout1(f *fields) (layout, error) {
	axes := f.int(1)
	l := layout{class: layoutClass(f.int(1))}
	f.take(5)
	if l.class != compact {
		l.address = f.address()
	}
	shape, err := chunkShape(f, axes, 4)
	switch l.class {
	case compact:
		l.data = f.take(f.int(4))
	case chunked:
		l.chunk = shape
	}
	return l, err
}

// layout4 reads a chunked layout of version 4 or 5 after its class.
func layout4(f *fields) (layout, error) {
	l := layout{class: chunked}
	flags, axes, bytes := f.int(1), f.int(1), f.int(1)
	l.rawEdges = flags&1 != 0
	if bytes < 1 || bytes > 8 {
		return l, fmt.Errorf("%s has sizes of %d bytes", layoutMessage, bytes)
	}
	var err error
	if l.chunk, err = chunkShape(f, axes, bytes); err != nil {
		return l, err
	}
	l.index = indexKind(f.int(1))
	switch l.index { // parameters that the head of the index repeats are skipped
	case indexSingle:
		if flags&2 != 0 {
			l.stored, l.mask = f.uint(8), uint32(f.uint(4))
		}
	case indexImplicit:
	case indexFixed:
		f.take(1)
	case indexExtensible:
		f.take(5)
	case indexTree2:
		f.take(6)
	default:
		return l, unsupported("an index of chunks of type %d", int(l.index))
	}
	l.address = f.address()
	return l, nil
}

// chunkShape reads a shape of axes numbers of some bytes, whose last is the bytes of an element.
func chunkShape(f *fields, axes, bytes int) ([]int, error) {
	if axes > maxRank+1 {
		return nil, fmt.Errorf("%s has %d axes, at most %d are possible", layoutMessage, axes, maxRank+1)
	}
	var shape []int
	for range axes {
		n := f.uint(bytes)
		if n > maxChunk {
			return nil, fmt.Errorf("a chunk is %d long, at most %d is possible", n, maxChunk)
		}
		shape = append(shape, int(n))
	}
	return shape, f.err(layoutMessage)
}

// fits checks a layout against the array.
func (l *layout) fits(shape []int, element int) error {
	if l.class != chunked {
		return nil
	}
	last := len(l.chunk) - 1
	if last != len(shape) || slices.Contains(l.chunk, 0) || l.chunk[last] != element {
		return fmt.Errorf("chunks of shape %v do not suit an array of shape %v with elements of %d bytes", l.chunk,
			shape, element)
	}
	return nil
}
