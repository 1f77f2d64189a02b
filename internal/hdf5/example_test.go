package hdf5_test

import (
	"fmt"

	"github.com/brainwavlm/bwlm/internal/hdf5"
)

// An array is read by some rows at a time.
func ExampleDataset_ReadRows() {
	file, err := hdf5.Open("testdata/small/edges_latest_sum.h5")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer file.Close()
	responses, err := file.Dataset("data")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(responses.Shape, responses.Type, responses.Filters)
	step := responses.ChunkRows()
	for from := 0; from < responses.Rows(); from += step {
		to := min(from+step, responses.Rows())
		rows := make([]float32, (to-from)*responses.Columns())
		if err := responses.ReadRows(from, to, rows); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(from, to, len(rows))
	}
	// Output:
	// [12 7] float32 [shuffle deflate fletcher32]
	// 0 5 35
	// 5 10 35
	// 10 12 14
}
