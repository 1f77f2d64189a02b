package ridge_test

import (
	"context"
	"fmt"

	"github.com/brainwavlm/bwlm/brain/ridge"
)

func ExampleFit() {
	// Voxel 0 follows the feature, voxel 1 does not vary.
	const rows = 80
	var x, y []float32
	for t := range rows {
		feature := float32(t % 7)
		x = append(x, feature)
		y = append(y, 2*feature+1, 5)
	}
	model, err := ridge.Fit(context.Background(), x, y, rows, ridge.Options{Alphas: []float64{.1}})
	if err != nil {
		panic(err)
	}
	pred, err := model.Predict(context.Background(), []float32{10}, 1)
	if err != nil {
		panic(err)
	}
	fmt.Printf("weights %.2f, constant %v, prediction %.1f\n", model.Weights, model.Constant, pred)
	// Output:
	// weights [2.00 0.00], constant [false true], prediction [21.0 5.0]
}

func ExampleChunkFolds() {
	folds, err := ridge.ChunkFolds(10, 3, 2, .25, 3) // chunks 0-2, 3-5, 6-8 and 9
	if err != nil {
		panic(err)
	}
	fmt.Println(folds)
	// Output:
	// [[3 4 5] [0 1 2]]
}

func ExampleKFold() {
	folds, err := ridge.KFold(7, 3)
	if err != nil {
		panic(err)
	}
	fmt.Println(folds)
	// Output:
	// [[0 1 2] [3 4] [5 6]]
}

func ExampleFit_bands() {
	// The voxel follows feature 0; feature 1, a band of its own, is silent.
	const rows = 60
	var x, y []float32
	for t := range rows {
		x = append(x, float32(t%7)-3, float32(t*t%11)-5)
		y = append(y, 2*(float32(t%7)-3))
	}
	folds, err := ridge.KFold(rows, 5)
	if err != nil {
		panic(err)
	}
	model, err := ridge.Fit(context.Background(), x, y, rows, ridge.Options{Lambdas: []float64{.1, 10}, Folds: folds,
		Metric: ridge.R2, Bands: []ridge.Band{{From: 0, To: 1}, {From: 1, To: 2}}, Tries: 3})
	if err != nil {
		panic(err)
	}
	fmt.Printf("weights %.2f, the silent band is penalised more: %v\n", model.Weights,
		model.Lambdas[1] > model.Lambdas[0])
	// Output:
	// weights [2.00 0.00], the silent band is penalised more: true
}
