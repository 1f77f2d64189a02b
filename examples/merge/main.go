// Command merge adds an adapter to the weights of its speech model and shows that the merged model computes the same:
//
//	go run ./examples/merge -model wavlm-base-plus -adapter runs/study/adapter -out merged
//
// Programs that load transformers models read the folder as it is.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/brainwavlm/bwlm/brain/extract"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/speech"
)

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("merge", flag.ContinueOnError)
	model := flags.String("model", "", "Hugging Face directory of the speech model")
	adapter := flags.String("adapter", "", "directory of the PEFT adapter")
	out := flags.String("out", "merged", "directory to make")
	if err := flags.Parse(args); err != nil {
		return err
	}
	merged, err := extract.Merge(ctx, extract.MergeOptions{Model: *model,
		Adapters: extract.Adapters{Dirs: []string{*adapter}}, Out: *out})
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s: %d layers changed, rounded by at most %.1g\n", *out, len(merged.Modules),
		merged.MaxRounding)

	second := make([]float32, speech.SampleRate)
	for i := range second {
		second[i] = float32(.1 * math.Sin(float64(i)*float64(i)/1e5)) // a sweep
	}
	with, err := last(ctx, *model, *adapter, second)
	if err != nil {
		return err
	}
	without, err := last(ctx, *model, "", second)
	if err != nil {
		return err
	}
	added, err := last(ctx, *out, "", second)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "last hidden state: the adapter changes it by %.1g, merging by %.1g\n", distance(with, without),
		distance(with, added))
	return nil
}

// last returns the last hidden state of a model, (frames, channels), with an adapter unless adapter is empty.
func last(ctx context.Context, model, adapter string, samples []float32) ([]float32, error) {
	opened, err := extract.OpenModel(ctx, model, adapter, speech.Options{})
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	hidden, err := opened.Model.HiddenStates(ctx, samples, opened.Model.Architecture().Layers)
	if err != nil {
		return nil, err
	}
	return hidden[0].Data, nil
}

// distance is the largest difference.
func distance(a, b []float32) (d float64) {
	for i := range a {
		d = max(d, math.Abs(float64(a[i]-b[i])))
	}
	return d
}

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "merge:", err)
		os.Exit(int(fault.KindOf(err)))
	}
}
