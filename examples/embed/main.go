// Command embed is the shortest program that uses a speech model with an adapter and a finished
// run. It prints the size of the features of a recording and of the responses that the run predicts
// for it:
//
//	go run ./examples/embed wavlm-base-plus runs/study/adapter runs/study story.wav
//
// It needs no environment variables, and computes on a CUDA device if one is there.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain/predict"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/speech/pretrained"
	"github.com/brainwavlm/bwlm/torch"
)

func main() {
	must(0, torch.Setup(torch.SetupOptions{Reexec: true}))
	if len(os.Args) != 5 {
		log.Fatal("usage: embed MODEL ADAPTER RUN STORY.wav")
	}
	ctx := context.Background()
	device := must(torch.OpenDevice("auto"))
	clip := must(audio.Load(ctx, os.Args[4], audio.Options{}))
	model := must(pretrained.Open(ctx, os.Args[1], speech.Options{Device: device}))
	adapter := must(peft.Load(os.Args[2]))
	tuned := must(model.WithAdapter(ctx, adapter))
	hidden := must(tuned.HiddenStates(ctx, clip.Samples, model.Architecture().Layers))[0]
	fmt.Printf("hidden: %d frames, %d channels, %d adapted layers\n", hidden.Rows, hidden.Cols, len(tuned.Adapted()))
	predictor := must(predict.Open(ctx, os.Args[3], predict.Options{Device: device}))
	p := must(predictor.Predict(ctx, clip.Samples))
	fmt.Printf("responses: %d volumes of %s, %d voxels\n", p.Rows, predictor.Subject, p.Voxels)
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatalln("embed:", err)
	}
	return v
}
