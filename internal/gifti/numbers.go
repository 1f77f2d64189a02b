package gifti

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/raw"
)

// numbers reads the elements of an array in the order of the file, in bounded memory.
type numbers struct {
	shape
	in    *bufio.Reader
	ascii bool
	piece []byte
}

// shape is what the attributes of an array say.
type shape struct {
	dims  []int
	kind  raw.Type
	order binary.ByteOrder
	first bool // the first index runs fastest
}

// len is the number of elements.
func (s shape) len() int {
	n := 1
	for _, d := range s.dims {
		n *= d
	}
	return n
}

// open reads the text of an array's Data.
func (s shape) open(e *raw.Element, text io.Reader) (*numbers, error) {
	n := &numbers{shape: s, piece: make([]byte, 8<<10)}
	switch encoding := e.Attr("Encoding"); encoding {
	case "ASCII":
		n.in, n.ascii = bufio.NewReader(text), true
	case "Base64Binary":
		n.in = bufio.NewReader(base64.NewDecoder(base64.StdEncoding, &dense{text}))
	case "GZipBase64Binary":
		z, err := zlib.NewReader(base64.NewDecoder(base64.StdEncoding, &dense{text}))
		if err != nil {
			return nil, fmt.Errorf("the compressed data are damaged: %w", err)
		}
		n.in = bufio.NewReader(z)
	case "ExternalFileBinary":
		return nil, external(e)
	default:
		return nil, fmt.Errorf("the encoding %q is unknown", quote.Short(encoding))
	}
	return n, nil
}

// external is the error of an array whose data are elsewhere.
func external(e *raw.Element) error {
	return fault.New(fault.BadData, reading, "", "the data stand in another file, %s",
		quote.OneLine(quote.Short(e.Attr("ExternalFileName")))).
		WithHint("other files are not opened; convert it to GZipBase64Binary, e.g. with wb_command -gifti-convert")
}

// dense leaves white space out.
type dense struct{ in io.Reader }

func (d *dense) Read(p []byte) (int, error) {
	for {
		n, err := d.in.Read(p)
		kept := p[:0]
		for _, c := range p[:n] {
			if c > ' ' {
				kept = append(kept, c)
			}
		}
		if len(kept) > 0 || err != nil || len(p) == 0 {
			return len(kept), err
		}
	}
}

// read reads the next len(dst) elements.
func (n *numbers) read(dst []float32) error {
	if n.ascii {
		return n.words(dst)
	}
	size := n.kind.Size()
	for len(dst) > 0 {
		b := n.piece[:min(len(n.piece)/size, len(dst))*size]
		if _, err := io.ReadFull(n.in, b); err != nil {
			return early(err)
		}
		for i := range len(b) / size {
			dst[i] = float32(raw.Float(b, n.kind, n.order, i))
		}
		dst = dst[len(b)/size:]
	}
	return nil
}

func early(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the data end before the elements that are declared")
	}
	return fmt.Errorf("the data are damaged: %w", err)
}

// longest is the most characters of a number.
const longest = 400

// words reads elements between white space.
func (n *numbers) words(dst []float32) error {
	word := n.piece[:0]
	for i := range dst {
		word = word[:0]
		for {
			c, err := n.in.ReadByte()
			if err != nil && (!errors.Is(err, io.EOF) || len(word) == 0) {
				return early(err)
			}
			if err == nil && c > ' ' {
				if word = append(word, c); len(word) > longest {
					return fmt.Errorf("%q is no number", quote.Short(string(word)))
				}
				continue
			}
			if len(word) > 0 {
				break
			}
		}
		b, err := appendNumber(n.piece[longest+8:longest+8], string(word), n.kind)
		if err != nil {
			return err
		}
		dst[i] = float32(raw.Float(b, n.kind, binary.LittleEndian, 0))
	}
	return nil
}

// finish refuses elements beyond those that are declared.
func (n *numbers) finish() error {
	rest, err := io.ReadAll(io.LimitReader(n.in, 64))
	if err != nil {
		return fmt.Errorf("the data are damaged: %w", err)
	}
	if len(rest) > 0 && !(n.ascii && len(bytes.TrimSpace(rest)) == 0) {
		return fmt.Errorf("there are more than the %d elements that are declared", n.len())
	}
	return nil
}
