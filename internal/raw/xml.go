package raw

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/brainwavlm/bwlm/internal/quote"
)

// Limits of the XML that is read: GIFTI and CIFTI nest 6 deep, and have a few elements for each map
// and label.
const (
	maxDepth    = 12
	maxElements = 1 << 16
)

// Element is one element of XML. Text is the text directly in it.
type Element struct {
	Name     string
	Attrs    []xml.Attr
	Text     []byte
	Children []*Element
}

// ParseXML reads one element with all in it. It refuses entity declarations, references to them and
// deep nesting. A document type that only names itself is skipped.
func ParseXML(data []byte) (*Element, error) {
	d := xml.NewDecoder(bytes.NewReader(data))
	d.CharsetReader = charset
	root, stack, count := &Element{}, make([]*Element, 1, maxDepth), 0
	stack[0] = root
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		top := stack[len(stack)-1]
		switch t := token.(type) {
		case xml.StartElement:
			if count++; count > maxElements || len(stack) == maxDepth {
				return nil, fmt.Errorf("the XML has more than %d elements or nests more than %d deep", maxElements,
					maxDepth-1)
			}
			e := &Element{Name: t.Name.Local, Attrs: t.Attr}
			top.Children = append(top.Children, e)
			stack = append(stack, e)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(stack) > 1 {
				top.Text = append(top.Text, t...)
			}
		case xml.Directive:
			if err := checkDirective(t); err != nil {
				return nil, err
			}
		}
	}
	if len(root.Children) != 1 {
		return nil, fmt.Errorf("the XML has %d outermost elements, want 1", len(root.Children))
	}
	return root.Children[0], nil
}

// charset lets names of ASCII pass and refuses what is not UTF-8.
func charset(name string, r io.Reader) (io.Reader, error) {
	if strings.EqualFold(name, "us-ascii") || strings.EqualFold(name, "ascii") {
		return r, nil
	}
	return nil, fmt.Errorf("the encoding %s is not read, want UTF-8", quote.OneLine(quote.Short(name)))
}

// checkDirective refuses a document type that declares anything.
func checkDirective(t xml.Directive) error {
	if bytes.Contains(bytes.ToUpper(t), []byte("<!")) || bytes.ContainsAny(t, "[") {
		return errors.New("the XML declares entities or other things of its own, which are not read")
	}
	return nil
}

// Attr returns the value of an attribute, "" if there is none.
func (e *Element) Attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// All returns the children with a name.
func (e *Element) All(name string) []*Element {
	var out []*Element
	for _, c := range e.Children {
		if c.Name == name {
			out = append(out, c)
		}
	}
	return out
}

// One returns the first child with a name, an empty element if there is none.
func (e *Element) One(name string) *Element {
	for _, c := range e.Children {
		if c.Name == name {
			return c
		}
	}
	return &Element{}
}

// Trimmed is the text without white space around it.
func (e *Element) Trimmed() string { return strings.TrimSpace(string(e.Text)) }
