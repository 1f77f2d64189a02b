package npyheader

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// pythonScanner reads the Python literals of a header. text is the rest of the header.
type pythonScanner struct{ text string }

// peek skips white space and returns the next byte, 0 at the end.
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

// list reads open, items separated by commas, and end. A comma may follow the last item.
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
	err := p.list('(', ')', func() error {
		if len(shape) == elements.MaxRank {
			return fmt.Errorf("shape has more than %d dimensions", elements.MaxRank)
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
	return shape, err
}

// descr reads the type: byte order, kind and size.
func (p *pythonScanner) descr(d *Header) error {
	if p.peek() == '[' {
		return &DTypeError{"a table with named columns (a record dtype)", "save its numbers alone: " +
			"numpy.lib.recfunctions.structured_to_unstructured(array).astype('float32')"}
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
	if d.DType, known = codes[name]; !known {
		if name[0] == 'O' {
			return fmt.Errorf("the dtype %q is Python objects, which only running them can read", quote.Short(text))
		}
		return otherType(name[0], quote.Short(text))
	}
	d.BigEndian = order == '>'
	if order != '<' && order != '>' && (order != '|' || d.DType.Size() > 1) {
		return fmt.Errorf("dtype %q has no byte order", quote.Short(text))
	}
	return nil
}

// DTypeError is the error of an array that is whole and of a type that is none of those that are read.
type DTypeError struct{ Is, Hint string }

func (e *DTypeError) Error() string { return "holds " + e.Is + ", want numbers" }

// otherType is the error of a type by the letter of its kind.
func otherType(kind byte, dtype string) error {
	is, hint := map[byte]string{
		'c': "complex numbers", 'U': "text", 'S': "text", 'a': "text", 'M': "dates",
		'm': "lengths of time", 'V': "bytes without a type", 'f': "floats of another size",
		'g': "floats of another size",
	}[kind], "convert it: array.astype('float32')"
	switch {
	case kind == 'c':
		hint = "save what is meant as real numbers, such as numpy.abs(array).astype('float32')"
	case is == "":
		is, hint = "values", "want one of b1, i1-i8, u1-u8, f2, f4, f8"
	}
	return &DTypeError{fmt.Sprintf("%s (dtype %s)", is, dtype), hint}
}
