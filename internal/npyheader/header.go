// Package npyheader reads and writes the headers of .npy files, which describe the array that follows.
package npyheader

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// The format is described in NumPy's numpy/lib/format.py (NEP 1): magic, version, the length of the
// header in 2 bytes (version 1) or 4, and a Python dictionary.
const (
	// Magic are the bytes that a .npy file begins with.
	Magic     = "\x93NUMPY"
	maxHeader = 1 << 16
)

// Header is what the header of a .npy file declares.
type Header struct {
	DType     elements.Kind
	BigEndian bool
	ByColumns bool // the first index runs fastest ("Fortran order"), of two dimensions or more
	Shape     []int
	Start     int64 // of the data
}

// codes pairs the types that can be read with their codes, which are a letter and the number of bytes.
var codes = map[string]elements.Kind{
	"b1": elements.Bool, "i1": elements.Int8, "i2": elements.Int16, "i4": elements.Int32, "i8": elements.Int64,
	"u1": elements.Uint8, "u2": elements.Uint16, "u4": elements.Uint32, "u8": elements.Uint64,
	"f2": elements.Float16, "f4": elements.Float32, "f8": elements.Float64,
}

// Code is the code of a type, "f4".
func Code(k elements.Kind) string {
	for code, known := range codes {
		if known == k {
			return code
		}
	}
	return ""
}

// Read reads the header of a .npy file of size bytes and checks that the data fill the rest.
func Read(r io.ReaderAt, size int64) (*Header, error) {
	text, start, err := readText(r, size)
	if err != nil {
		return nil, err
	}
	h, err := parseHeader(text)
	if err != nil {
		return nil, err
	}
	h.Start, h.ByColumns = start, h.ByColumns && len(h.Shape) > 1
	want, err := elements.ByteSize(h.Shape, 8*h.DType.Size())
	if err == nil && want != size-start {
		err = fmt.Errorf("shape %v of %s needs %d bytes, the file has %d", h.Shape, h.DType, want, size-start)
	}
	if err != nil {
		return nil, err
	}
	return h, nil
}

// ToLittleEndian swaps the bytes of each element in data if the file has them the other way round.
func (h *Header) ToLittleEndian(data []byte) {
	if h.BigEndian {
		for item := range slices.Chunk(data, h.DType.Size()) {
			slices.Reverse(item)
		}
	}
}

// readText reads the text of the header and returns where the data begin.
func readText(r io.ReaderAt, size int64) (string, int64, error) {
	prefix := make([]byte, min(size, 12))
	if err := inputfile.Fill(r, prefix, 0); err != nil {
		return "", 0, err
	}
	if !bytes.HasPrefix(prefix, []byte(Magic)) {
		return "", 0, errors.New("is not a .npy file: it does not begin with \\x93NUMPY")
	}
	var start, length int64
	switch {
	case len(prefix) < 12:
		return "", 0, fmt.Errorf("the file has %d bytes, too few for a header", size)
	case prefix[6] == 1:
		start, length = 10, int64(binary.LittleEndian.Uint16(prefix[8:]))
	case prefix[6] == 2, prefix[6] == 3:
		start, length = 12, int64(binary.LittleEndian.Uint32(prefix[8:]))
	default:
		return "", 0, fmt.Errorf("format version %d.%d is unknown", prefix[6], prefix[7])
	}
	if length > maxHeader || start+length > size {
		return "", 0, fmt.Errorf("the header claims %d bytes, the file has %d and %d are allowed", length, size,
			maxHeader)
	}
	text := make([]byte, length)
	if err := inputfile.Fill(r, text, start); err != nil {
		return "", 0, err
	}
	return string(text), start + length, nil
}

// parseHeader reads the dictionary {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }.
func parseHeader(text string) (*Header, error) {
	p := &pythonScanner{text: text}
	d := new(Header)
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
			d.ByColumns, err = p.bool()
			return err
		case "shape":
			d.Shape, err = p.shape()
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
		return nil, fmt.Errorf("the header continues with %q", quote.Short(rest))
	}
	return d, nil
}

// Make makes the header for elements by rows, padded so that the data begin at a multiple of
// 64. Version 1 is enough: no shape of the most dimensions fills its 65535 bytes.
func Make(dtype elements.Kind, shape []int) []byte {
	order := "<"
	if dtype.Size() == 1 {
		order = "|"
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
	dictionary := fmt.Sprintf("{'descr': '%s%s', 'fortran_order': False, 'shape': (%s), }", order, Code(dtype), dims)
	const before = len(Magic) + 2 + 2
	dictionary += strings.Repeat(" ", -(before+len(dictionary)+1)&63) + "\n"
	text := append([]byte(Magic), 1, 0)
	text = binary.LittleEndian.AppendUint16(text, uint16(len(dictionary)))
	return append(text, dictionary...)
}
