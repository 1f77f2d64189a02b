package extract_test

import (
	"context"
	"fmt"
	"log"
	"math"
	"os"

	"github.com/brainwavlm/bwlm/brain/extract"
	"github.com/brainwavlm/bwlm/internal/sim"
	"github.com/brainwavlm/bwlm/speech"
)

// Vectors of two hidden states for each second of a tone.
func Example() {
	dir, err := os.MkdirTemp("", "model")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := sim.WriteNano(dir); err != nil { // a small WavLM
		log.Fatal(err)
	}
	samples := make([]float32, 3*speech.SampleRate)
	for i := range samples {
		samples[i] = float32(math.Sin(float64(i) / 5))
	}

	ctx := context.Background()
	model, err := extract.OpenModel(ctx, dir, "", speech.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	features, err := extract.Features(ctx, model.Model, samples, extract.Options{
		Layers: []int{1, 3}, WindowSeconds: 1, StrideSeconds: 1})
	if err != nil {
		log.Fatal(err)
	}
	for i, layer := range features.Layers {
		v := features.Vectors[i]
		fmt.Printf("hidden state %d: %d windows, %d channels\n", layer, v.Rows, v.Cols)
	}
	fmt.Println("windows end at", features.Times, "s")
	// Output:
	// hidden state 1: 3 windows, 96 channels
	// hidden state 3: 3 windows, 96 channels
	// windows end at [1 2 3] s
}
