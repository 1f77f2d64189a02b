// Command features writes the features of a recording, one row for each window, as a .npy file that numpy.load reads:
//
//	go run ./examples/features -model wavlm-base-plus -layer 9 -out features.npy story.flac
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain/extract"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/npy"
	"github.com/brainwavlm/bwlm/speech"
)

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("features", flag.ContinueOnError)
	dir := flags.String("model", "", "Hugging Face directory of the speech model")
	adapter := flags.String("adapter", "", "directory of a PEFT adapter; empty: none")
	layer := flags.Int("layer", 9, "hidden state to read")
	window := flags.Float64("window", 4, "seconds of audio behind one row")
	stride := flags.Float64("stride", .25, "seconds from one row to the next")
	out := flags.String("out", "features.npy", "file to write")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return fault.New(fault.Usage, "features", "", "want one recording")
	}

	clip, err := audio.Load(ctx, flags.Arg(0), audio.Options{}) // any format and rate to 16 kHz mono
	if err != nil {
		return err
	}
	model, err := extract.OpenModel(ctx, *dir, *adapter, speech.Options{})
	if err != nil {
		return err
	}
	defer model.Close()
	for _, note := range model.Notes {
		fmt.Fprintln(stdout, "note:", note)
	}
	f, err := extract.Features(ctx, model.Model, clip.Samples, extract.Options{
		Layers: []int{*layer}, WindowSeconds: *window, StrideSeconds: *stride})
	if err != nil {
		return err
	}
	x := f.Vectors[0] // (windows, channels)
	if err := npy.Write(*out, []int{x.Rows, x.Cols}, x.Data); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s: %d windows of %g s, the first ends at %.2f s, %d channels of hidden state %d\n",
		*out, x.Rows, *window, f.Times[0], x.Cols, *layer)
	return nil
}

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "features:", err)
		os.Exit(int(fault.KindOf(err)))
	}
}
