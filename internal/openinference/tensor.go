package openinference

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"

	"github.com/brainwavlm/bwlm/fault"
)

// HeaderLength is the name of the HTTP header with the length of the JSON where binary tensors follow it.
const HeaderLength = "Inference-Header-Content-Length"

// Parameters of tensors and requests.
const (
	binarySize   = "binary_data_size"
	binaryData   = "binary_data"
	binaryOutput = "binary_data_output"
)

// Tensor is an array in row-major order. Data is a []float32 (FP32), []float64 (FP64), []int64 (INT64) or [][]byte
// (BYTES). Numbers that are not finite are null in JSON.
type Tensor struct {
	Name       string
	Datatype   string
	Shape      []int64
	Parameters map[string]any
	Data       any

	Binary bool // the elements follow the JSON
}

// wire is a tensor in JSON.
type wire struct {
	Name       string          `json:"name"`
	Datatype   string          `json:"datatype"`
	Shape      []int64         `json:"shape"`
	Parameters map[string]any  `json:"parameters,omitempty"`
	Data       json.RawMessage `json:"data,omitempty"`
}

const decoding = "read tensors"

func bad(where, reason string, args ...any) error {
	return fault.New(fault.Usage, decoding, where, reason, args...)
}

// widths are the bytes of an element.
var widths = map[string]int64{"FP32": 4, "FP64": 8, "INT64": 8}

// maxDims bounds the shape of a tensor.
const maxDims = 8

// elements returns the product of a shape.
func elements(w *wire) (int64, error) {
	n := int64(1)
	if len(w.Shape) > maxDims {
		return 0, bad("shape", "%d dimensions, want at most %d", len(w.Shape), maxDims)
	}
	for _, d := range w.Shape {
		if d < 0 || d > math.MaxInt32 || n*d > math.MaxInt32 {
			return 0, bad("shape", "a tensor has impossible or too many elements")
		}
		n *= d
	}
	return n, nil
}

// decode returns a tensor and what is left of the binary data.
func decode(w *wire, binary []byte) (t Tensor, rest []byte, err error) {
	t = Tensor{Name: w.Name, Datatype: w.Datatype, Shape: w.Shape, Parameters: w.Parameters}
	n, err := elements(w)
	if err != nil {
		return t, nil, err
	}
	if _, t.Binary = w.Parameters[binarySize]; t.Binary {
		size, ok := w.Parameters[binarySize].(float64)
		if !ok || size < 0 || size != math.Trunc(size) || size > float64(len(binary)) {
			return t, nil, bad(binarySize, "it is no number of bytes that follow")
		}
		if len(w.Data) > 0 {
			return t, nil, bad(w.Name, "has both data and %s", binarySize)
		}
		t.Data, err = decodeBinary(w.Datatype, n, binary[:int(size)])
		return t, binary[int(size):], err
	}
	t.Data, err = decodeJSON(w.Datatype, n, w.Data)
	return t, binary, err
}

// decodeBinary reads n elements.
func decodeBinary(datatype string, n int64, b []byte) (any, error) {
	if datatype == "BYTES" {
		return decodeBytes(n, b)
	}
	width, known := widths[datatype]
	switch {
	case !known:
		return nil, bad("datatype", "it is not FP32, FP64, INT64 or BYTES")
	case int64(len(b)) != n*width:
		return nil, bad(binarySize, "%d bytes for %d elements of %s", len(b), n, datatype)
	}
	le := binary.LittleEndian
	switch datatype {
	case "FP32":
		out := make([]float32, n)
		for i := range out {
			out[i] = math.Float32frombits(le.Uint32(b[4*i:]))
		}
		return out, nil
	case "FP64":
		out := make([]float64, n)
		for i := range out {
			out[i] = math.Float64frombits(le.Uint64(b[8*i:]))
		}
		return out, nil
	}
	out := make([]int64, n)
	for i := range out {
		out[i] = int64(le.Uint64(b[8*i:]))
	}
	return out, nil
}

// decodeBytes reads n elements of BYTES, each of which has its length in front.
func decodeBytes(n int64, b []byte) ([][]byte, error) {
	var out [][]byte
	for range n {
		if len(b) < 4 || int64(binary.LittleEndian.Uint32(b)) > int64(len(b)-4) {
			return nil, bad(binarySize, "an element of BYTES is longer than what follows")
		}
		size := int(binary.LittleEndian.Uint32(b))
		out, b = append(out, b[4:4+size]), b[4+size:]
	}
	if len(b) > 0 {
		return nil, bad(binarySize, "%d bytes are left after %d elements of BYTES", len(b), n)
	}
	return out, nil
}

// decodeJSON reads n elements of nested or flat arrays. Elements of BYTES are base64.
func decodeJSON(datatype string, n int64, data json.RawMessage) (any, error) {
	switch datatype {
	case "FP32":
		return floats[float32](n, data)
	case "FP64":
		return floats[float64](n, data)
	case "INT64":
		return flat[int64](n, data)
	case "BYTES":
		texts, err := flat[string](n, data)
		if err != nil {
			return nil, err
		}
		var out [][]byte
		for _, text := range texts {
			b, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				return nil, bad("data", "an element of BYTES is not base64, which JSON needs")
			}
			out = append(out, b)
		}
		return out, nil
	}
	return nil, bad("datatype", "it is not FP32, FP64, INT64 or BYTES")
}

// floats is flat for numbers of which null is NaN, as encode writes it.
func floats[T float32 | float64](n int64, data json.RawMessage) ([]T, error) {
	if !bytes.Contains(data, []byte("null")) {
		return flat[T](n, data)
	}
	list, err := flat[*T](n, data)
	if err != nil {
		return nil, err
	}
	out := make([]T, len(list))
	for i, x := range list {
		if out[i] = T(math.NaN()); x != nil {
			out[i] = *x
		}
	}
	return out, nil
}

// flat reads an array of n elements, nested to any depth up to that of a shape.
func flat[T any](n int64, data json.RawMessage) ([]T, error) {
	var out []T
	if json.Unmarshal(data, &out) != nil {
		out = nil
		if err := nested(data, maxDims, &out); err != nil {
			return nil, err
		}
	}
	if int64(len(out)) != n {
		return nil, bad("data", "%d elements, and the shape has %d", len(out), n)
	}
	return out, nil
}

func nested[T any](data json.RawMessage, depth int, out *[]T) error {
	var plain []T
	if json.Unmarshal(data, &plain) == nil {
		*out = append(*out, plain...)
		return nil
	}
	var parts []json.RawMessage
	if depth == 0 || json.Unmarshal(data, &parts) != nil {
		return bad("data", "it is no array of elements of the datatype")
	}
	for _, p := range parts {
		if err := nested(p, depth-1, out); err != nil {
			return err
		}
	}
	return nil
}
