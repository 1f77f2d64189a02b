package speech

import (
	"context"
	"errors"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/npy"
	"github.com/brainwavlm/bwlm/torch"
)

// HiddenStates implements Encoder.HiddenStates by the other methods.
func HiddenStates(ctx context.Context, e Encoder, samples []float32, layers ...int) ([]npy.Matrix, error) {
	const op = "hidden states"
	arch := e.Architecture()
	if n := arch.MinSamples; len(samples) < n {
		return nil, fault.New(fault.BadData, op, "", "the audio has %d samples, want at least %d (%g s)",
			len(samples), n, float64(n)/SampleRate)
	}
	for i, x := range samples {
		if x-x != 0 { // NaN or infinite
			return nil, fault.New(fault.BadData, op, "", "sample %d is %g", i, x)
		}
	}
	if len(layers) == 0 {
		for l := range arch.Layers + 1 {
			layers = append(layers, l)
		}
	}
	last := 0
	for _, l := range layers {
		if l < 0 || l > arch.Layers {
			return nil, fault.New(fault.Usage, op, "", "there is no layer %d, the model has 0 to %d", l, arch.Layers)
		}
		last = max(last, l)
	}
	normalisation, err := e.Normalisation(NormaliseAuto)
	if err != nil {
		return nil, err
	}
	if normalisation == NormaliseStory {
		samples = Normalise(samples)
	}
	out := make([]npy.Matrix, len(layers))
	err = e.Session().Infer(ctx, func(s *torch.Scope) error {
		wave := s.FromFloat32(samples, 1, len(samples)) // (1, S)
		hidden := e.Forward(e.FrontEnd(wave), 0, last, Pass{})
		for i, l := range layers {
			h := hidden[l].Narrow(1, 0, e.Frames(len(samples))) // (1, T, E)
			out[i] = npy.Matrix{Rows: h.Dim(1), Cols: h.Dim(2), Data: h.ToType(torch.Float32).Float32s()}
		}
		return nil
	})
	if err != nil {
		return nil, AsFault(fault.Internal, op, "", err)
	}
	return out, nil
}

// AsFault wraps err in a fault of a kind. It returns err itself if it has a kind already or if the
// context ended. Errors of tensor mathematics are Memory or Internal.
func AsFault(kind fault.Kind, op, path string, err error) error {
	var f *fault.Error
	if errors.As(err, &f) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var t *torch.Error
	if errors.As(err, &t) {
		kind = fault.KindOf(err)
	}
	return fault.Wrap(kind, op, path, err)
}
