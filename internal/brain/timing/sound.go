package timing

import (
	"math"
	"math/cmplx"
	"slices"

	"gonum.org/v1/gonum/dsp/fourier"
	"gonum.org/v1/gonum/dsp/window"

	"github.com/brainwavlm/bwlm/brain/dataset"
)

// Features are sampled every .1 s.
const (
	ticksPerSecond = 10
	tick           = dataset.SampleRate / ticksPerSecond // samples
)

// bandEdges are the edges of the spectral bands in Hz: roughly voicing, first formant, second
// formant and fricatives.
var bandEdges = [...]int{100, 400, 1000, 2500, 6000}

const bands = len(bandEdges) - 1

// featureNames are the names of the features of the sound. The last one requires words.
var featureNames = []string{"loudness", "100-400 Hz", "400-1000 Hz", "1000-2500 Hz", "2500-6000 Hz", "word rate"}

// quiet is added to magnitudes to keep the logarithm of silence finite.
const quiet = 1e-3

// sound describes a recording while it is read: each feature as a series of ticks.
type sound struct {
	samples  int64
	features [1 + bands][]float64 // RMS and log magnitude of each band
	fft      *fourier.FFT         // its bins have 10 Hz
	taper    []float64
	rest     []float32 // samples of a tick that is not complete
	frame    []float64
	bins     []complex128
}

func newSound() *sound {
	return &sound{fft: fourier.NewFFT(tick), taper: window.Hann(slices.Repeat([]float64{1}, tick)),
		frame: make([]float64, tick)}
}

// write adds samples.
func (s *sound) write(samples []float32) error {
	s.samples += int64(len(samples))
	for len(samples) > 0 {
		if len(s.rest) == 0 && len(samples) >= tick {
			s.tick(samples[:tick])
			samples = samples[tick:]
			continue
		}
		n := min(tick-len(s.rest), len(samples))
		s.rest, samples = append(s.rest, samples[:n]...), samples[n:]
		if len(s.rest) == tick {
			s.tick(s.rest)
			s.rest = s.rest[:0]
		}
	}
	return nil
}

// tick adds the features of a tick.
func (s *sound) tick(samples []float32) {
	power := 0.
	for k, x := range samples {
		s.frame[k] = s.taper[k] * float64(x)
		power += float64(x) * float64(x) / tick
	}
	s.features[0] = append(s.features[0], math.Sqrt(power))
	s.bins = s.fft.Coefficients(s.bins, s.frame)
	for b := range bands {
		sum, from, to := 0., bandEdges[b]/ticksPerSecond, bandEdges[b+1]/ticksPerSecond
		for _, c := range s.bins[from:to] {
			sum += cmplx.Abs(c)
		}
		s.features[1+b] = append(s.features[1+b], math.Log(sum/float64(to-from)+quiet))
	}
}

// seconds is the length of the recording.
func (s *sound) seconds() float64 { return float64(s.samples) / dataset.SampleRate }

// describe returns the features and, with words, the number of words that begin in each tick. Each has mean 0 over the
// story.
func (s *sound) describe(words []dataset.Word) [][]float64 {
	n, out := len(s.features[0]), s.features[:]
	if words != nil {
		rate := make([]float64, n)
		for _, w := range words {
			if i := int(w.Onset * ticksPerSecond); i < n {
				rate[i]++
			}
		}
		out = append(out, rate)
	}
	for _, x := range out {
		mean := 0.
		for _, v := range x {
			mean += v / float64(n)
		}
		for i := range x {
			x[i] -= mean
		}
	}
	return out
}

// at returns a series of ticks at a time in seconds, by linear interpolation between the middles of
// ticks.
func at(x []float64, seconds float64) float64 {
	place := min(max(seconds*ticksPerSecond-.5, 0), float64(len(x)-1))
	i := min(int(place), len(x)-2)
	return x[i] + (place-float64(i))*(x[i+1]-x[i])
}
