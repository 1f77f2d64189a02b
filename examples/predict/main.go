// Command predict writes the responses that a finished run predicts for a recording, one row for each volume:
//
//	go run ./examples/predict -subject sub-01 -out predicted.npy runs/study story.flac
//
// What such predictions are good for is documented at predict.Predictor.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain/predict"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/npy"
)

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("predict", flag.ContinueOnError)
	subject := flags.String("subject", "", "whose responses; empty: the only subject of the run")
	model := flags.String("model", "", "where the speech model is now; empty: where it was")
	out := flags.String("out", "predicted.npy", "file to write")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 2 {
		return fault.New(fault.Usage, "predict", "", "want a run and a recording")
	}
	predictor, err := predict.Open(ctx, flags.Arg(0), predict.Options{Subject: *subject, Model: *model})
	if err != nil {
		return err
	}
	defer predictor.Close()
	clip, err := audio.Load(ctx, flags.Arg(1), audio.Options{})
	if err != nil {
		return err
	}
	p, err := predictor.Predict(ctx, clip.Samples)
	if err != nil {
		return err
	}
	if err := npy.Write(*out, []int{p.Rows, p.Voxels}, p.Values); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s: %d volumes from %.2f s on, one every %g s, %d voxels of %s\n",
		*out, p.Rows, p.Times[0], predictor.TR, p.Voxels, predictor.Subject)
	return nil
}

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "predict:", err)
		os.Exit(int(fault.KindOf(err)))
	}
}
