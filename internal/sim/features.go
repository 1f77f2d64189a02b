package sim

import (
	"math"
	"math/cmplx"
	"slices"

	"gonum.org/v1/gonum/dsp/fourier"
	"gonum.org/v1/gonum/dsp/window"

	"github.com/brainwavlm/bwlm/audio"
)

// Stimulus features are sampled every .1 s.
const (
	ticksPerSecond = 10
	ticksPerRow    = TR * ticksPerSecond
	tick           = audio.Rate / ticksPerSecond // samples
)

// The spectrum: loudness and bands of equal width on the mel scale.
const (
	bands            = 8
	lowest, highest  = 100, 6000 // Hz
	magnitudeFloor   = 1e-3      // keeps the logarithm of silence finite
	spectrumNumbers  = 1 + bands
	lexicalNumbers   = 3 // components of a set
	melBreak, melTop = 700, 2595
)

// bandEdges are the first bins of the bands, and the end of the last, in the spectrum of one tick (10 Hz a bin).
func bandEdges() (edges [bands + 1]int) {
	mel := func(hertz float64) float64 { return melTop * math.Log10(1+hertz/melBreak) }
	for i := range edges {
		m := mel(lowest) + (mel(highest)-mel(lowest))*float64(i)/bands
		hertz := melBreak * (math.Pow(10, m/melTop) - 1)
		edges[i] = int(math.Round(hertz * tick / audio.Rate))
	}
	return edges
}

// spectrum describes each .1 s of sound by 9 numbers: its RMS and the log mean magnitude of each band, (ticks, 9).
func spectrum(wave []float32) [][]float64 {
	edges, fft := bandEdges(), fourier.NewFFT(tick)
	taper := window.Hann(slices.Repeat([]float64{1}, tick))
	out := make([][]float64, len(wave)/tick)
	for i := range out {
		frame, power := make([]float64, tick), 0.
		for k, x := range wave[i*tick:][:tick] {
			frame[k] = taper[k] * float64(x)
			power += float64(x) * float64(x) / tick
		}
		coefficients := fft.Coefficients(nil, frame)
		row := []float64{math.Sqrt(power)}
		for b := range bands {
			sum := 0.
			for _, c := range coefficients[edges[b]:edges[b+1]] {
				sum += cmplx.Abs(c)
			}
			row = append(row, math.Log(sum/float64(edges[b+1]-edges[b])+magnitudeFloor))
		}
		out[i] = row
	}
	return out
}

// spread returns for each tick the sum of the vectors of its words, weighted by the share of the
// tick that each word fills: (ticks, width).
func (s *story) spread(lex *Lexicon, width int, vector func(word int) []float64) [][]float64 {
	out := make([][]float64, s.samples()/tick)
	for i := range out {
		out[i] = make([]float64, width)
	}
	for _, e := range s.words {
		from, to := s.span(lex, e)
		for i := from / tick; i*tick < to; i++ {
			share := float64(min(to, (i+1)*tick)-max(from, i*tick)) / tick
			for j, x := range vector(e.Word) {
				out[i][j] += share * x
			}
		}
	}
	return out
}
