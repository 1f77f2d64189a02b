package acoustic

import (
	"math"
	"math/cmplx"
	"slices"

	"gonum.org/v1/gonum/dsp/fourier"
	"gonum.org/v1/gonum/dsp/window"
)

// The grid of frames, in samples.
const (
	Rate  = 16000 // samples per second
	Hop   = 320   // from one frame to the next
	width = 400   // of a frame
)

// Frames returns the number of whole frames in a number of samples.
func Frames(samples int) int {
	if samples < width {
		return 0
	}
	return (samples-width)/Hop + 1
}

// Time returns the middle of frame i in seconds.
func Time(i int) float64 { return float64(i*Hop+width/2) / Rate }

// Nearest returns the frame whose middle is nearest to a time in seconds. It may lie before or
// after the sound.
func Nearest(second float64) int { return int(math.Round((second*Rate - width/2) / Hop)) }

// powerFloor keeps the logarithm of silence finite: 100 dB below full scale.
const powerFloor = 1e-10

// Loudness returns the mean power of each frame in dB relative to full scale, at least -100.
func Loudness(wave []float32) []float64 {
	out := make([]float64, Frames(len(wave)))
	for i := range out {
		power := 0.
		for _, x := range wave[i*Hop:][:width] {
			power += float64(x) * float64(x) / width
		}
		out[i] = 10 * math.Log10(power+powerFloor)
	}
	return out
}

// The range of the bands in Hz.
const lowest, highest = 100, 7000

// spectrumSize is the length of the Fourier transform, which gives bins of 31.25 Hz.
const spectrumSize = 512

// Bands returns the log of the mean power of each frame in n bands of equal width on the mel scale,
// 100 to 7000 Hz, (frames, n). With more than 16 bands the lowest are wider than their share of the
// mel scale, since each has at least one bin.
func Bands(wave []float32, n int) []float64 {
	edges := bandEdges(n)
	fft, taper := fourier.NewFFT(spectrumSize), hann(width)
	frame := make([]float64, spectrumSize)
	var coefficients []complex128
	out := make([]float64, 0, Frames(len(wave))*n)
	for i := range Frames(len(wave)) {
		for k, x := range wave[i*Hop:][:width] {
			frame[k] = taper[k] * float64(x)
		}
		coefficients = fft.Coefficients(coefficients, frame)
		for b := range n {
			power := 0.
			for _, c := range coefficients[edges[b]:edges[b+1]] {
				power += real(c * cmplx.Conj(c))
			}
			out = append(out, math.Log(power/float64(edges[b+1]-edges[b])+powerFloor))
		}
	}
	return out
}

// bandEdges returns the first bin of each band and the end of the last.
func bandEdges(n int) []int {
	mel := func(hertz float64) float64 { return 2595 * math.Log10(1+hertz/700) }
	edges := make([]int, n+1)
	for i := range edges {
		m := mel(lowest) + (mel(highest)-mel(lowest))*float64(i)/float64(n)
		hertz := 700 * (math.Pow(10, m/2595) - 1)
		edges[i] = int(math.Round(hertz * spectrumSize / Rate))
		if i > 0 {
			edges[i] = max(edges[i], edges[i-1]+1)
		}
	}
	return edges
}

// hann returns a Hann window of n samples.
func hann(n int) []float64 { return window.Hann(slices.Repeat([]float64{1}, n)) }
