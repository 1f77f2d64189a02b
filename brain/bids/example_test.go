package bids_test

import (
	"context"
	"fmt"

	"github.com/brainwavlm/bwlm/brain/bids"
)

// The maps and tables of a run, as bwlm export writes them.
func ExampleWrite() {
	ctx := context.Background()
	res, err := bids.Write(ctx, []string{"runs/alice"}, "maps",
		bids.Options{Space: "fsaverage5", Formats: []string{"gifti", "csv"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(res.Files), "files")
	// Output: read run: runs/alice: there are no scores; evaluate runs/alice
}
