package tensorboard_test

import (
	"context"
	"log"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/tensorboard"
)

// A training that TensorBoard shows while it runs: tensorboard --logdir board.
func ExampleOpen() {
	exp, err := experiment.Load("alice.yaml")
	if err != nil {
		log.Print(err)
		return
	}
	b, err := tensorboard.Open("board/alice", exp,
		func(err error) { log.Print("the training continues without its board: ", err) })
	if err != nil {
		log.Print(err)
		return
	}
	defer b.Close()
	ctx := context.Background()
	study, err := brain.Open(ctx, exp, brain.Options{Progress: b.Event, Details: true})
	if err != nil {
		log.Print(err)
		return
	}
	defer study.Close()
	// then study.Begin and study.Fit; before going on with a run, b.From(progress of the run)
}
