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

// describe returns each feature of a story as a series of ticks: RMS, log magnitude of each band
// and, with words, the number of words that begin. Each has mean 0 over the story.
func describe(wave []float32, words []dataset.Word) [][]float64 {
	n := len(wave) / tick
	out := make([][]float64, 1+bands)
	for j := range out {
		out[j] = make([]float64, n)
	}
	fft := fourier.NewFFT(tick) // bins of 10 Hz
	taper := window.Hann(slices.Repeat([]float64{1}, tick))
	frame := make([]float64, tick)
	for i := range n {
		for k, x := range wave[i*tick : (i+1)*tick] {
			frame[k] = taper[k] * float64(x)
			out[0][i] += float64(x) * float64(x) / tick
		}
		out[0][i] = math.Sqrt(out[0][i])
		bins := fft.Coefficients(nil, frame)
		for b := range bands {
			sum, from, to := 0., bandEdges[b]/ticksPerSecond, bandEdges[b+1]/ticksPerSecond
			for _, c := range bins[from:to] {
				sum += cmplx.Abs(c)
			}
			out[1+b][i] = math.Log(sum/float64(to-from) + quiet)
		}
	}
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
