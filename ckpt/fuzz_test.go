package ckpt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The fuzzer notices neither memory that blows up nor loops that hardly end, so guarded watches for them:
// f may allocate 64 bytes for each byte of input and 1 MiB, and take 2 seconds.
func guarded(t *testing.T, input []byte, f func()) {
	t.Helper()
	const limit = 2 * time.Second
	watch := time.AfterFunc(limit, func() { panic(fmt.Sprintf("takes longer than %v", limit)) })
	defer watch.Stop()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	require.LessOrEqual(t, after.TotalAlloc-before.TotalAlloc, uint64(64*len(input)+1<<20))
}

// seeds gives the files that match pattern.
func seeds(f *testing.F, pattern string) {
	f.Helper()
	paths, err := filepath.Glob(pattern)
	require.NoError(f, err)
	require.NotEmpty(f, paths)
	for _, path := range paths {
		data, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(data)
	}
}

// Any bytes are refused, or read whole and written again.
func FuzzSafetensors(f *testing.F) {
	seeds(f, filepath.Join(golden, "containers", "safetensors", "*.safetensors"))
	f.Fuzz(func(t *testing.T, input []byte) {
		guarded(t, input, func() {
			if file, err := readBytes(input); err == nil {
				readAll(t, file)
			}
		})
	})
}

// readAll reads the tensors of a file in every way; what can be opened can be read.
func readAll(t *testing.T, file *File) {
	for _, name := range file.Names() {
		_, err := file.Bytes(name)
		require.NoError(t, err)
		_, _ = file.Float32(name)
		_, _ = file.Int64(name)
		_, _ = file.Bool(name)
	}
}

// What can be read can be written, and comes back the same.
func FuzzSafetensorsRewrite(f *testing.F) {
	seeds(f, filepath.Join(golden, "containers", "safetensors", "ok_*.safetensors"))
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
			want, err := first.Bytes(name)
			require.NoError(t, err)
			got, err := second.Bytes(name)
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
	seeds(f, filepath.Join(golden, "containers", "bin", "*.bin"))
	f.Fuzz(func(t *testing.T, input []byte) {
		guarded(t, input, func() { readTorchAll(t, input) })
	})
}

// So with any pickle in a sound archive, where mutations get further.
func FuzzPickle(f *testing.F) {
	for _, value := range []string{
		square, pTensor(two, 0, pInts(2, 2), pInts(0, 1)), pTensor(two, 3, pInts(), pInts()),
		"ctorch._utils\n_rebuild_parameter\n" + pTuple(square, "\x88", pOrdered) + "R", pText("b"), "](K\x01M\x01\x02J\x01\x00\x00\xffGabcdefghN\x88\x89e",
		"q\x01h\x01r\x01\x00\x00\x00j\x01\x00\x00\x00\x85\x86\x87", pDict(pText("c"), square), pOrdered + pDict(pText("_metadata"), pOrdered) + "b",
	} {
		f.Add([]byte(oneTensor(value)))
	}
	f.Fuzz(func(t *testing.T, pickle []byte) {
		input := torchFile(string(pickle), fourFloats)
		guarded(t, input, func() { readTorchAll(t, input) })
	})
}

func FuzzNPY(f *testing.F) {
	seeds(f, "testdata/npy/*.npy")
	f.Fuzz(func(t *testing.T, input []byte) {
		guarded(t, input, func() {
			a, err := readNPYBytes(input)
			if err != nil {
				return
			}
			require.Equal(t, TensorInfo{Shape: a.Shape}.Len()*a.DType.Size(), len(a.Data))
			_, _ = a.Float32()
			_, _ = a.Float64()
			_, _ = a.Int64()
			_, _ = a.Bool()
		})
	})
}

func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"metadata": {"total_size": 1.5}, "weight_map": {"a": "m-1.safetensors", "b\u00e9": "m-2.safetensors"}}`))
	f.Add([]byte(`{"x": [{"": {"": {}}}, true, null, "\ud83d\ude00"], "weight_map": {"a": "../m-1.safetensors"}}`))
	f.Fuzz(func(t *testing.T, input []byte) {
		guarded(t, input, func() {
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
	guarded(t, file, func() {
		_, err := readBytes(file)
		require.NoError(t, err)
	})
	for name, item := range map[string]string{
		"objects": `{"":{"":{"":{}}}}`, "arrays": `[[[[]]]]`, "escapes": `"\n"`, "keys": `{"\n":"\n"}`,
	} {
		index := []byte(`{"x":[` + strings.Repeat(item+",", 1<<16) + `0]}`)
		guarded(t, index, func() {
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
		"tensors": "]q\x00" + rank + "q\x01" + two + "q\x02" + "ctorch._utils\n_rebuild_tensor_v2\nq\x03" + pOrdered + "q\x04" +
			strings.Repeat("h\x03(h\x02K\x00h\x01h\x01\x89h\x04tR", 1<<13),
	} {
		input := torchFile(pickleMagic+value, fourFloats)
		guarded(t, input, func() {
			_, err := readTorchBytes(input)
			require.Error(t, err, name)
		})
	}
	array := npyBytes("{'descr': '|u1', 'fortran_order': True, 'shape': (1024, 1024)}", make([]byte, 1<<20))
	guarded(t, array, func() {
		a, err := readNPYBytes(array)
		require.NoError(t, err)
		_, err = a.Float64()
		require.NoError(t, err)
	})
	// Files that claim more than they hold cost nothing.
	for _, claim := range [][]byte{
		binary.LittleEndian.AppendUint64(nil, maxHeader),
		append([]byte(npyMagic), 2, 0, 0xff, 0xff, 0xff, 0xff),
		npyBytes("{'descr': '<f8', 'fortran_order': True, 'shape': (16777216, 16)}", nil),
	} {
		guarded(t, claim, func() {
			_, err := readBytes(claim)
			require.Error(t, err)
			_, err = readNPYBytes(claim)
			require.Error(t, err)
		})
	}
}
