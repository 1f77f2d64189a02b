package ckpt

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/quote"
)

const writeSafetensors = "write safetensors"

// Write writes tensors and metadata to the safetensors file at path, which is replaced as a whole
// or not at all. Equal content gives equal bytes, whatever the order of tensors and metadata.
func Write(path string, tensors []Tensor, metadata map[string]string) error {
	plan, err := newLayout(tensors, metadata)
	if err != nil {
		return badTensors(path, err)
	}
	return atomicfile.Write(path, plan.writeTo)
}

// WriteTo writes the safetensors bytes of tensors and metadata to w.
func WriteTo(w io.Writer, tensors []Tensor, metadata map[string]string) error {
	plan, err := newLayout(tensors, metadata)
	if err != nil {
		return badTensors("", err)
	}
	return plan.writeTo(w)
}

// badTensors is the error for tensors that cannot be written.
func badTensors(path string, err error) error {
	e := readError(writeSafetensors, path, err)
	e.Hint = "correct the tensor before it is written"
	return e
}

// layout is a safetensors file about to be written.
type layout struct {
	header  []byte
	tensors []Tensor // in the order of their data
}

// newLayout checks the tensors, puts them in the reference's order (widest dtype first, so that
// data are aligned, then by name) and makes the header, padded so that the data begin at a multiple
// of 8.
func newLayout(tensors []Tensor, metadata map[string]string) (*layout, error) {
	if len(tensors) > maxTensors {
		return nil, fmt.Errorf("there are %d tensors, at most %d are allowed", len(tensors), maxTensors)
	}
	tensors = slices.Clone(tensors)
	slices.SortFunc(tensors, func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(b.DType, a.DType), cmp.Compare(a.Name, b.Name))
	})
	header := []byte{'{'}
	if len(metadata) > 0 {
		for key, value := range metadata {
			if !utf8.ValidString(key) || !utf8.ValidString(value) {
				return nil, fmt.Errorf("metadata %q is not valid UTF-8", quote.Short(key))
			}
		}
		header = appendField(header, metadataKey, metadata)
	}
	names := make(map[string]struct{}, len(tensors))
	var begin int64
	for _, t := range tensors {
		if err := t.check(); err != nil {
			return nil, &tensorError{t.Name, err}
		}
		if _, twice := names[t.Name]; twice {
			return nil, &tensorError{t.Name, errors.New("two tensors have this name")}
		}
		names[t.Name] = struct{}{}
		end := begin + t.size()
		header = appendField(header, t.Name, entry{t.DType.String(), append([]int{}, t.Shape...), [2]int64{begin, end}})
		begin = end
	}
	header = append(header, '}')
	header = append(header, bytes.Repeat([]byte{' '}, -len(header)&7)...)
	if len(header) > maxHeader {
		return nil, fmt.Errorf("the header has %d bytes, at most %d are allowed", len(header), maxHeader)
	}
	return &layout{header, tensors}, nil
}

// entry is the header's entry of a tensor.
type entry struct {
	DType   string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// appendField adds a field to the header object. Maps come out sorted by key.
func appendField(header []byte, name string, value any) []byte {
	if len(header) > 1 {
		header = append(header, ',')
	}
	header = append(appendJSON(header, name), ':')
	return appendJSON(header, value)
}

func appendJSON(text []byte, value any) []byte {
	buffer := bytes.NewBuffer(text)
	encoder := json.NewEncoder(buffer)
	encoder.SetEscapeHTML(false) // the reference writes <, > and & as they are
	if err := encoder.Encode(value); err != nil {
		panic(err) // strings and whole numbers always encode
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte{'\n'})
}

func (l *layout) writeTo(w io.Writer) error {
	prefix := binary.LittleEndian.AppendUint64(nil, uint64(len(l.header)))
	if _, err := w.Write(append(prefix, l.header...)); err != nil {
		return err
	}
	for _, t := range l.tensors {
		if t.Data == nil {
			continue
		}
		n, err := t.Data.WriteTo(w)
		if err != nil {
			return err
		}
		if n != t.size() {
			return fault.New(fault.Internal, writeSafetensors, place("", t.Name),
				"%d bytes were written, %d announced", n, t.size())
		}
	}
	return nil
}
