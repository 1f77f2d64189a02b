package bids_test

import (
	"context"
	"fmt"

	"github.com/brainwavlm/bwlm/brain/bids"
	"github.com/brainwavlm/bwlm/brain/report"
)

// The maps and tables of a run, as bwlm export writes them.
func ExampleWrite() {
	ctx := context.Background()
	rep, err := report.Read(ctx, "runs/alice")
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := bids.Write(ctx, rep, "maps", bids.Options{Space: "fsaverage5", Formats: []string{"gifti", "csv"}})
	if err == nil {
		fmt.Println(len(res.Files), "files")
	}
	// Output: read run: runs/alice: there are no scores; write them with `bwlm eval runs/alice`
}
