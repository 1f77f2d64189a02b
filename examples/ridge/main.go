// Command ridge fits an encoding model to arrays: features and responses of a training and a test
// set, one row for each volume.
//
//	go run ./examples/ridge -tr 2 -out r.npy train_x.npy train_y.npy test_x.npy test_y.npy
//
// Features are standardised and delayed by 2, 4, 6 and 8 s; each voxel gets the penalty that
// cross-validation over contiguous rows prefers.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/ridge"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/npy"
)

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("ridge", flag.ContinueOnError)
	tr := flags.Float64("tr", 2, "seconds from one row to the next")
	out := flags.String("out", "r.npy", "file to write: r of each voxel")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 4 {
		return fault.New(fault.Usage, "ridge", "", "want four files: train_x, train_y, test_x, test_y")
	}
	var m [4]npy.Matrix
	for i, path := range flags.Args() {
		var err error
		if m[i], err = npy.ReadMatrix(path); err != nil {
			return err
		}
	}
	trainX, trainY, testX, testY := m[0], m[1], m[2], m[3]
	if trainX.Rows != trainY.Rows || testX.Rows != testY.Rows || trainX.Cols != testX.Cols ||
		trainY.Cols != testY.Cols {
		return fault.New(fault.BadData, "ridge", "", "the shapes of features and responses do not fit")
	}
	delays, err := design.Delays([]float64{2, 4, 6, 8}, *tr)
	if err != nil {
		return err
	}

	zscore := design.FitZScore(trainX.Data, trainX.Rows, trainX.Cols) // statistics of the training rows, for both
	rows := func(x npy.Matrix) []float32 {
		return design.FIR(zscore.Apply(x.Data), x.Rows, x.Cols, delays) // (rows, delays · features)
	}
	model, err := ridge.Fit(ctx, rows(trainX), trainY.Data, trainX.Rows, ridge.Options{Seed: 1})
	if err != nil {
		return err
	}
	predicted, err := model.Predict(ctx, rows(testX), testX.Rows)
	if err != nil {
		return err
	}
	r, constant := stats.Correlation(predicted, testY.Data, testY.Rows, testY.Cols)
	if err := npy.Write(*out, []int{len(r)}, r); err != nil {
		return err
	}
	mean, voxels := stats.Mean(r, constant, nil)
	best := slices.Max(r)
	fmt.Fprintf(stdout, "%s: mean r %.3f over %d voxels that vary, best %.3f; alphas from %.3g to %.3g\n",
		*out, mean, voxels, best, slices.Min(model.Alphas), slices.Max(model.Alphas))
	return nil
}

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "ridge:", err)
		os.Exit(int(fault.KindOf(err)))
	}
}
