package speech

import "math"

// Normalisation chooses the samples over which a waveform is standardised to mean 0 and variance 1.
type Normalisation string

// The values of Normalisation.
const (
	NormaliseAuto   Normalisation = "auto"   // as the model's preprocessor does: story or none
	NormaliseStory  Normalisation = "story"  // over the whole recording
	NormaliseWindow Normalisation = "window" // over each window
	NormaliseNone   Normalisation = "none"
)

// Normalise returns samples with mean 0 and variance 1, as zero_mean_unit_var_norm of transformers
// does with its epsilon under the root. Digital silence becomes 0.
func Normalise(samples []float32) []float32 {
	var mean, variance float64
	for _, x := range samples {
		mean += float64(x) / float64(len(samples))
	}
	for _, x := range samples {
		d := float64(x) - mean
		variance += d * d / float64(len(samples))
	}
	scale := 1 / math.Sqrt(variance+1e-7)
	out := make([]float32, len(samples))
	for i, x := range samples {
		out[i] = float32((float64(x) - mean) * scale)
	}
	return out
}
