package stats_test

import (
	"context"
	"fmt"

	"github.com/brainwavlm/bwlm/brain/stats"
)

func ExampleCorrelation() {
	pred := []float32{1, 5, 2, 5, 4, 5} // three rows of two voxels
	want := []float32{2, 1, 4, 2, 8, 3}
	r, constant := stats.Correlation(pred, want, 3, 2)
	mean, count := stats.Mean(r, constant, nil)
	fmt.Println(r, constant)
	fmt.Println(mean, "over", count, "voxel")
	// Output:
	// [1 0] [false true]
	// 1 over 1 voxel
}

func ExamplePairedBootstrap() {
	const rows, voxels = 60, 2
	story := stats.Story{Name: "alice[0:60]", Rows: rows}
	for t := range rows {
		y := float32(t % 7)
		story.Want = append(story.Want, y, y)
		story.Base = append(story.Base, float32(t%3), float32(t%2))
		story.Tuned = append(story.Tuned, y+float32(t%3), y-float32(t%2))
	}
	out, err := stats.PairedBootstrap(context.Background(),
		[]stats.Subject{{Voxels: voxels, Stories: []stats.Story{story}}},
		[]stats.Group{{Name: "all"}, {Name: "AC", Columns: [][]int{{1}}}},
		stats.BootstrapOptions{Seed: 1})
	if err != nil {
		panic(err)
	}
	for _, g := range out.Groups {
		fmt.Printf("%s: base %.2f, tuned %.2f, interval: %v (%s)\n", g.Name, g.Base.Mean, g.Tuned.Mean, g.Delta.CI95, g.Reason)
	}
	// Output:
	// all: base -0.00, tuned 0.95, interval: <nil> (6 blocks of at least 10 rows; an interval needs 20)
	// AC: base 0.02, tuned 0.97, interval: <nil> (6 blocks of at least 10 rows; an interval needs 20)
}
