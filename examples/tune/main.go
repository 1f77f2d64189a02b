// Command tune runs a study from its experiment file: it tunes an adapter, or continues an
// interrupted training, and prints how well untuned and tuned features predict each ROI.
//
//	go run ./examples/tune study.yaml train.epochs=5
package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/fault"
)

func run(ctx context.Context, args []string, stdout io.Writer) error {
	if len(args) == 0 {
		return fault.New(fault.Usage, "tune", "", "want an experiment file, and settings such as train.epochs=5")
	}
	exp, err := experiment.Load(args[0], args[1:]...)
	if err != nil {
		return err
	}
	study, err := brain.Open(ctx, exp, brain.Options{Progress: func(e progress.Event) {
		if e.Phase == progress.EpochEnd {
			fmt.Fprintf(stdout, "epoch %d: validation r %.3f\n", e.Epoch, e.R)
		}
	}})
	if err != nil {
		return err
	}
	defer study.Close()
	for _, note := range study.Notes() {
		fmt.Fprintln(stdout, "note:", note)
	}

	directory, err := study.StartOrResume(ctx)
	if err != nil {
		return err
	}
	defer directory.Close()
	done, err := study.Fit(ctx, directory) // saves a checkpoint and returns when the context ends
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "epoch %d is the best on the validation rows\n", done.Epochs[done.Best].Epoch)

	summary, err := study.EvaluateRun(ctx, directory)
	if err != nil {
		return err
	}
	test := summary.Test
	if test.Tuned == nil {
		fmt.Fprintf(stdout, "readout alone was trained: r %.3f\n", test.Base.MeanR)
		return nil
	}
	fmt.Fprintf(stdout, "%-12s  %6s  %6s\n", "roi", "base", "tuned")
	for _, roi := range slices.Sorted(maps.Keys(test.Base.ROIs)) {
		fmt.Fprintf(stdout, "%-12s  %6.3f  %6.3f\n", roi, test.Base.ROIs[roi], test.Tuned.ROIs[roi])
	}
	fmt.Fprintf(stdout, "%-12s  %6.3f  %6.3f\n", "all voxels", test.Base.MeanR, test.Tuned.MeanR)
	return nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "tune:", err)
		os.Exit(int(fault.KindOf(err)))
	}
}
