package hdf5

import (
	"bytes"
	"errors"
	"fmt"
	"math"

	"github.com/brainwavlm/bwlm/internal/elements"
)

// Dataset is an array of a file.
type Dataset struct {
	Name    string // the path from the root
	Shape   []int  // empty for a single number
	Type    Type
	Filters []string // the names of its filters, in the order in which they were applied

	src     *source
	layout  layout
	steps   []filter
	most    []uint64
	fill    []byte // of one element; nil for zeros
	refused error  // why it is not read

	attributes header // messages of attributes
	index      *chunkIndex
}

// Err returns the reason why the data set cannot be read: its type, a filter, where its data are, or a
// damage. Reading returns the same error.
func (d *Dataset) Err() error { return d.src.fault(d.Name, d.refused) }

// Rows is the number of rows: of all axes but the last, or of an array with one axis its elements.
func (d *Dataset) Rows() int {
	n := 1
	for _, k := range d.grid().shape[:d.grid().lead()] {
		n *= k
	}
	return n
}

// Columns is the number of elements of a row.
func (d *Dataset) Columns() int {
	g := d.grid()
	return g.shape[g.lead()]
}

// InPlace returns the offset of the elements in the file if they are contiguous there, row by row, without
// filters. d.Type has their byte order.
func (d *Dataset) InPlace() (offset int64, ok bool) {
	if d.refused != nil || d.layout.class != contiguous || d.elements() == 0 {
		return 0, false
	}
	return int64(d.layout.address) + d.src.base, true
}

// Fill is the value of elements that were not written.
func (d *Dataset) Fill() float64 {
	var out [1]float64
	if d.fill != nil && d.refused == nil {
		_ = convert(d, out[:], d.fill, 0, false)
	}
	return out[0]
}

// elements is the number of elements.
func (d *Dataset) elements() int {
	n := 1
	for _, k := range d.Shape {
		n *= k
	}
	return n
}

// describe makes a data set of its object header. What it cannot read becomes its reason to refuse reading.
func (s *source) describe(name string, h header) *Dataset {
	d := &Dataset{Name: name, src: s}
	for _, m := range h {
		if m.kind == msgAttribute || m.kind == msgAttrInfo {
			d.attributes = append(d.attributes, m)
			continue
		}
		if err := d.message(m); err != nil && d.refused == nil {
			d.refused = err
		}
	}
	if d.refused == nil {
		d.refused = d.check(h)
	}
	return d
}

// message takes up one message.
func (d *Dataset) message(m message) error {
	switch m.kind {
	case msgSpace, msgType, msgOldFill, msgFill, msgLayout, msgFilters:
		if m.shared {
			return unsupported("the array has a shared message or a committed data type")
		}
	}
	var err error
	switch m.kind {
	case msgSpace:
		var sp space
		if sp, err = parseSpace(m.data); err == nil && sp.null {
			err = unsupported("an array without elements (null data space)")
		}
		d.Shape, d.most = sp.shape, sp.most
	case msgType:
		d.Type, err = parseType(m.data)
	case msgOldFill:
		if d.fill == nil {
			f := &fields{b: m.data}
			d.fill = f.take(f.int(4))
			err = f.err("a fill value")
		}
	case msgFill:
		d.fill, err = parseFill(m.data)
	case msgLayout:
		d.layout, err = parseLayout(m.data)
	case msgFilters:
		d.steps, err = parsePipeline(m.data)
		for _, step := range d.steps {
			d.Filters = append(d.Filters, step.name())
		}
	case msgExternal:
		err = unsupported("the array is stored in external files (external storage)")
	}
	return err
}

// parseFill reads a fill value message. It returns nil where there is none.
func parseFill(data []byte) ([]byte, error) {
	f := &fields{b: data}
	version, defined := f.int(1), true
	switch version {
	case 1, 2:
		f.take(2) // when to allocate and to write
		defined = f.int(1) != 0 || version == 1
	case 3:
		defined = f.int(1)&0x20 != 0
	default:
		return nil, unsupported("a fill value of version %d", version)
	}
	if !defined {
		return nil, f.err("a fill value")
	}
	out := f.take(int(min(f.uint(4), math.MaxInt32)))
	if len(out) == 0 {
		out = nil
	}
	return out, f.err("a fill value")
}

// check compares the messages with each other and with the file.
func (d *Dataset) check(h header) error {
	switch {
	case h.has(msgSpace) == nil || h.has(msgType) == nil:
		return errors.New("the array has no shape or no type")
	case d.Type.Kind == "":
		return unsupported("the array holds %s, not numbers that are read", d.Type)
	case d.layout.class == virtual:
		return &refusal{"the array is a virtual data set, which is made of other files",
			"write its numbers to a file: f.create_dataset(name, data=virtual[...])"}
	case d.fill != nil && len(d.fill) != d.Type.Size:
		return fmt.Errorf("the fill value has %d bytes, an element %d", len(d.fill), d.Type.Size)
	}
	if bytes.Count(d.fill, []byte{0}) == len(d.fill) {
		d.fill = nil
	}
	if err := d.layout.fits(d.Shape, d.Type.Size); err != nil {
		return err
	}
	if d.layout.class == chunked {
		return readable(d.steps)
	}
	size, err := elements.ByteSize(d.Shape, 8*d.Type.Size)
	if err != nil || size == 0 {
		return err
	}
	switch {
	case d.layout.class == compact && size > int64(len(d.layout.data)):
		return fmt.Errorf("the array needs %d bytes, %d are stored", size, len(d.layout.data))
	case d.layout.class == contiguous && d.layout.address == undefined:
		return errNeverWritten
	case d.layout.class == contiguous:
		_, err = d.src.place("the array", d.layout.address, uint64(size))
	}
	return err
}

var errNeverWritten = &refusal{"the array was never written: the file holds none of its elements",
	"get or make the file again"}
