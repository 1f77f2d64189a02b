package hdf5

import (
	"errors"
	"fmt"
	"strings"

	"github.com/brainwavlm/bwlm/internal/elements"
)

// Attribute is a small value beside an array.
type Attribute struct {
	Name    string
	Shape   []int
	Numbers []float64 // element by element; nil of text
	Texts   []string  // nil of numbers
}

// Text is the text of an attribute that is one text, "" of others.
func (a Attribute) Text() string {
	if len(a.Texts) != 1 {
		return ""
	}
	return a.Texts[0]
}

// Attribute returns the attribute with a name, false if there is none. An attribute of a type that is not
// read has neither numbers nor texts.
func (d *Dataset) Attribute(name string) (Attribute, bool, error) {
	d.src.begin()
	var found Attribute
	ok := false
	err := d.eachAttribute(func(data []byte) error {
		a, err := d.src.parseAttribute(data, name)
		if err == nil && a.Name == name {
			found, ok = a, true
		}
		return err
	})
	return found, ok, d.src.fault(d.Name, err)
}

// eachAttribute visits the attribute messages of the data set.
func (d *Dataset) eachAttribute(visit func([]byte) error) error {
	for _, m := range d.attributes {
		var err error
		switch {
		case m.kind == msgAttribute && m.shared:
		case m.kind == msgAttribute:
			err = visit(m.data)
		default:
			err = d.denseAttributes(m, visit)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// denseAttributes visits the attributes in a fractal heap. Huge ones and shared ones are passed over.
func (d *Dataset) denseAttributes(m message, visit func([]byte) error) error {
	f := &fields{b: m.data}
	if err := f.version0("an attribute information message"); err != nil {
		return err
	}
	if flags := f.int(1); flags&1 != 0 {
		f.take(2) // the greatest creation order
	}
	const sharedFlag = 2
	skipped := func(id []byte) bool {
		return len(id) <= attributeIdentifiers || id[0]>>4&3 != 0 || id[attributeIdentifiers]&sharedFlag != 0
	}
	return d.src.dense(f, recordAttributeName, func(record []byte) []byte {
		if skipped(record) {
			return nil
		}
		return record[:attributeIdentifiers]
	}, visit)
}

// parseAttribute reads an attribute message. Only an attribute with the wanted name gets its value.
func (s *source) parseAttribute(data []byte, wanted string) (Attribute, error) {
	const what = "an attribute"
	f := &fields{b: data}
	version, flags := f.int(1), f.int(1)
	if version < 1 || version > 3 {
		return Attribute{}, unsupported("%s of version %d", what, version)
	}
	sizes := [3]int{f.int(2), f.int(2), f.int(2)} // of the name, the type and the shape
	if version == 3 {
		f.take(1) // character set
	}
	var parts [3][]byte
	for i, n := range sizes {
		parts[i] = f.take(n)
		if version == 1 {
			f.take((n+7)/8*8 - n)
		}
	}
	if err := f.err(what); err != nil {
		return Attribute{}, err
	}
	a := Attribute{Name: text(parts[0])}
	if a.Name != wanted || version > 1 && flags&3 != 0 {
		return a, nil
	}
	t, err := parseType(parts[1])
	if err != nil {
		return a, err
	}
	sp, err := parseSpace(parts[2])
	if err != nil || sp.null {
		return a, err
	}
	a.Shape = sp.shape
	return a, s.value(&a, t, f.b)
}

// value reads the elements of an attribute.
func (s *source) value(a *Attribute, t Type, data []byte) error {
	size, err := elements.ByteSize(a.Shape, 8*t.Size)
	if err != nil || size > int64(len(data)) {
		return fmt.Errorf("the attribute %s has %d bytes, want %d", a.Name, len(data), size)
	}
	data = data[:size]
	switch {
	case t.Kind != "":
		a.Numbers = make([]float64, len(data)/t.Size)
		return convert(&Dataset{Type: t}, a.Numbers, data, 0, false)
	case t.text == fixedText:
		for i := 0; i < len(data); i += t.Size {
			a.Texts = append(a.Texts, strings.TrimRight(text(data[i:i+t.Size]), " "))
		}
	case t.text == variableText:
		for f := (&fields{b: data}); len(f.b) > 0; {
			one, err := s.variable(f)
			if err != nil {
				return err
			}
			a.Texts = append(a.Texts, one)
		}
	}
	return nil
}

// variable reads a text of variable length, of which an element has the length, the address of a global heap
// and a number in it.
func (s *source) variable(f *fields) (string, error) {
	size, address, number := f.uint(4), f.address(), f.uint(4)
	if err := f.err("a text of variable length"); err != nil || size == 0 || number == 0 {
		return "", err
	}
	const what = "a global heap"
	head, err := s.signed(what, "GCOL", address, 16)
	if err != nil {
		return "", err
	}
	data, err := s.bytes(what, address, (&fields{b: head[8:]}).uint(8))
	if err != nil {
		return "", err
	}
	for h := (&fields{b: data[min(16, len(data)):]}); len(h.b) >= 16; {
		at := h.uint(2)
		h.take(6) // references
		n := h.uint(8)
		if at == 0 { // the free space at the end
			break
		}
		if n > uint64(len(h.b)) {
			return "", errors.New("an object is larger than its global heap")
		}
		object := h.take(int(n))
		if at == number {
			return text(object[:min(size, n)]), s.spend(int64(size))
		}
		h.take((8 - int(n%8)) % 8)
	}
	return "", fmt.Errorf("%s has no object %d", what, number)
}
