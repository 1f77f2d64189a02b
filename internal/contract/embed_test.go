package contract

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/exampletest"
)

// A program that embeds the library keeps its own signal handlers, and ends a training by its context: within a step,
// with a checkpoint, and with the study usable.
func TestAProgramKeepsItsSignalHandlers(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	own := make(chan os.Signal, 9)
	mine := []os.Signal{syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGHUP, syscall.SIGINT}
	signal.Notify(own, mine...)
	defer signal.Stop(own)
	exp, err := experiment.Load(exampletest.Study(t))
	require.NoError(t, err)
	mischief := errors.New("a request was withdrawn")
	ctx, cancel := context.WithCancelCause(t.Context())
	steps := 0
	study, err := brain.Open(ctx, exp, brain.Options{Progress: func(e progress.Event) {
		if e.Phase != progress.Tune {
			return
		}
		if steps++; steps == 1 {
			for _, s := range mine {
				require.NoError(t, syscall.Kill(os.Getpid(), s.(syscall.Signal)))
			}
			cancel(mischief)
		}
	}})
	require.NoError(t, err)
	defer study.Close()
	run, err := study.Begin(ctx)
	require.NoError(t, err)
	_, err = study.Fit(ctx, run)
	assert.ErrorIs(t, err, mischief)
	assert.LessOrEqual(t, steps, 2, "it ends within a step")
	for range mine {
		select {
		case <-own:
		case <-time.After(10 * time.Second):
			t.Fatal("a signal did not arrive at the program's own handler")
		}
	}
	p, err := study.Fit(t.Context(), run) // goes on from the checkpoint
	require.NoError(t, err)
	assert.Equal(t, exp.Train.Epochs, p.Epoch)
	require.NoError(t, run.Close())

	done, end := context.WithCancel(t.Context())
	end()
	_, err = study.Baseline(done)
	assert.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, fault.Interrupted, fault.KindOf(err))
	_, err = study.Baseline(t.Context())
	assert.NoError(t, err)
}
