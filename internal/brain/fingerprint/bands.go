package fingerprint

import (
	"math"
	"math/cmplx"

	"gonum.org/v1/gonum/dsp/fourier"
)

// Rate is the sample rate that prints are made from, in Hz.
const Rate = 16000

const (
	hop    = 512  // samples from one frame to the next: 32 ms
	window = 2048 // samples of a frame: 128 ms
	bands  = 16   // a quarter of an octave each
	lowest = 200. // Hz; telephones pass 300 to 3400 Hz
	top    = 3700.
)

// FrameSeconds is the time from one frame of a print to the next.
const FrameSeconds = hop / float64(Rate)

// spectrum measures band energies of frames.
type spectrum struct {
	fft   *fourier.FFT
	taper []float64
	frame []float64
	lines []complex128
	edges [bands + 1]int // lines of the FFT at which bands begin
}

func newSpectrum() *spectrum {
	s := &spectrum{fft: fourier.NewFFT(window), taper: make([]float64, window), frame: make([]float64, window)}
	for i := range s.taper {
		s.taper[i] = .5 - .5*math.Cos(2*math.Pi*(float64(i)+.5)/window)
	}
	for b := range s.edges {
		hertz := lowest * math.Pow(top/lowest, float64(b)/bands)
		s.edges[b] = int(math.Round(hertz * window / Rate))
	}
	return s
}

// levels returns the energy of each band in a frame of samples, in steps of half a decibel above -110 dB of full
// scale.
func (s *spectrum) levels(samples []float32) (out [bands]uint8) {
	for i, x := range samples {
		s.frame[i] = float64(x) * s.taper[i]
	}
	s.lines = s.fft.Coefficients(s.lines, s.frame)
	for b := range out {
		energy := 0.
		for _, c := range s.lines[s.edges[b]:s.edges[b+1]] {
			a := cmplx.Abs(c)
			energy += a * a
		}
		out[b] = level(energy / window / window)
	}
	return out
}

// level returns an energy in steps of half a decibel above -110 dB.
func level(energy float64) uint8 {
	if !(energy > 1e-11) {
		return 0
	}
	return uint8(min(math.Round(20*math.Log10(energy*1e11)), math.MaxUint8))
}
