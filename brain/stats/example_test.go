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
		story.Responses = append(story.Responses, y, y)
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
		fmt.Printf("%s: base %.2f, tuned %.2f, interval: %v (%s)\n", g.Name, g.Base.Mean, g.Tuned.Mean, g.Delta.CI95,
			g.Reason)
	}
	// Output:
	// all: base -0.00, tuned 0.95, interval: <nil> (6 blocks of at least 10 rows; an interval needs 20)
	// AC: base 0.02, tuned 0.97, interval: <nil> (6 blocks of at least 10 rows; an interval needs 20)
}

func ExampleNormaliseByCeiling() {
	repeats := []float32{ // two repeats of four rows of one voxel
		1, 3, 2, 6,
		2, 4, 1, 5,
	}
	pred := []float32{1, 2, 1, 4}
	s := stats.NormaliseByCeiling(pred, repeats, 2, 4, 1)
	fmt.Printf("signal power %.2f, explainable %.2f, CC_max %.3f\n", s.Ceiling.SP[0], s.Ceiling.EV[0],
		s.Ceiling.CCMax[0])
	fmt.Printf("r %.3f, relative to the ceiling %.3f; scored: %t\n", s.R[0], s.CCNorm[0], s.Scored[0])
	// Output:
	// signal power 2.50, explainable 0.83, CC_max 0.953
	// r 0.985, relative to the ceiling 1.033; scored: true
}

func ExamplePermutationTest() {
	const rows = 100
	pred, want := make([]float32, rows), make([]float32, rows)
	for t := range rows {
		pred[t] = float32(t % 7)
		want[t] = float32(t%7 + t%3)
	}
	out, err := stats.PermutationTest(context.Background(), pred, want, rows, 1,
		stats.PermutationOptions{BlockRows: 10, Seed: 1})
	if err != nil {
		panic(err)
	}
	fmt.Printf("r %.2f, p %.3f with %d blocks\n", out.R[0], out.P[0], out.Blocks)
	// Output:
	// r 0.93, p 0.001 with 10 blocks
}

func ExamplePairedTest() {
	const rows = 240
	story := stats.Story{Name: "alice", Rows: rows}
	for t := range rows {
		y := float32(t % 7)
		story.Responses = append(story.Responses, y)
		story.Base = append(story.Base, y+2*float32(t%5))
		story.Tuned = append(story.Tuned, y+float32(t%5))
	}
	subjects := []stats.Subject{{Voxels: 1, Stories: []stats.Story{story}}}
	out, err := stats.PairedTest(context.Background(), subjects, []stats.Group{{Name: "all"}},
		stats.PairedOptions{Seed: 1})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%.2f to %.2f, p %.3f, %d blocks\n", out.Groups.Base[0], out.Groups.Tuned[0], out.Groups.P[0],
		out.Units[0])

	score, err := stats.PairedBootstrap(context.Background(), subjects, []stats.Group{{Name: "all"}},
		stats.BootstrapOptions{Seed: 1})
	if err != nil {
		panic(err)
	}
	fmt.Println("non-inferior by .01:", score.Groups[0].NonInferiority(.01).NonInferior)
	// Output:
	// 0.57 to 0.81, p 0.001, 24 blocks
	// non-inferior by .01: true
}

func ExampleBenjaminiHochberg() {
	fmt.Printf("%.3f\n", stats.BenjaminiHochberg([]float64{.001, .02, .03, .6}))
	// Output:
	// [0.004 0.040 0.040 0.600]
}
