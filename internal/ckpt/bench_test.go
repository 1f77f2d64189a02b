package ckpt

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkOpen opens a file of as many tensors as WavLM Large has.
func BenchmarkOpen(b *testing.B) {
	var tensors []Tensor
	for i := range 487 {
		tensors = append(tensors, NewTensor(fmt.Sprintf("encoder.layers.%d.attention.q_proj.weight", i), []int{1, 1},
			[]float32{1}))
	}
	path := filepath.Join(b.TempDir(), "a.safetensors")
	require.NoError(b, Write(path, tensors, nil))
	for b.Loop() {
		f, err := Open(path)
		if err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
}

// BenchmarkFloat32 reads 4 Mi elements of each float type.
func BenchmarkFloat32(b *testing.B) {
	const n = 4 << 20
	for _, dt := range []DType{F32, F16, BF16, F64} {
		b.Run(dt.String(), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "a.safetensors")
			data := make(Bytes, n*dt.size())
			require.NoError(b, Write(path, []Tensor{{"a", dt, []int{n}, data}}, nil))
			f, err := Open(path)
			require.NoError(b, err)
			defer f.Close()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := f.Float32("a"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkWrite writes 4 Mi floats to a file, sync included.
func BenchmarkWrite(b *testing.B) {
	const n = 4 << 20
	values := make([]float32, n)
	path := filepath.Join(b.TempDir(), "a.safetensors")
	b.SetBytes(4 * n)
	for b.Loop() {
		if err := Write(path, []Tensor{NewTensor("a", []int{n}, values)}, nil); err != nil {
			b.Fatal(err)
		}
	}
}
