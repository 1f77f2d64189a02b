package npy

import (
	"fmt"
	"testing"
)

// BenchmarkRead reads responses of 400 rows and 10,000 voxels, stored by rows and by columns.
func BenchmarkRead(b *testing.B) {
	const rows, voxels = 400, 10_000
	data := make([]byte, rows*voxels*4)
	for _, order := range []string{"False", "True"} {
		file := fileBytes(fmt.Sprintf("{'descr': '<f4', 'fortran_order': %s, 'shape': (%d, %d)}", order, rows, voxels),
			data)
		b.Run("fortran_order="+order, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				a, err := readBytes(file)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := a.Float32(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
