package npy_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/brainwavlm/bwlm/npy"
)

// responses writes a matrix of two rows and three columns to a temporary folder.
func responses() (path string, remove func()) {
	dir, err := os.MkdirTemp("", "npy")
	if err != nil {
		log.Fatal(err)
	}
	path = filepath.Join(dir, "responses.npy")
	if err := npy.Write(path, []int{2, 3}, []float64{1, 2, 3, 4, 5, 6}); err != nil {
		log.Fatal(err)
	}
	return path, func() { os.RemoveAll(dir) }
}

func Example() {
	path, remove := responses()
	defer remove()
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
	path, remove := responses()
	defer remove()
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
