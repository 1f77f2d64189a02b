package npy_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/brainwavlm/bwlm/npy"
)

func Example() {
	dir, err := os.MkdirTemp("", "npy")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "responses.npy")
	if err := npy.Write(path, []int{2, 3}, []float64{1, 2, 3, 4, 5, 6}); err != nil {
		fmt.Println(err)
		return
	}
	a, err := npy.Read(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	values, err := a.Float32()
	fmt.Println(a.DType, a.Shape, values, err)
	// Output: float64 [2 3] [1 2 3 4 5 6] <nil>
}

// The responses of some voxels, of a file that may be larger than the memory.
func ExampleOpenColumns() {
	dir, err := os.MkdirTemp("", "npy")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "responses.npy")
	if err := npy.Write(path, []int{2, 3}, []float32{1, 2, 3, 4, 5, 6}); err != nil {
		fmt.Println(err)
		return
	}
	c, err := npy.OpenColumns(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	out := make([]float32, 2*c.Rows)
	err = c.Read(1, 3, out)
	fmt.Println(c.Rows, c.Cols, out, err)
	// Output: 2 3 [2 5 3 6] <nil>
}
