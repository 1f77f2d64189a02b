package windows

import (
	"context"
	"errors"

	"github.com/brainwavlm/bwlm/torch"
)

// Wave is the waveform of a stimulus at the rate of the model. It is read in stretches, so that it need not be in
// memory.
type Wave interface {
	Len() int

	// Read returns the samples from ≤ i < to, which must not be changed.
	Read(ctx context.Context, from, to int) ([]float32, error)
}

// InMemory is a Wave that is in memory.
type InMemory []float32

// Len returns the number of samples.
func (w InMemory) Len() int { return len(w) }

// Read returns samples, not a copy.
func (w InMemory) Read(_ context.Context, from, to int) ([]float32, error) { return w[from:to], nil }

// Beginning returns the first samples of a wave.
func Beginning(w Wave, samples int) Wave { return beginning{w, samples} }

type beginning struct {
	Wave
	samples int
}

func (b beginning) Len() int { return b.samples }

const readAudio = "read audio"

// read returns samples within a closure of package torch. It panics as a kernel does; see soundError.
func (st *Stimulus) read(ctx context.Context, from, to int) []float32 {
	x, err := st.Samples.Read(ctx, from, to)
	if err != nil {
		panic(&torch.Error{Op: readAudio, Msg: err.Error(), Err: err})
	}
	return x
}

// readsSound runs do outside of a closure of package torch, and returns the error of reading audio that ended it.
func readsSound(do func()) (err error) {
	defer func() {
		if e := recover(); e != nil {
			known, ok := e.(*torch.Error)
			if !ok || known.Op != readAudio {
				panic(e)
			}
			err = known.Err
		}
	}()
	do()
	return nil
}

// SoundError returns the error of reading audio that ended a closure of package torch, or else err.
func SoundError(err error) error {
	if e, ok := errors.AsType[*torch.Error](err); ok && e.Op == readAudio {
		return e.Err
	}
	return err
}
