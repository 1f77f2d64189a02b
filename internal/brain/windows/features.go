package windows

import (
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/speech"
)

// Resolved returns m with the normalisation that auto means for an encoder.
func Resolved(m experiment.Model, e speech.Encoder) (experiment.Model, error) {
	n, err := e.Normalisation(speech.Normalisation(m.Normalise))
	m.Normalise = experiment.Normalise(n)
	return m, err
}

// NewClip returns audio outside a data set as a stimulus without rows. m is resolved.
func NewClip(m experiment.Model, samples []float32) (*Stimulus, error) {
	if err := Finite(samples, 0); err != nil {
		return nil, err
	}
	clip := &Stimulus{Samples: InMemory(Normalised(m, samples))}
	clip.Windows = design.Windows(len(samples), speech.SampleRate, m.WindowSeconds, m.StrideSeconds)
	if len(clip.Windows) == 0 {
		return nil, fault.New(fault.BadData, "read features", "", "%.3g s of audio give no window of %g s every %g s",
			float64(len(samples))/speech.SampleRate, m.WindowSeconds, m.StrideSeconds).
			WithHint("give longer audio, or a shorter stride")
	}
	clip.Own(m)
	return clip, nil
}

// Finite returns an error if a sample is not finite, of which the first has a number.
func Finite(samples []float32, first int) error {
	for i, x := range samples {
		if x-x != 0 { // NaN or infinite
			return fault.New(fault.BadData, "read features", "", "sample %d is %g", first+i, x)
		}
	}
	return nil
}

// Normalised returns the waveform from which windows are cut. m is resolved.
func Normalised(m experiment.Model, samples []float32) []float32 {
	if m.Normalise == experiment.NormaliseStory {
		return speech.Normalise(samples)
	}
	return samples
}

// ClipReader returns a reader without a cache, whose units hold n windows.
func ClipReader(model speech.Encoder, m experiment.Model, n int) *Reader {
	return &Reader{Model: model, Frozen: &Frozen{Model: model, Normalise: m.Normalise == experiment.NormaliseWindow},
		Pooling: m.Pooling,
		Unit:    UnitClips(m, n)}
}
