package ckpt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// The format is described in NumPy's numpy/lib/format.py (NEP 1): magic, version, the length of the
// header in 2 bytes (version 1) or 4, and a Python dictionary.
const (
	npyMagic     = "\x93NUMPY"
	maxNPYHeader = 1 << 16
)

// npyTypes pairs dtypes with their names in .npy, without byte order.
var npyTypes = map[string]DType{
	"b1": BOOL, "i1": I8, "i2": I16, "i4": I32, "i8": I64, "u1": U8, "u2": U16, "u4": U32, "u8": U64,
	"f2": F16, "f4": F32, "f8": F64,
}

// npyDescription is what the header of a .npy file says.
type npyDescription struct {
	dtype     DType
	bigEndian bool
	byColumns bool // the first index runs fastest ("Fortran order")
	shape     []int
}

// readNPYHeader reads the header of a .npy file of size bytes and says where the data begin.
func readNPYHeader(r io.ReaderAt, size int64) (*npyDescription, int64, error) {
	prefix := make([]byte, min(size, 12))
	if err := inputfile.Fill(r, prefix, 0); err != nil {
		return nil, 0, err
	}
	if !bytes.HasPrefix(prefix, []byte(npyMagic)) {
		return nil, 0, errors.New("is not a .npy file: it does not begin with \\x93NUMPY")
	}
	var start, length int64
	switch {
	case len(prefix) < 12:
		return nil, 0, fmt.Errorf("the file has %d bytes, too few for a header", size)
	case prefix[6] == 1:
		start, length = 10, int64(binary.LittleEndian.Uint16(prefix[8:]))
	case prefix[6] == 2, prefix[6] == 3:
		start, length = 12, int64(binary.LittleEndian.Uint32(prefix[8:]))
	default:
		return nil, 0, fmt.Errorf("format version %d.%d is unknown", prefix[6], prefix[7])
	}
	if length > maxNPYHeader || start+length > size {
		return nil, 0, fmt.Errorf("the header claims %d bytes, the file has %d and %d are allowed", length, size, maxNPYHeader)
	}
	text := make([]byte, length)
	if err := inputfile.Fill(r, text, start); err != nil {
		return nil, 0, err
	}
	d, err := parseNPYHeader(string(text))
	return d, start + length, err
}

// parseNPYHeader reads the dictionary {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }.
func parseNPYHeader(text string) (*npyDescription, error) {
	p := &pythonScanner{text: text}
	d := new(npyDescription)
	seen := map[string]bool{}
	err := p.list('{', '}', func() error {
		key, err := p.string()
		if err != nil {
			return err
		}
		if seen[key] {
			return fmt.Errorf("the header gives %q twice", key)
		}
		seen[key] = true
		if err := p.expect(':'); err != nil {
			return err
		}
		switch key {
		case "descr":
			return p.descr(d)
		case "fortran_order":
			d.byColumns, err = p.bool()
			return err
		case "shape":
			d.shape, err = p.shape()
			return err
		}
		return fmt.Errorf("the header has an unknown key %q", quote.Short(key))
	})
	if err != nil {
		return nil, err
	}
	if len(seen) != 3 {
		return nil, errors.New("the header lacks descr, fortran_order or shape")
	}
	if rest := strings.TrimSpace(p.text); rest != "" {
		return nil, fmt.Errorf("the header goes on with %q", quote.Short(rest))
	}
	return d, nil
}

// pythonScanner reads the few Python literals that a header is made of; text is what is left.
type pythonScanner struct{ text string }

// peek passes over white space and gives the next byte, 0 at the end.
func (p *pythonScanner) peek() byte {
	p.text = strings.TrimLeft(p.text, " \t\r\n")
	if p.text == "" {
		return 0
	}
	return p.text[0]
}

func (p *pythonScanner) expect(want byte) error {
	if p.peek() != want {
		return fmt.Errorf("the header lacks %q before %q", want, quote.Short(p.text))
	}
	p.text = p.text[1:]
	return nil
}

// list reads open, items each followed by a comma or, the last, by nothing, and end.
func (p *pythonScanner) list(open, end byte, item func() error) error {
	if err := p.expect(open); err != nil {
		return err
	}
	for p.peek() != end {
		if err := item(); err != nil {
			return err
		}
		if p.peek() != ',' {
			break
		}
		p.text = p.text[1:]
	}
	return p.expect(end)
}

// string reads a string without escapes in quotes of either kind.
func (p *pythonScanner) string() (string, error) {
	mark := p.peek()
	if mark != '\'' && mark != '"' {
		return "", fmt.Errorf("the header lacks a string before %q", quote.Short(p.text))
	}
	text, rest, ok := strings.Cut(p.text[1:], string(rune(mark)))
	if !ok || strings.ContainsAny(text, "\\\n") {
		return "", fmt.Errorf("the header has an unfinished string %q", quote.Short(p.text))
	}
	p.text = rest
	return text, nil
}

func (p *pythonScanner) bool() (bool, error) {
	p.peek()
	for word, value := range map[string]bool{"True": true, "False": false} {
		if rest, ok := strings.CutPrefix(p.text, word); ok {
			p.text = rest
			return value, nil
		}
	}
	return false, fmt.Errorf("fortran_order is %q, neither True nor False", quote.Short(p.text))
}

// shape reads a tuple of whole numbers. A tuple of one ends in a comma; Python 2 wrote 3L for 3.
func (p *pythonScanner) shape() ([]int, error) {
	shape := []int{}
	return shape, p.list('(', ')', func() error {
		if len(shape) == maxRank {
			return fmt.Errorf("shape has more than %d dimensions", maxRank)
		}
		p.peek()
		digits := p.text[:len(p.text)-len(strings.TrimLeft(p.text, "0123456789"))]
		n, err := strconv.ParseUint(digits, 10, strconv.IntSize-1)
		if err != nil {
			return fmt.Errorf("the shape has a bad dimension at %q", quote.Short(p.text))
		}
		shape = append(shape, int(n))
		p.text = strings.TrimPrefix(p.text[len(digits):], "L")
		return nil
	})
}

// descr reads the type: byte order, kind and size.
func (p *pythonScanner) descr(d *npyDescription) error {
	if p.peek() == '[' {
		return errors.New("the dtype is a record, want plain numbers")
	}
	text, err := p.string()
	if err != nil {
		return err
	}
	if len(text) < 2 {
		return fmt.Errorf("unknown dtype %q", text)
	}
	order, name := text[0], text[1:]
	known := false
	if d.dtype, known = npyTypes[name]; !known {
		if name[0] == 'O' {
			return fmt.Errorf("the dtype %q is Python objects, which only running them can read", quote.Short(text))
		}
		return fmt.Errorf("dtype %q is not read: want one of b1, i1-i8, u1-u8, f2, f4, f8", quote.Short(text))
	}
	d.bigEndian = order == '>'
	if order != '<' && order != '>' && (order != '|' || d.dtype.Size() > 1) {
		return fmt.Errorf("dtype %q has no byte order", quote.Short(text))
	}
	return nil
}

// npyHeader makes the header for elements by rows, padded so that the data begin at a multiple of 64.
// Version 1 is enough: no shape of maxRank dimensions fills its 65535 bytes.
func npyHeader(dt DType, shape []int) []byte {
	order := "<"
	if dt.Size() == 1 {
		order = "|"
	}
	name := ""
	for text, d := range npyTypes {
		if d == dt {
			name = text
		}
	}
	dims := ""
	for i, d := range shape {
		if i > 0 {
			dims += ", "
		}
		dims += strconv.Itoa(d)
	}
	if len(shape) == 1 {
		dims += ","
	}
	dictionary := fmt.Sprintf("{'descr': '%s%s', 'fortran_order': False, 'shape': (%s), }", order, name, dims)
	const before = len(npyMagic) + 2 + 2
	dictionary += strings.Repeat(" ", -(before+len(dictionary)+1)&63) + "\n"
	header := append([]byte(npyMagic), 1, 0)
	header = binary.LittleEndian.AppendUint16(header, uint16(len(dictionary)))
	return append(header, dictionary...)
}
