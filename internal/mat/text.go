package mat

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// Classes and types of text.
const (
	classCell = 1
	classChar = 4

	miUint8  = 2
	miUint16 = 4
	miUTF16  = 17
	miUTF32  = 18
)

// maxText is the longest text that is read, in bytes.
const maxText = 1 << 24

// textPlace is a variable of characters, or a cell array that may hold some.
type textPlace struct {
	name     string
	variable *variable
	at, end  int64 // its content
	shape    []int
	cells    bool
}

// Text returns the rows of a variable of characters, without the spaces that fill them up, or the texts of a cell array
// in the order of the file.
func (f *File) Text(name string) ([]string, error) {
	i := slices.IndexFunc(f.texts, func(t textPlace) bool { return t.name == name })
	if i < 0 {
		return nil, fault.New(fault.BadData, reading, quote.OneLine(f.path), "there is no text of the name %s",
			quote.OneLine(name))
	}
	t := f.texts[i]
	if n := t.end - t.at; n > maxText {
		return nil, f.fail(fmt.Errorf("%s is a text of %d bytes", quote.OneLine(quote.Short(name)), n))
	}
	s := &scanner{t.variable, t.variable.content(new(inflater))}
	read := s.rows
	if t.cells {
		read = s.cells
	}
	out, err := read(t.at, t.end, t.shape)
	if err != nil {
		e := f.fail(err)
		e.Path += ":" + quote.OneLine(quote.Short(name))
		return nil, e
	}
	return out, nil
}

// rows reads the characters of a matrix, which lie column by column.
func (s *scanner) rows(at, end int64, shape []int) ([]string, error) {
	if len(shape) != 2 {
		return nil, fmt.Errorf("a text of %d dimensions", len(shape))
	}
	e, err := s.element(at, end)
	if err != nil {
		return nil, err
	}
	data, _, err := s.bytes(at, end, maxText, miUTF8, miInt8, miUint8, miUint16, miUTF16, miUTF32)
	if err != nil {
		return nil, err
	}
	units, err := s.units(data, e.kind)
	switch {
	case err != nil:
		return nil, err
	case int64(len(units)) != int64(shape[0])*int64(shape[1]):
		return nil, fmt.Errorf("a text of %d × %d characters has %d", shape[0], shape[1], len(units))
	}
	out := make([]string, 0, min(shape[0], len(units)))
	for i := range cap(out) {
		line := make([]rune, 0, shape[1])
		for j := range shape[1] {
			line = append(line, units[i+j*shape[0]])
		}
		out = append(out, strings.TrimRight(joined(line), " \x00"))
	}
	return out, nil
}

// units are the characters as MATLAB counts them: those of UTF-8 and UTF-32, the units of UTF-16.
func (s *scanner) units(data []byte, kind uint32) ([]rune, error) {
	order := s.variable.file.order
	var out []rune
	switch width := map[uint32]int{miUint16: 2, miUTF16: 2, miUTF32: 4}[kind]; {
	case width > 0 && len(data)%width != 0:
		return nil, errors.New("a text ends within a character")
	case width == 2:
		for ; len(data) > 0; data = data[2:] {
			out = append(out, rune(order.Uint16(data)))
		}
	case width == 4:
		for ; len(data) > 0; data = data[4:] {
			out = append(out, rune(order.Uint32(data)&0x7fffffff))
		}
	case kind == miUTF8:
		for len(data) > 0 {
			r, n := utf8.DecodeRune(data)
			out, data = append(out, r), data[n:]
		}
	default:
		for _, b := range data {
			out = append(out, rune(b))
		}
	}
	return out, nil
}

// joined puts pairs of surrogates together.
func joined(units []rune) string {
	var b strings.Builder
	for i := 0; i < len(units); i++ {
		if i+1 < len(units) && utf16.IsSurrogate(units[i]) {
			if r := utf16.DecodeRune(units[i], units[i+1]); r != utf8.RuneError {
				b.WriteRune(r)
				i++
				continue
			}
		}
		b.WriteRune(units[i])
	}
	return b.String()
}

// cells reads a cell array of texts of one row each.
func (s *scanner) cells(at, end int64, shape []int) (out []string, err error) {
	n := int64(1)
	for _, d := range shape {
		if n *= int64(d); n > maxText {
			return nil, errors.New("a cell array of more cells than it has bytes")
		}
	}
	for range n {
		e, err := s.element(at, end)
		if err != nil {
			return nil, err
		}
		if e.kind != miMatrix {
			return nil, fmt.Errorf("a cell of type %d, want a matrix", e.kind)
		}
		one, err := s.cell(e)
		if err != nil {
			return nil, fmt.Errorf("cell %d: %w", len(out), err)
		}
		out, at = append(out, one), e.next
	}
	return out, nil
}

// cell reads one cell.
func (s *scanner) cell(e element) (string, error) {
	if e.size == 0 {
		return "", nil
	}
	end := e.begin + e.size
	flags, at, err := s.bytes(e.begin, end, 8, miUint32)
	if err != nil {
		return "", err
	}
	if len(flags) != 8 || byte(s.variable.file.order.Uint32(flags)) != classChar {
		return "", errors.New("it holds no text")
	}
	shape, at, err := s.shape(at, end)
	if err != nil {
		return "", err
	}
	if _, at, err = s.bytes(at, end, maxName, miInt8, miUTF8); err != nil {
		return "", err
	}
	rows, err := s.rows(at, end, shape)
	if err != nil || len(rows) == 0 {
		return "", err
	}
	return strings.Join(rows, " "), nil
}
