package whisper_test

import (
	"context"
	"fmt"
	"log"

	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/whisper"
)

// Hidden states of a recording of two seconds, of a model with random weights.
func ExampleLoad() {
	ctx := context.Background()
	model, err := whisper.Load(ctx, "../testdata/whisper/model", speech.Options{Context: speech.ContextWindow})
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	states, err := model.HiddenStates(ctx, make([]float32, 2*speech.SampleRate), 0, 3)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(states), "states of", states[1].Rows, "frames,", states[1].Cols, "channels")
	// Output: 2 states of 100 frames, 32 channels
}
