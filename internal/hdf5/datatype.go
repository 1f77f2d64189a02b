package hdf5

import (
	"bytes"
	"fmt"

	"github.com/brainwavlm/bwlm/internal/elements"
)

// Type is the type of the elements of an array.
type Type struct {
	Kind      elements.Kind // "" if they are not numbers that are read; bool is read as 0 and 1
	Size      int           // bytes of an element
	BigEndian bool

	name string // what they are, if Kind is ""
	text textKind
}

type textKind int

const (
	notText textKind = iota
	fixedText
	variableText
)

// String names the type as NumPy does, or says what it is.
func (t Type) String() string {
	switch {
	case t.Kind == "":
		return t.name
	case t.BigEndian && t.Size > 1:
		return string(t.Kind) + " (big-endian)"
	}
	return string(t.Kind)
}

// Classes of data types.
const (
	classInteger  = 0
	classFloat    = 1
	classText     = 3
	classBits     = 4
	classCompound = 6
	classEnum     = 8
	classVariable = 9
)

var classNames = map[int]string{
	2: "times", classText: "text", 5: "opaque bytes", classCompound: "compound elements", 7: "references",
	classVariable: "sequences of variable length", 10: "arrays as elements", 11: "complex numbers",
}

// typeHead is the length of a data type message before the properties of its class.
const typeHead = 8

// parseType reads a data type message. Types that are not numbers have no Kind and no error.
func parseType(data []byte) (Type, error) {
	f := &fields{b: data}
	class, flags := f.int(1), f.take(3)
	version := class >> 4
	size := f.uint(4)
	if err := f.err("a data type"); err != nil {
		return Type{}, err
	}
	class &= 15
	if version < 1 || version > 5 {
		return Type{}, unsupported("a data type of version %d", version)
	}
	if size == 0 || size > 1<<30 {
		return Type{}, fmt.Errorf("a data type has %d bytes", size)
	}
	t := Type{Size: int(size), BigEndian: flags[0]&1 != 0, name: classNames[class]}
	switch class {
	case classInteger, classBits:
		return t.integer(f, class == classInteger && flags[0]&8 != 0)
	case classFloat:
		return t.float(f, flags)
	case classEnum:
		return enumeration(f.b, int(flags[0])|int(flags[1])<<8)
	case classText:
		t.text = fixedText
	case classVariable:
		if flags[0]&15 == 1 {
			t.name, t.text = "text of variable length", variableText
		}
	case classCompound:
		if isComplex(f.b) {
			t.name = "complex numbers"
		}
	}
	if t.name == "" {
		t.name = fmt.Sprintf("elements of class %d", class)
	}
	return t, nil
}

var integers = map[bool]map[int]elements.Kind{
	true:  {1: elements.Int8, 2: elements.Int16, 4: elements.Int32, 8: elements.Int64},
	false: {1: elements.Uint8, 2: elements.Uint16, 4: elements.Uint32, 8: elements.Uint64},
}

// integer reads the properties of an integer, which must fill its bytes.
func (t Type) integer(f *fields, signed bool) (Type, error) {
	offset, bits := f.int(2), f.int(2)
	t.Kind = integers[signed][t.Size]
	if offset != 0 || bits != 8*t.Size {
		t.Kind = ""
	}
	if t.Kind == "" {
		t.name = fmt.Sprintf("integers of %d bits in %d bytes", bits, t.Size)
	}
	return t, f.err("a data type")
}

// ieee is the place and size of the exponent, the size of the fraction, and the bias.
type ieee struct{ at, exponent, fraction, bias int }

var floats = map[int]struct {
	ieee
	kind elements.Kind
}{
	2: {ieee{10, 5, 10, 15}, elements.Float16},
	4: {ieee{23, 8, 23, 127}, elements.Float32},
	8: {ieee{52, 11, 52, 1023}, elements.Float64},
}

// float reads the properties of a float, which must be those of IEEE 754.
func (t Type) float(f *fields, flags []byte) (Type, error) {
	offset, bits := f.int(2), f.int(2)
	got := ieee{at: f.int(1), exponent: f.int(1)}
	from := f.int(1)
	got.fraction = f.int(1)
	got.bias = f.int(4)
	const impliedOne = 2
	want, ok := floats[t.Size]
	switch {
	case flags[0]&0x40 != 0:
		t.name = "VAX floats"
	case !ok || got != want.ieee || offset != 0 || bits != 8*t.Size || from != 0 ||
		flags[0]>>4&3 != impliedOne || int(flags[1]) != 8*t.Size-1:
		t.name = fmt.Sprintf("floats of %d bits that are not of IEEE 754", bits)
	default:
		t.Kind = want.kind
	}
	return t, f.err("a data type")
}

// enumeration reads the type under an enumeration of n names. That of FALSE and TRUE in a byte is bool.
func enumeration(data []byte, n int) (Type, error) {
	if len(data) < typeHead || data[0]&15 != classInteger {
		return Type{name: "an enumeration of other than integers", Size: 1}, nil
	}
	t, err := parseType(data)
	const integerBytes = 4 // of properties
	if err != nil || t.Size != 1 || n != 2 {
		return t, err
	}
	names := data[typeHead+integerBytes:]
	if bytes.HasPrefix(names, []byte("FALSE\x00")) && bytes.Contains(names, []byte("\x00TRUE\x00")) {
		t.Kind = elements.Bool
	}
	return t, nil
}

// isComplex reports whether the members of a compound are named r and i, as h5py writes complex numbers.
func isComplex(members []byte) bool {
	return bytes.HasPrefix(members, []byte("r\x00")) && bytes.Contains(members, []byte("\x00i\x00"))
}
