package ckpt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/fuzztest"
)

// Any bytes are refused, or read whole and written again.
func FuzzSafetensors(f *testing.F) {
	fuzztest.Seeds(f, filepath.Join(golden, "containers", "safetensors", "*.safetensors"))
	f.Fuzz(func(t *testing.T, input []byte) {
		fuzztest.Run(t, 64, input, func() {
			if file, err := readBytes(input); err == nil {
				readAll(t, file)
			}
		})
	})
}

// readAll reads the tensors of a file in every way; what can be opened can be read.
func readAll(t *testing.T, file *File) {
	for _, name := range file.Names() {
		_, err := file.bytes(name)
		require.NoError(t, err)
		_, _ = file.Float32(name)
		_, _ = file.Int64(name)
	}
}

// What can be read can be written, and comes back the same.
func FuzzSafetensorsRewrite(f *testing.F) {
	fuzztest.Seeds(f, filepath.Join(golden, "containers", "safetensors", "ok_*.safetensors"))
	f.Fuzz(func(t *testing.T, input []byte) {
		first, err := readBytes(input)
		if err != nil {
			return
		}
		var tensors []Tensor
		for _, name := range first.Names() {
			tensor, err := first.Tensor(name)
			require.NoError(t, err)
			tensors = append(tensors, tensor)
		}
		var out bytes.Buffer
		require.NoError(t, WriteTo(&out, tensors, first.Metadata()))
		second, err := readBytes(out.Bytes())
		require.NoError(t, err)
		require.ElementsMatch(t, first.Names(), second.Names())
		for _, name := range first.Names() {
			want, err := first.bytes(name)
			require.NoError(t, err)
			got, err := second.bytes(name)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	})
}

// readTorchAll reads PyTorch bytes, if they can be opened.
func readTorchAll(t *testing.T, input []byte) {
	if file, err := readTorchBytes(input); err == nil {
		_ = file.Settings()
		readAll(t, file)
	}
}

// Any bytes are refused as a PyTorch file, or read whole.
func FuzzTorch(f *testing.F) {
	fuzztest.Seeds(f, filepath.Join(golden, "containers", "bin", "*.bin"))
	f.Fuzz(func(t *testing.T, input []byte) {
		fuzztest.Run(t, 64, input, func() { readTorchAll(t, input) })
	})
}

// So with any pickle in a sound archive, where mutations get further.
func FuzzPickle(f *testing.F) {
	for _, value := range []string{
		square, pTensor(two, 0, pInts(2, 2), pInts(0, 1)), pTensor(two, 3, pInts(), pInts()),
		"ctorch._utils\n_rebuild_parameter\n" + pTuple(square, "\x88", pOrdered) + "R", pText("b"),
		"](K\x01M\x01\x02J\x01\x00\x00\xffGabcdefghN\x88\x89e",
		"q\x01h\x01r\x01\x00\x00\x00j\x01\x00\x00\x00\x85\x86\x87", pDict(pText("c"), square),
		pOrdered + pDict(pText("_metadata"), pOrdered) + "b",
	} {
		f.Add([]byte(oneTensor(value)))
	}
	f.Fuzz(func(t *testing.T, pickle []byte) {
		input := torchFile(string(pickle), fourFloats)
		fuzztest.Run(t, 64, input, func() { readTorchAll(t, input) })
	})
}

func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"metadata": {"total_size": 1.5}, "weight_map": {"a": "m-1.safetensors", "b\u00e9": ` +
		`"m-2.safetensors"}}`))
	f.Add([]byte(`{"x": [{"": {"": {}}}, true, null, "\ud83d\ude00"], "weight_map": {"a": "../m-1.safetensors"}}`))
	f.Fuzz(func(t *testing.T, input []byte) {
		fuzztest.Run(t, 64, input, func() {
			index, err := parseIndex(input, ".safetensors")
			if err != nil {
				return
			}
			for _, file := range index {
				require.Equal(t, filepath.Base(file), file)
				require.True(t, filepath.IsLocal(file))
			}
		})
	})
}

// The inputs that cost the most memory for their size stay within the guard.
func TestMemoryOfHostileInput(t *testing.T) {
	var header strings.Builder
	for i := range 1 << 14 {
		fmt.Fprintf(&header, `,"\u00%02x%x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`, 32+i%64, i)
	}
	file := fileBytes("{"+header.String()[1:]+"}", nil)
	fuzztest.Run(t, 64, file, func() {
		_, err := readBytes(file)
		require.NoError(t, err)
	})
	for name, item := range map[string]string{
		"objects": `{"":{"":{"":{}}}}`, "arrays": `[[[[]]]]`, "escapes": `"\n"`, "keys": `{"\n":"\n"}`,
	} {
		index := []byte(`{"x":[` + strings.Repeat(item+",", 1<<16) + `0]}`)
		fuzztest.Run(t, 64, index, func() {
			_, err := parseIndex(index, ".safetensors")
			require.ErrorContains(t, err, "no weight_map", name)
		})
	}
	rank := pInts(make([]int64, maxTorchRank)...)
	for name, value := range map[string]string{
		"lists":   strings.Repeat("]", maxStack-2),
		"tuples":  ")" + strings.Repeat("\x85", 1<<16),
		"marks":   strings.Repeat("(", maxStack),
		"dicts":   strings.Repeat("}", maxStack-2),
		"memo":    "N" + strings.Repeat("q\x01", 1<<16),
		"appends": "]q\x00" + strings.Repeat("h\x00a", 1<<16),
		"tensors": "]q\x00" + rank + "q\x01" + two + "q\x02" + "ctorch._utils\n_rebuild_tensor_v2\nq\x03" + pOrdered +
			"q\x04" +
			strings.Repeat("h\x03(h\x02K\x00h\x01h\x01\x89h\x04tR", 1<<13),
	} {
		input := torchFile(pickleMagic+value, fourFloats)
		fuzztest.Run(t, 64, input, func() {
			_, err := readTorchBytes(input)
			require.Error(t, err, name)
		})
	}
	// A file that claims more than it holds costs nothing.
	claim := binary.LittleEndian.AppendUint64(nil, maxHeader)
	fuzztest.Run(t, 64, claim, func() {
		_, err := readBytes(claim)
		require.Error(t, err)
	})
}
