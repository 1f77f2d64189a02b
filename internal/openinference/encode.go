package openinference

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"io"
	"maps"
	"math"
	"strconv"

	"github.com/brainwavlm/bwlm/fault"
)

// size returns the bytes of a tensor's elements in binary form.
func (t *Tensor) size() int {
	switch x := t.Data.(type) {
	case []float32:
		return 4 * len(x)
	case []float64:
		return 8 * len(x)
	case []int64:
		return 8 * len(x)
	case [][]byte:
		n := 0
		for _, b := range x {
			n += 4 + len(b)
		}
		return n
	}
	return 0
}

// wire returns the tensor in JSON.
func (t *Tensor) wire() wire {
	w := wire{Name: t.Name, Datatype: t.Datatype, Shape: t.Shape, Parameters: t.Parameters}
	if !t.Binary {
		w.Data = t.json()
		return w
	}
	w.Parameters = map[string]any{}
	maps.Copy(w.Parameters, t.Parameters)
	w.Parameters[binarySize] = t.size()
	return w
}

// json returns the elements as a flat array.
func (t *Tensor) json() json.RawMessage {
	out := []byte{'['}
	each := func(n int, element func(i int)) {
		for i := range n {
			if i > 0 {
				out = append(out, ',')
			}
			element(i)
		}
	}
	float := func(x float64, bits int) {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			out = append(out, "null"...)
		} else {
			out = strconv.AppendFloat(out, x, 'g', -1, bits)
		}
	}
	switch x := t.Data.(type) {
	case []float32:
		each(len(x), func(i int) { float(float64(x[i]), 32) })
	case []float64:
		each(len(x), func(i int) { float(x[i], 64) })
	case []int64:
		each(len(x), func(i int) { out = strconv.AppendInt(out, x[i], 10) })
	case [][]byte:
		each(len(x), func(i int) {
			out = append(out, '"')
			out = base64.StdEncoding.AppendEncode(out, x[i])
			out = append(out, '"')
		})
	}
	return append(out, ']')
}

// writeBinary writes the elements in binary form, in pieces.
func (t *Tensor) writeBinary(w io.Writer) error {
	le := binary.LittleEndian
	if x, ok := t.Data.([][]byte); ok {
		for _, b := range x {
			if _, err := w.Write(le.AppendUint32(nil, uint32(len(b)))); err != nil {
				return err
			}
			if _, err := w.Write(b); err != nil {
				return err
			}
		}
		return nil
	}
	const piece = 4096 // elements
	var b []byte
	write := func(n int, element func(i int)) error {
		for i := range n {
			element(i)
			if (i+1)%piece == 0 || i+1 == n {
				if _, err := w.Write(b); err != nil {
					return err
				}
				b = b[:0]
			}
		}
		return nil
	}
	switch x := t.Data.(type) {
	case []float32:
		return write(len(x), func(i int) { b = le.AppendUint32(b, math.Float32bits(x[i])) })
	case []float64:
		return write(len(x), func(i int) { b = le.AppendUint64(b, math.Float64bits(x[i])) })
	case []int64:
		return write(len(x), func(i int) { b = le.AppendUint64(b, uint64(x[i])) })
	}
	return fault.New(fault.Internal, "write tensors", t.Name, "%T has no datatype", t.Data)
}

// datatypes are those of slices.
func datatype(data any) string {
	switch data.(type) {
	case []float32:
		return "FP32"
	case []float64:
		return "FP64"
	case []int64:
		return "INT64"
	case [][]byte:
		return "BYTES"
	}
	return ""
}

// NewTensor returns a tensor of the datatype of a slice.
func NewTensor(name string, shape []int64, data any) Tensor {
	return Tensor{Name: name, Datatype: datatype(data), Shape: shape, Data: data}
}
