package openinference

import (
	"bytes"
	"math"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

// examples are tensors of all datatypes.
func examples(binary bool) []Tensor {
	out := []Tensor{
		NewTensor("a", []int64{2, 2}, []float32{1, .1, -3e20, 0}),
		NewTensor("b", []int64{3}, []float64{1e-9, 2, 3}),
		NewTensor("c", []int64{1}, []int64{-7}),
		NewTensor("d", []int64{2}, [][]byte{{0, 255}, {}}),
	}
	for i := range out {
		out[i].Binary = binary
	}
	return out
}

func plain(list []Tensor) []Tensor {
	for i := range list {
		list[i].Binary, list[i].Parameters = false, nil
	}
	return list
}

func TestRequestsAndResponsesAreReadAsTheyWereWritten(t *testing.T) {
	for _, binary := range []bool{false, true} {
		q := &Request{ID: "x", Inputs: examples(binary), Outputs: []Wanted{{"y", true}, {"z", false}},
			Parameters: map[string]any{"adapter": "ada"}}
		body, length, err := q.Encode()
		require.NoError(t, err)
		assert.Equal(t, binary, length != "")
		got, err := DecodeRequest(body, length)
		require.NoError(t, err)
		assert.Equal(t, plain(examples(false)), plain(got.Inputs))
		assert.Equal(t, q.Outputs, got.Outputs)
		assert.Equal(t, "x", got.ID)
		assert.Equal(t, "ada", got.Parameters["adapter"])

		r := &Response{Model: "m", Version: "1", ID: "x", Outputs: examples(binary)}
		encoded, err := r.Encode()
		require.NoError(t, err)
		var out bytes.Buffer
		require.NoError(t, encoded.Write(&out))
		assert.Equal(t, encoded.Size, out.Len())
		back, err := DecodeResponse(out.Bytes(), encoded.Length)
		require.NoError(t, err)
		assert.Equal(t, plain(examples(false)), plain(back.Outputs))
		assert.Equal(t, "m", back.Model)
	}
}

// The bytes of the protocol's documents: nested data, and a body with JSON of a stated length.
func TestBodiesOfOtherPrograms(t *testing.T) {
	q, err := DecodeRequest([]byte(`{"inputs":[{"name":"a","datatype":"FP32","shape":[2,2],"data":[[1,2],[3,4]]}],
		"outputs":[{"name":"y"}],"parameters":{"binary_data_output":true}}`), "")
	require.NoError(t, err)
	assert.Equal(t, []float32{1, 2, 3, 4}, q.Inputs[0].Data)
	assert.Equal(t, []Wanted{{"y", true}}, q.Outputs)

	text := `{"inputs":[{"name":"a","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":6}}]}`
	q, err = DecodeRequest([]byte(text+"\x02\x00\x00\x00hi"), strconv.Itoa(len(text)))
	require.NoError(t, err)
	assert.Equal(t, [][]byte{[]byte("hi")}, q.Inputs[0].Data)
}

func TestDamagedBodiesAreRefused(t *testing.T) {
	input := func(rest string) string { return `{"inputs":[{"name":"a",` + rest + `}]}` }
	for _, c := range []struct{ body, length, want string }{
		{"", "", "not the JSON"},
		{"{", "", "not the JSON"},
		{"[]", "", "not the JSON"},
		{"{}", "9", "no number of bytes of the body"},
		{"{}", "-1", "no number of bytes of the body"},
		{"{}x", "2", "1 bytes belong to no tensor"},
		{input(`"datatype":"FP16","shape":[1],"data":[1]`), "", "not FP32"},
		{input(`"datatype":"FP32","shape":[2],"data":[1]`), "", "1 elements, and the shape has 2"},
		{input(`"datatype":"FP32","shape":[1],"data":["x"]`), "", "no array of elements"},
		{input(`"datatype":"FP32","shape":[1]`), "", "no array of elements"},
		{input(`"datatype":"BYTES","shape":[1],"data":["!"]`), "", "not base64"},
		{input(`"datatype":"FP32","shape":[-1],"data":[]`), "", "impossible"},
		{input(`"datatype":"FP32","shape":[70000,70000],"data":[]`), "", "too many elements"},
		{input(`"datatype":"FP32","shape":[1,1,1,1,1,1,1,1,1],"data":[1]`), "", "9 dimensions"},
		{input(`"datatype":"FP32","shape":[1],"parameters":{"binary_data_size":4}`), "",
			"no number of bytes that follow"},
		{input(`"datatype":"FP32","shape":[1],"parameters":{"binary_data_size":"4"}`), "", "no number of bytes"},
		{input(`"datatype":"FP32","shape":[1],"parameters":{"binary_data_size":0}`), "", "0 bytes for 1 elements"},
		{input(`"datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":0}`), "", "longer than what follows"},
		{input(`"datatype":"FP32","shape":[0],"data":[],"parameters":{"binary_data_size":0}`), "", "both data"},
	} {
		_, err := DecodeRequest([]byte(c.body), c.length)
		require.ErrorContains(t, err, c.want, c.body)
		assert.Equal(t, fault.Usage, fault.KindOf(err))
	}
	text := input(`"datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":5}`)
	_, err := DecodeRequest([]byte(text+"\xff\xff\xff\xffx"), strconv.Itoa(len(text)))
	assert.ErrorContains(t, err, "longer than what follows")
}

// FuzzDecodeRequest: what is read can be written, and is read again as it was.
func FuzzDecodeRequest(f *testing.F) {
	for _, binary := range []bool{false, true} {
		body, length, err := (&Request{Inputs: examples(binary)}).Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body, length)
	}
	f.Add([]byte(`{"inputs":[{"name":"a","datatype":"INT64","shape":[0],"data":[]}]}`), "")
	f.Fuzz(func(t *testing.T, body []byte, length string) {
		q, err := DecodeRequest(body, length)
		if err != nil {
			assert.Equal(t, fault.Usage, fault.KindOf(err))
			return
		}
		again, length, err := q.Encode()
		require.NoError(t, err)
		back, err := DecodeRequest(again, length)
		require.NoError(t, err)
		assert.Len(t, back.Inputs, len(q.Inputs))
	})
}

// Numbers that are not finite are null in JSON, and null is NaN.
func TestNullIsNaN(t *testing.T) {
	for _, data := range []any{[]float32{1, float32(math.NaN())}, []float64{1, math.NaN()}} {
		r := &Response{Model: "m", Outputs: []Tensor{NewTensor("a", []int64{2}, data)}}
		body, err := r.Encode()
		require.NoError(t, err)
		var b bytes.Buffer
		require.NoError(t, body.Write(&b))
		assert.Contains(t, b.String(), "[1,null]")
		got, err := DecodeResponse(b.Bytes(), body.Length)
		require.NoError(t, err)
		switch x := got.Outputs[0].Data.(type) {
		case []float32:
			assert.Equal(t, []bool{false, true}, []bool{x[0] != x[0], x[1] != x[1]})
		case []float64:
			assert.Equal(t, []bool{false, true}, []bool{x[0] != x[0], x[1] != x[1]})
		default:
			assert.Fail(t, "other numbers")
		}
	}
	_, err := DecodeRequest([]byte(`{"inputs":[{"name":"a","datatype":"FP32","shape":[2],"data":[null]}]}`), "")
	assert.Equal(t, fault.Usage, fault.KindOf(err))
}

func TestLevelsOfIntervals(t *testing.T) {
	c := &Call{Model: "m", Samples: []float32{1}, Level: .95, Outputs: []string{OutputLower}}
	body, length, err := c.Request().Encode()
	require.NoError(t, err)
	wire, err := DecodeRequest(body, length)
	require.NoError(t, err)
	got, err := CallOf(wire, "m", "")
	require.NoError(t, err)
	assert.Equal(t, c, got)
	for _, level := range []any{"x", 0., 1., -3.} {
		wire.Parameters[ParamLevel] = level
		_, err := CallOf(wire, "m", "")
		assert.Equal(t, fault.Usage, fault.KindOf(err), level)
	}
}
