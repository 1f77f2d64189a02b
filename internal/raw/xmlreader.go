package raw

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
)

// maxBetween bounds the bytes of XML from one start or end of an element to the next, without the texts that are
// read by [XMLReader.Text].
const maxBetween = 1 << 22

// maxStreamed bounds the elements of an [XMLReader].
const maxStreamed = 1 << 22

var errTooMany = fmt.Errorf("the XML has more than %d elements or nests more than %d deep", maxStreamed, maxDepth-1)

var errLong = fmt.Errorf("the XML has more than %d bytes between two tags", maxBetween)

// XMLReader reads XML tag by tag in bounded memory, with the limits of [ParseXML] on nesting and on what a document
// may declare.
type XMLReader struct {
	in           *measured
	d            *xml.Decoder
	depth, count int
}

// measured counts the bytes that one token takes.
type measured struct {
	*bufio.Reader
	left int
}

func (m *measured) ReadByte() (byte, error) {
	if m.left == 0 {
		return 0, errLong
	}
	m.left--
	return m.Reader.ReadByte()
}

// NewXMLReader reads XML from a reader.
func NewXMLReader(r *bufio.Reader) *XMLReader {
	x := &XMLReader{in: &measured{Reader: r}}
	x.d = xml.NewDecoder(x.in)
	x.d.CharsetReader = charset
	return x
}

// Next returns the next element that begins, without what is in it, or nil where one ends. After the last it returns
// [io.EOF]. Text is passed over.
func (x *XMLReader) Next() (*Element, error) {
	x.in.left = maxBetween
	for {
		token, err := x.d.Token()
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			x.depth++
			if x.count++; x.count > maxStreamed || x.depth == maxDepth {
				return nil, errTooMany
			}
			return &Element{Name: t.Name.Local, Attrs: t.Attr}, nil
		case xml.EndElement:
			x.depth--
			return nil, nil
		case xml.Directive:
			if err := checkDirective(t); err != nil {
				return nil, err
			}
		}
	}
}

// Whole reads the rest of an element that began last.
func (x *XMLReader) Whole(e *Element) (*Element, error) {
	x.in.left = maxBetween
	stack := []*Element{e}
	for {
		token, err := x.d.Token()
		if err != nil {
			return nil, unexpected(err)
		}
		top := stack[len(stack)-1]
		switch t := token.(type) {
		case xml.StartElement:
			if x.count++; x.count > maxStreamed || x.depth+len(stack) >= maxDepth {
				return nil, errTooMany
			}
			child := &Element{Name: t.Name.Local, Attrs: t.Attr}
			top.Children = append(top.Children, child)
			stack = append(stack, child)
		case xml.EndElement:
			if stack = stack[:len(stack)-1]; len(stack) == 0 {
				x.depth--
				return e, nil
			}
		case xml.CharData:
			top.Text = append(top.Text, t...)
		}
	}
}

// Text returns the text of an element that began last, up to the next tag. It must be read to its end.
func (x *XMLReader) Text() io.Reader { return &text{in: x.in.Reader} }

// text reads up to a tag.
type text struct {
	in   *bufio.Reader
	done bool
}

func (t *text) Read(p []byte) (int, error) {
	if t.done {
		return 0, io.EOF
	}
	n := 0
	for n < len(p) {
		if n > 0 && t.in.Buffered() == 0 {
			break
		}
		c, err := t.in.ReadByte()
		if err != nil {
			return n, unexpected(err)
		}
		if c == '<' {
			t.done = true
			if err := t.in.UnreadByte(); err != nil || n > 0 {
				return n, err
			}
			return 0, io.EOF
		}
		p[n] = c
		n++
	}
	return n, nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the XML ends within an element")
	}
	return err
}
