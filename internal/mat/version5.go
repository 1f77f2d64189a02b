package mat

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/stored"
)

// Types of elements ("MAT-File Format", MathWorks): numbers, matrices and compressed matrices.
const (
	miInt8       = 1
	miInt32      = 5
	miUint32     = 6
	miMatrix     = 14
	miCompressed = 15
	miUTF8       = 16
)

// kinds are the types of elements that are numbers.
var kinds = map[uint32]elements.Kind{
	1: elements.Int8, 2: elements.Uint8, 3: elements.Int16, 4: elements.Uint16, 5: elements.Int32, 6: elements.Uint32,
	7: elements.Float32, 9: elements.Float64, 12: elements.Int64, 13: elements.Uint64,
}

// classes are the classes of matrices that hold numbers, and the types in which MATLAB shows them.
var classes = map[byte]elements.Kind{
	6: elements.Float64, 7: elements.Float32, 8: elements.Int8, 9: elements.Uint8, 10: elements.Int16,
	11: elements.Uint16, 12: elements.Int32, 13: elements.Uint32, 14: elements.Int64, 15: elements.Uint64,
}

// Other classes.
const (
	classStruct = 2
	classSparse = 5
)

var classNames = map[byte]string{
	classCell: "a cell array", 3: "an object", classChar: "text", classSparse: "a sparse matrix",
	16: "a function handle",
	17: "an object",
}

// Bounds of a variable.
const (
	maxName  = 4096
	maxDepth = 16
)

// scanner reads the parts of a variable.
type scanner struct {
	variable *variable
	content  io.ReaderAt
}

// element is a part of a variable.
type element struct {
	kind        uint32
	begin, size int64 // of its content
	next        int64 // where the next element begins
}

// element reads the tag of the element at a place, which must end before end: its type and its size in 4 bytes
// each, or in 2 if its content, at most 4 bytes, follows in the same 8 bytes. Others are filled up to a multiple
// of 8.
func (s *scanner) element(at, end int64) (element, error) {
	tag := make([]byte, 8)
	if at < 0 || end-at < 8 {
		return element{}, errors.New("a variable ends within an element")
	}
	if err := inputfile.Fill(s.content, tag, at); err != nil {
		return element{}, err
	}
	order := s.variable.file.order
	e := element{kind: order.Uint32(tag), begin: at + 8, size: int64(order.Uint32(tag[4:]))}
	if small := e.kind >> 16; small != 0 {
		e = element{kind: e.kind & 0xffff, begin: at + 4, size: int64(small), next: at + 8}
		if small > 4 {
			return e, fmt.Errorf("a small element of %d bytes", small)
		}
		return e, nil
	}
	if e.size > end-e.begin {
		return e, fmt.Errorf("an element of %d bytes, there are %d", e.size, end-e.begin)
	}
	e.next = e.begin + e.size
	if e.kind != miCompressed {
		e.next = min(end, e.begin+(e.size+7)&^7)
	}
	return e, nil
}

// bytes reads the element at a place, which must be of one of the types and at most so long.
func (s *scanner) bytes(at, end, most int64, kinds ...uint32) ([]byte, int64, error) {
	e, err := s.element(at, end)
	if err != nil {
		return nil, 0, err
	}
	known := false
	for _, kind := range kinds {
		known = known || kind == e.kind
	}
	if !known || e.size > most {
		return nil, 0, fmt.Errorf("an element of type %d with %d bytes, want type %d with at most %d", e.kind, e.size,
			kinds[0], most)
	}
	data := make([]byte, e.size)
	return data, e.next, inputfile.Fill(s.content, data, e.begin)
}

// list5 lists the variables of a file of version 5.
func (f *File) list5() error {
	s := &scanner{&variable{file: f, size: f.size}, f.from}
	for at := int64(header5); at < f.size; {
		e, err := s.element(at, f.size)
		switch {
		case err != nil:
		case e.kind == miMatrix:
			err = f.matrix(s, e.begin, e.begin+e.size, "", 0)
		case e.kind == miCompressed:
			err = f.compressed(e.begin, e.size)
		}
		if err != nil {
			return fmt.Errorf("variable at byte %d: %w", at, err)
		}
		at = e.next
	}
	return nil
}

// matrix lists the variable or field between two places: flags, dimensions, name and content. within is the name
// of the struct that it is a field of.
func (f *File) matrix(s *scanner, at, end int64, within string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("more than %d structs in each other", maxDepth)
	}
	flags, at, err := s.bytes(at, end, 8, miUint32)
	if err != nil {
		return err
	}
	if len(flags) != 8 {
		return errors.New("a matrix without flags")
	}
	class, complex, logical := byte(f.order.Uint32(flags)), f.order.Uint32(flags)&0x800 != 0,
		f.order.Uint32(flags)&0x200 != 0
	var shape []int
	if class != 17 { // which MathWorks does not document
		if shape, at, err = s.shape(at, end); err != nil {
			return err
		}
	}
	text, at, err := s.bytes(at, end, maxName, miInt8, miUTF8)
	if err != nil {
		return err
	}
	name := strings.ToValidUTF8(strings.TrimRight(string(text), "\x00"), "\ufffd")
	if depth > 0 {
		name = within
	}
	kind, numbers := classes[class]
	switch {
	case name == "": // MATLAB's own data of function handles
		return nil
	case class == classStruct:
		return f.fields(s, at, end, name, shape, depth)
	case numbers && complex:
		return f.addOther(name, "an array of complex numbers", true)
	case numbers:
		if logical {
			kind = elements.Bool
		}
		return f.numbers(s, at, end, name, shape, kind)
	case class == classChar || class == classCell:
		f.texts = append(f.texts, textPlace{name, s.variable, at, end, shape, class == classCell})
		return f.addOther(name, classNames[class], false)
	case classNames[class] != "":
		return f.addOther(name, classNames[class], class == classSparse)
	}
	return fmt.Errorf("%s is of class %d, which is not known", quote.OneLine(quote.Short(name)), class)
}

// shape reads dimensions.
func (s *scanner) shape(at, end int64) ([]int, int64, error) {
	data, next, err := s.bytes(at, end, 4*elements.MaxRank, miInt32)
	if err != nil {
		return nil, 0, err
	}
	shape := make([]int, len(data)/4)
	for i := range shape {
		shape[i] = int(int32(s.variable.file.order.Uint32(data[4*i:])))
		if shape[i] < 0 {
			return nil, 0, fmt.Errorf("a dimension is %d", shape[i])
		}
	}
	if len(shape) < 2 || len(data)%4 != 0 {
		return nil, 0, fmt.Errorf("dimensions of %d bytes", len(data))
	}
	return shape, next, nil
}

// numbers lists an array of numbers of a class. MATLAB keeps them in a smaller type if that holds them exactly.
func (f *File) numbers(s *scanner, at, end int64, name string, shape []int, class elements.Kind) error {
	e, err := s.element(at, end)
	if err != nil {
		return err
	}
	kind, known := kinds[e.kind]
	if !known {
		return fmt.Errorf("%s holds elements of type %d, want numbers", quote.OneLine(quote.Short(name)), e.kind)
	}
	if class == elements.Bool && kind == elements.Uint8 {
		kind = elements.Bool
	}
	size, err := elements.ByteSize(shape, 8*kind.Size())
	if err == nil && size != e.size {
		err = fmt.Errorf("shape %v of %s needs %d bytes, there are %d", shape, kind, size, e.size)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", quote.OneLine(quote.Short(name)), err)
	}
	a := stored.Array{Name: name, Shape: shape, DType: class, ByColumns: true, Offset: -1}
	if s.variable.packed == 0 && kind == class {
		a.Offset = s.variable.begin + e.begin
	}
	return f.add(a, place{s.variable, e.begin, kind})
}

// fields lists the fields of a struct: the length of a name, the names, and a matrix for each.
func (f *File) fields(s *scanner, at, end int64, name string, shape []int, depth int) error {
	for _, d := range shape {
		if d != 1 {
			return f.addOther(name, "an array of several structs", false)
		}
	}
	data, at, err := s.bytes(at, end, 4, miInt32)
	if err != nil {
		return err
	}
	length := int64(0)
	if len(data) == 4 {
		length = int64(f.order.Uint32(data))
	}
	if length < 1 || length > maxName {
		return fmt.Errorf("names of fields of %d bytes", length)
	}
	names, at, err := s.bytes(at, end, end-at, miInt8)
	if err != nil {
		return err
	}
	for ; int64(len(names)) >= length; names = names[length:] {
		field, _, _ := strings.Cut(string(names[:length]), "\x00")
		e, err := s.element(at, end)
		switch {
		case err != nil:
			return err
		case e.kind != miMatrix:
			return fmt.Errorf("a field of type %d, want a matrix", e.kind)
		case e.size > 0: // none is an empty field
			if err := f.matrix(s, e.begin, e.begin+e.size, name+"."+strings.ToValidUTF8(field, "\ufffd"),
				depth+1); err != nil {
				return err
			}
		}
		at = e.next
	}
	return nil
}
