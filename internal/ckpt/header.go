package ckpt

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// Limits of a safetensors header. maxHeader is the reference's; the others are far above those of
// any model.
const (
	maxHeader  = 100_000_000
	maxTensors = 1 << 17
	maxName    = 1 << 12
)

const metadataKey = "__metadata__"

// header is the checked beginning of a safetensors file.
type header struct {
	tensors  []TensorInfo // in the order of their data
	metadata map[string]string
}

// tensorError is an error about one tensor of a file.
type tensorError struct {
	tensor string
	error
}

// readHeader reads and checks what precedes the data in a safetensors file of size bytes: an
// unsigned 64-bit little-endian length N, and N bytes of JSON.
func readHeader(r io.ReaderAt, size int64) (*header, error) {
	var prefix [8]byte
	if size < int64(len(prefix)) {
		return nil, fmt.Errorf("the file has %d bytes, too few for a header", size)
	}
	if err := inputfile.Fill(r, prefix[:], 0); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint64(prefix[:])
	if n > maxHeader {
		return nil, fmt.Errorf("the header claims %d bytes, at most %d are allowed", n, maxHeader)
	}
	start := int64(n) + int64(len(prefix))
	if start > size {
		return nil, fmt.Errorf("the header claims %d bytes, the file has %d", n, size)
	}
	text := make([]byte, n)
	if err := inputfile.Fill(r, text, int64(len(prefix))); err != nil {
		return nil, err
	}
	h, err := parseHeader(text)
	if err != nil {
		return nil, err
	}
	return h, h.place(start, size)
}

// parseHeader reads the JSON of a header.
func parseHeader(text []byte) (*header, error) {
	if len(text) == 0 || text[0] != '{' {
		return nil, errors.New("the header does not begin with '{'")
	}
	s, err := newJSONScanner(text)
	if err != nil {
		return nil, err
	}
	h := new(header)
	err = s.object(func(key string) error {
		if key == metadataKey {
			h.metadata, err = parseMetadata(s)
			return err
		}
		if len(h.tensors) == maxTensors {
			return fmt.Errorf("more than %d tensors", maxTensors)
		}
		info, err := parseInfo(s, key)
		if err != nil {
			return &tensorError{key, err}
		}
		h.tensors = append(h.tensors, info)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return h, s.end()
}

func parseMetadata(s *jsonScanner) (map[string]string, error) {
	m := map[string]string{}
	return m, s.object(func(key string) (err error) {
		m[key], err = s.string()
		return err
	})
}

// parseInfo reads the entry of one tensor and checks that its size fits its shape.
func parseInfo(s *jsonScanner, name string) (TensorInfo, error) {
	info := TensorInfo{Name: name, Shape: []int{}}
	if err := checkName(name); err != nil {
		return info, err
	}
	fields := 0
	var offsets []int
	err := s.object(func(key string) error {
		fields++
		switch key {
		case "dtype":
			text, err := s.string()
			if err != nil {
				return err
			}
			var known bool
			if info.DType, known = parseDType(text); !known {
				return fmt.Errorf("unknown dtype %q", quote.Short(text))
			}
			return nil
		case "shape":
			return s.array(uints(s, &info.Shape, elements.MaxRank))
		case "data_offsets":
			return s.array(uints(s, &offsets, 2))
		}
		return fmt.Errorf("unknown field %q", quote.Short(key))
	})
	if err != nil {
		return info, err
	}
	if fields != 3 || len(offsets) != 2 {
		return info, errors.New("an entry needs dtype, shape and two data_offsets")
	}
	info.begin, info.end = int64(offsets[0]), int64(offsets[1])
	if info.end < info.begin {
		return info, fmt.Errorf("data_offsets %v run backwards", offsets)
	}
	size, err := elements.ByteSize(info.Shape, info.DType.bits())
	if err != nil {
		return info, err
	}
	if info.end-info.begin != size {
		return info, fmt.Errorf("data_offsets %v hold %d bytes, shape %v of %v needs %d",
			offsets, info.end-info.begin, info.Shape, info.DType, size)
	}
	return info, nil
}

// uints returns a function that appends one whole number to list, which holds at most limit.
func uints(s *jsonScanner, list *[]int, limit int) func() error {
	return func() error {
		if len(*list) == limit {
			return s.fail("more than %d numbers", limit)
		}
		n, err := s.uint()
		*list = append(*list, n)
		return err
	}
}

// checkName refuses names that a reader could confuse: the metadata's key, a name that a C program
// would cut at NUL, invalid UTF-8.
func checkName(name string) error {
	switch {
	case name == metadataKey:
		return fmt.Errorf("%s is the key of the metadata, not a name for a tensor", metadataKey)
	case len(name) > maxName:
		return fmt.Errorf("the name has %d bytes, at most %d are allowed", len(name), maxName)
	case strings.ContainsRune(name, 0):
		return errors.New("the name holds NUL")
	case !utf8.ValidString(name):
		return errors.New("the name is not valid UTF-8")
	}
	return nil
}

// place sorts the tensors by their data and makes their offsets those of the file. It refuses holes
// and overlaps between start and size, so that no second file can hide in it.
func (h *header) place(start, size int64) error {
	slices.SortStableFunc(h.tensors, func(a, b TensorInfo) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	var next int64
	for i := range h.tensors {
		t := &h.tensors[i]
		if t.begin != next {
			return &tensorError{t.Name, fmt.Errorf("data begins at offset %d, want %d", t.begin, next)}
		}
		next = t.end
		t.begin, t.end = t.begin+start, t.end+start
	}
	if next != size-start {
		return fmt.Errorf("the tensors take %d bytes, the file has %d for them", next, size-start)
	}
	return nil
}
