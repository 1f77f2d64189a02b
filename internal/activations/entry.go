package activations

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// Key is the hash of everything that a tensor is computed from.
type Key [sha256.Size]byte

// String is the name of the key's file.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// Entry is a tensor as it is kept.
type Entry struct {
	About string // what it is, in words
	DType string // F32, BF16 or U8
	Shape []int
	Data  []byte // little-endian
}

// sizes are the bytes of one element.
var sizes = map[string]int{"F32": 4, "BF16": 2, "U8": 1}

// header is the first line of a file.
type header struct {
	Format int    `json:"frames"`
	About  string `json:"about"`
	DType  string `json:"dtype"`
	Shape  []int  `json:"shape"`
	SHA256 string `json:"sha256"`
}

const format = 1

// encode is the file of an entry.
func encode(k Key, e Entry) []byte {
	h := header{Format: format, About: e.About, DType: e.DType, Shape: e.Shape}
	h.SHA256 = h.sum(k, e.Data)
	return append(append(h.line(), '\n'), e.Data...)
}

func (h header) line() []byte {
	line, err := json.Marshal(h)
	if err != nil {
		panic(err) // texts and numbers encode
	}
	return line
}

// sum is the hash of key, header and data.
func (h header) sum(k Key, data []byte) string {
	h.SHA256 = ""
	sum := sha256.New()
	sum.Write(k[:])
	sum.Write(h.line())
	sum.Write(data)
	return hex.EncodeToString(sum.Sum(nil))
}

// decode reads a file; its error states what is wrong with it.
func decode(k Key, file []byte) (*Entry, error) {
	line, data, ok := bytes.Cut(file, []byte("\n"))
	var h header
	if !ok || json.Unmarshal(line, &h) != nil || h.Format != format {
		return nil, errors.New("it does not begin as it should")
	}
	want := sizes[h.DType]
	for _, n := range h.Shape {
		want *= n
	}
	if len(data) != want {
		return nil, fmt.Errorf("%d bytes of elements, want %d", len(data), want)
	}
	if h.sum(k, data) != h.SHA256 {
		return nil, errors.New("its checksum does not fit")
	}
	return &Entry{h.About, h.DType, h.Shape, data}, nil
}
