package controls_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/controls"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/exampletest"
)

// Word rate has no words to count in this data set of tones; the envelope of the sound predicts its voxels.
func Example() {
	dir, err := os.MkdirTemp("", "study")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file, err := exampletest.WriteStudy(dir)
	if err != nil {
		log.Fatal(err)
	}

	ctx := context.Background()
	exp, err := experiment.Load(file, "train.mode=readout")
	if err != nil {
		log.Fatal(err)
	}
	study, err := brain.Open(ctx, exp, brain.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer study.Close()
	run, err := study.StartOrResume(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer run.Close()
	if _, err := study.Fit(ctx, run); err != nil {
		log.Fatal(err)
	}
	out, err := controls.Run(ctx, study, run, controls.Options{Only: []string{"word_rate", "envelope"}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("word_rate is skipped:", out.Controls["word_rate"].Skipped)
	fmt.Println("envelope predicts:", out.Controls["envelope"].MeanR > .3)
	// Output:
	// word_rate is skipped: story train has no words
	// envelope predicts: true
}
