package ckpt

import (
	"bytes"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// Whatever is written is read back, and written again gives the same bytes in any order.
func TestRoundTrip(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		var tensors []Tensor
		for i := range r.IntN(6) {
			name := strings.Repeat(string([]rune("a.é\n\"\\<😀\u2028")[r.IntN(9)]), 1+r.IntN(3)) + fmt.Sprint(i)
			shape := make([]int, r.IntN(4))
			n := 1
			for k := range shape {
				shape[k] = r.IntN(4)
				n *= shape[k]
			}
			data := make([]byte, n*8)
			for k := range data {
				data[k] = byte(r.Uint32())
			}
			switch r.IntN(4) {
			case 0:
				x := make([]float64, n)
				for k := range x {
					x[k] = float64(data[8*k])
				}
				tensors = append(tensors, NewTensor(name, shape, x))
			case 1:
				tensors = append(tensors, Tensor{name, F16, shape, Bytes(data[:2*n])})
			case 2:
				x := make([]bool, n)
				for k := range x {
					x[k] = data[k] > 127
				}
				tensors = append(tensors, NewTensor(name, shape, x))
			case 3:
				tensors = append(tensors, Tensor{name, U8, shape, Bytes(data[:n])})
			}
		}
		metadata := map[string]string{"format": "pt", "<q>": "\"\t\u0001é", fmt.Sprint(seed): ""}
		var first, second bytes.Buffer
		require.NoError(t, WriteTo(&first, tensors, metadata))
		r.Shuffle(len(tensors), func(i, k int) { tensors[i], tensors[k] = tensors[k], tensors[i] })
		require.NoError(t, WriteTo(&second, tensors, metadata))
		require.Equal(t, first.Bytes(), second.Bytes())
		require.Contains(t, first.String(), `"<q>":`, "the reference does not escape <, > and &")

		f, err := readBytes(first.Bytes())
		require.NoError(t, err)
		require.Equal(t, metadata, f.Metadata())
		require.Len(t, f.Names(), len(tensors))
		for _, want := range tensors {
			var data bytes.Buffer
			_, err := want.Data.WriteTo(&data)
			require.NoError(t, err)
			info, ok := f.Info(want.Name)
			require.True(t, ok)
			require.Equal(t, want.DType, info.DType)
			require.Equal(t, want.Shape, info.Shape)
			got, err := f.bytes(want.Name)
			require.NoError(t, err)
			require.True(t, bytes.Equal(data.Bytes(), got))
			require.Zero(t, info.begin%int64(info.DType.size()), "%v is not aligned", info)
		}
	}
}

func TestTypedReading(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	floats := make([]float32, 3<<14+1) // more than one piece of the writer
	for i := range floats {
		floats[i] = float32(i) / 3
	}
	floats[7] = math.Float32frombits(0x7f800001) // a signalling NaN keeps its bits
	require.NoError(t, Write(path, []Tensor{
		NewTensor("f32", []int{len(floats)}, floats),
		NewTensor("f64", []int{3}, []float64{1.0 / 3, math.Inf(1), math.Copysign(0, -1)}),
		NewTensor("big", []int{2}, []float64{1, 1e39}),
		NewTensor("i64", []int{2}, []int64{math.MinInt64, 1 << 40}),
		NewTensor("i32", []int{2}, []int32{-7, math.MaxInt32}),
		NewTensor("u8", []int{2}, []uint8{0, 255}),
		NewTensor("bool", []int{2}, []bool{true, false}),
		{"bf16", BF16, []int{2}, Bytes{0x80, 0x3f, 0x01, 0x80}},
		{"f16", F16, []int{2}, Bytes{0x00, 0x3c, 0x01, 0x80}},
		{"i8", I8, []int{1}, Bytes{0xff}},
		{"u64", U64, []int{1}, Bytes{0, 0, 0, 0, 0, 0, 0, 0x80}},
		{"f8", F8E4M3, []int{1}, Bytes{0}},
		{"scalar", F32, nil, Bytes{0, 0, 0x80, 0x3f}},
		{"none", F32, []int{0, 3}, nil},
	}, nil))
	f, err := Open(path)
	require.NoError(t, err)
	defer f.Close()

	got, err := f.Float32("f32")
	require.NoError(t, err)
	for i := range floats {
		require.Equal(t, math.Float32bits(floats[i]), math.Float32bits(got[i]), i)
	}
	for name, want := range map[string][]float32{
		"f64":  {1.0 / 3, float32(math.Inf(1)), float32(math.Copysign(0, -1))},
		"bf16": {1, math.Float32frombits(0x80010000)}, "f16": {1, -0x1p-24}, "i32": {-7, 1 << 31}, "i8": {-1},
		"u64": {1 << 63}, "scalar": {1}, "none": {},
	} {
		got, err := f.Float32(name)
		require.NoError(t, err, name)
		assert.Equal(t, want, got, name)
	}
	wide, err := f.Float64("f64")
	require.NoError(t, err)
	assert.Equal(t, []float64{1.0 / 3, math.Inf(1), math.Copysign(0, -1)}, wide)
	for name, want := range map[string][]int64{
		"i64": {math.MinInt64, 1 << 40}, "i32": {-7, math.MaxInt32}, "u8": {0, 255}, "i8": {-1},
	} {
		got, err := f.Int64(name)
		require.NoError(t, err, name)
		assert.Equal(t, want, got, name)
	}
	truth, err := f.bytes("bool")
	require.NoError(t, err)
	assert.Equal(t, []byte{1, 0}, truth)

	_, err = f.Float32("big")
	faulttest.Require(t, fault.BadData, err, "a.safetensors:big: element 1, 1e+39, is too large")
	_, err = f.Float32("f8")
	faulttest.Require(t, fault.BadData, err, "F8_E4M3")
	_, err = f.Float32("bool")
	faulttest.Require(t, fault.BadData, err, "holds bool, which cannot be read")
	_, err = f.Int64("f32")
	faulttest.Require(t, fault.BadData, err, "holds float32, not integers")
	_, err = f.Int64("u64")
	faulttest.Require(t, fault.BadData, err, "too large")
	_, err = f.bytes("other")
	faulttest.Require(t, fault.BadData, err, "no such tensor")
	_, err = f.Tensor("other")
	faulttest.Require(t, fault.BadData, err, "no such tensor")
	info, ok := f.Info("f32")
	require.True(t, ok)
	assert.Equal(t, len(floats), info.Len())
	assert.Equal(t, int64(4*len(floats)), info.size())
	assert.Nil(t, f.Metadata())
}

// Rules beyond the goldens.
func TestHeaderRefused(t *testing.T) {
	one := []byte{0}
	for name, c := range map[string]struct {
		header string
		why    string
	}{
		"empty header":  {"", "does not begin"},
		"NUL in a name": {`{"a\u0000b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, "NUL"},
		"long name": {`{"` + strings.Repeat("n", maxName+1) +
			`":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, "at most 4096"},
		"lone surrogate":      {`{"\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, "surrogate"},
		"two high surrogates": {`{"\ud800\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, "surrogate"},
		"same name escaped": {`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\u0061":{"dtype":"U8",` +
			`"shape":[0],"data_offsets":[0,0]}}`, "twice"},
		"metadata twice": {`{"__metadata__":{},"__metadata__":{},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,` +
			`1]}}`, "twice"},
		"metadata null":     {`{"__metadata__":null,"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, "'{'"},
		"field twice":       {`{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, "twice"},
		"field in capitals": {`{"a":{"DType":"U8","shape":[1],"data_offsets":[0,1]}}`, "unknown field"},
		"no shape":          {`{"a":{"dtype":"U8","data_offsets":[0,1]}}`, "needs dtype"},
		"one offset":        {`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}`, "needs dtype"},
		"leading zero":      {`{"a":{"dtype":"U8","shape":[01],"data_offsets":[0,1]}}`, "whole number"},
		"exponent":          {`{"a":{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}}`, "whole number"},
		"minus zero":        {`{"a":{"dtype":"U8","shape":[1],"data_offsets":[-0,1]}}`, "whole number"},
		"plus":              {`{"a":{"dtype":"U8","shape":[+1],"data_offsets":[0,1]}}`, "whole number"},
		"huge number":       {`{"a":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,1]}}`, "too large"},
		"number as text":    {`{"a":{"dtype":"U8","shape":["1"],"data_offsets":[0,1]}}`, "whole number"},
		"65 dimensions": {`{"a":{"dtype":"U8","shape":[1` + strings.Repeat(",1", 64) + `],"data_offsets":[0,1]}}`,
			"more than 64"},
		"empty dtype":       {`{"a":{"dtype":"","shape":[1],"data_offsets":[0,1]}}`, "unknown dtype"},
		"trailing comma":    {`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},}`, `'"'`},
		"missing comma":     {`{"a":{"dtype":"U8" "shape":[1],"data_offsets":[0,1]}}`, "'}'"},
		"trailing newline":  {`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}` + "\n", "after the end"},
		"unfinished":        {`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}`, "end where"},
		"unfinished string": {`{"a`, "unfinished"},
		"unfinished escape": {`{"a\`, "unfinished"},
		"unfinished hex":    {`{"a\u00`, "hexadecimal"},
		"raw control":       {"{\"a\x01\":{}}", "control"},
		"control after \\":  {"{\"a\\n\x01\":{}}", "control"},
		"unknown escape":    {`{"a\x":{}}`, "escape"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readBytes(fileBytes(c.header, one))
			faulttest.Require(t, fault.BadData, err, "read safetensors: x.safetensors", c.why)
		})
	}
}

func TestHeaderAccepted(t *testing.T) {
	f, err := readBytes(fileBytes(`{ "\ud83d\ude00\/" : {"shape":[ ], "data_offsets":[0,1],"dtype":"U8"} , `+
		`"":{"dtype":"F4","shape":[0,2],"data_offsets":[1,1]}}   `, []byte{7}))
	require.NoError(t, err)
	require.Equal(t, []string{"😀/", ""}, f.Names())
	f, err = readBytes(
		fileBytes(`{"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[0],`+
			`"data_offsets":[0,0]}}`, []byte{7}))
	require.NoError(t, err, "an empty tensor may begin where another does")
	require.Equal(t, []string{"a", "b"}, f.Names())
	got, err := f.Int64("b")
	require.NoError(t, err)
	require.Equal(t, []int64{7}, got)
}

func TestTooManyTensors(t *testing.T) {
	var header strings.Builder
	header.WriteByte('{')
	for i := range maxTensors + 1 {
		fmt.Fprintf(&header, `"%d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},`, i)
	}
	_, err := readBytes(fileBytes(strings.TrimSuffix(header.String(), ",")+"}", nil))
	faulttest.Require(t, fault.BadData, err, "more than 131072 tensors")
}

// An error stays on one line and short whatever the names are.
func TestErrorNamesTensor(t *testing.T) {
	name := "a\nb" + strings.Repeat("c", 1000)
	_, err := readBytes(fileBytes(fmt.Sprintf(`{%q:{"dtype":"U8","shape":[2],"data_offsets":[0,1]}}`, name), []byte{0}))
	faulttest.Require(t, fault.BadData, err, `read safetensors: x.safetensors:"a\nbccc`)
	require.Less(t, len(err.Error()), 400)
	require.Contains(t, err.Error(), "; the file is damaged")
}

func TestWriteRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	ok := NewTensor("a", []int{1}, []float32{1})
	for name, c := range map[string]struct {
		tensors  []Tensor
		metadata map[string]string
		why      string
	}{
		"metadata's key": {tensors: []Tensor{NewTensor("__metadata__", []int{1}, []float32{1})},
			why: "__metadata__ is the key"},
		"same name":              {tensors: []Tensor{ok, ok}, why: "two tensors"},
		"same name, other dtype": {tensors: []Tensor{ok, NewTensor("a", []int{1}, []int64{1})}, why: "two tensors"},
		"short data": {tensors: []Tensor{NewTensor("a", []int{2}, []float32{1})},
			why: "4 bytes of data, shape [2] of F32 needs 8"},
		"no data":  {tensors: []Tensor{{Name: "a", DType: F32, Shape: []int{2}}}, why: "0 bytes"},
		"negative": {tensors: []Tensor{NewTensor("a", []int{-1}, []float32{})}, why: "negative"},
		"overflow": {tensors: []Tensor{NewTensor("a", []int{1 << 40, 1 << 40, 0}, []float32{})},
			why: "overflow"},
		"half bytes":         {tensors: []Tensor{{"a", F4, []int{3}, Bytes{0, 0}}}, why: "whole bytes"},
		"no dtype":           {tensors: []Tensor{{"a", 0, []int{0}, nil}}, why: "DType(0)"},
		"NUL":                {tensors: []Tensor{NewTensor("a\x00", []int{1}, []float32{1})}, why: "NUL"},
		"not UTF-8":          {tensors: []Tensor{NewTensor("a\xff", []int{1}, []float32{1})}, why: "UTF-8"},
		"metadata not UTF-8": {metadata: map[string]string{"a": "\xff"}, why: "UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			faulttest.Require(t, fault.BadData, Write(path, c.tensors, c.metadata), "write safetensors: ", path, c.why)
			faulttest.Require(t, fault.BadData, WriteTo(&bytes.Buffer{}, c.tensors, c.metadata), c.why)
			require.NoFileExists(t, path)
		})
	}
}

func TestWriteLongHeader(t *testing.T) {
	err := WriteTo(&bytes.Buffer{}, nil, map[string]string{"a": strings.Repeat("a", maxHeader)})
	faulttest.Require(t, fault.BadData, err, "at most 100000000 are allowed")
}

type liar struct{ Bytes }

func (liar) Len() int64 { return 4 }

// Data that do not keep their word leave no file.
func TestWriteChecksData(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	err := Write(path, []Tensor{{"a", F32, []int{1}, liar{Bytes{1, 2, 3}}}}, nil)
	faulttest.Require(t, fault.Internal, err, "a: 3 bytes were written, 4 announced")
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestOpenMissing(t *testing.T) {
	_, err := Open(filepath.Join(t.TempDir(), "a.safetensors"))
	faulttest.Require(t, fault.Missing, err, "read safetensors: ", "no such file")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// A file that is cut while it is open gives an error, where a mapped one would kill the process.
func TestFileCutWhileOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	require.NoError(t, Write(path, []Tensor{NewTensor("a", []int{1000}, make([]float32, 1000))}, nil))
	f, err := Open(path)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, os.Truncate(path, 1000))
	_, err = f.Float32("a")
	faulttest.Require(t, fault.IO, err, "a.safetensors:a", "shorter")
	tensor, err := f.Tensor("a")
	require.NoError(t, err)
	faulttest.Require(t, fault.IO, WriteTo(&bytes.Buffer{}, []Tensor{tensor}, nil), "shorter")
}

func TestClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	require.NoError(t, Write(path, []Tensor{NewTensor("a", []int{1}, []float32{1})}, nil))
	f, err := Open(path)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.NoError(t, f.Close())
	_, err = f.Float32("a")
	faulttest.Require(t, fault.IO, err, "closed")
	require.ErrorIs(t, err, fs.ErrClosed)
}

func TestConcurrentReading(t *testing.T) {
	f, err := Open(filepath.Join(golden, "base", "model.safetensors"))
	require.NoError(t, err)
	defer f.Close()
	names := f.Names()
	want := map[string][]float32{}
	for _, name := range names {
		want[name], err = f.Float32(name)
		require.NoError(t, err)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for _, name := range slices.Backward(names) {
				got, err := f.Float32(name)
				assert.NoError(t, err)
				assert.Equal(t, want[name], got)
			}
		})
	}
	group.Wait()
}

func TestDTypes(t *testing.T) {
	for d := BOOL; d <= U64; d++ {
		back, ok := parseDType(d.String())
		require.True(t, ok)
		require.Equal(t, d, back)
		require.Equal(t, d.bits()%8 == 0, d.size() > 0)
	}
	for _, name := range []string{"", "f32", "F33"} {
		_, ok := parseDType(name)
		require.False(t, ok)
	}
	require.Equal(t, "DType(200)", DType(200).String())
}
