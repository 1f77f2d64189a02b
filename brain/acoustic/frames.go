package acoustic

import (
	"math"
	"math/cmplx"

	"gonum.org/v1/gonum/dsp/fourier"
	"gonum.org/v1/gonum/dsp/window"
)

// The grid of frames.
const (
	Rate  = 16000 // samples a second
	Hop   = 320   // samples from one frame to the next
	Width = 400   // samples of a frame
)

// Frames is how many whole frames so many samples have.
func Frames(samples int) int {
	if samples < Width {
		return 0
	}
	return (samples-Width)/Hop + 1
}

// Time is the second at the middle of frame i.
func Time(i int) float64 { return float64(i*Hop+Width/2) / Rate }

// Nearest is the frame whose middle is nearest to a second, not bounded by any sound's length.
func Nearest(second float64) int { return int(math.Round((second*Rate - Width/2) / Hop)) }

// floor keeps logarithms of silence finite: full scale less 100 dB.
const floor = 1e-10

// Loudness is the power of each frame in dB below full scale, at least -100.
func Loudness(wave []float32) []float64 {
	out := make([]float64, Frames(len(wave)))
	for i := range out {
		power := 0.
		for _, x := range wave[i*Hop:][:Width] {
			power += float64(x) * float64(x) / Width
		}
		out[i] = 10 * math.Log10(power+floor)
	}
	return out
}

// Range of the bands in Hz.
const lowest, highest = 100, 7000

// spectrumSize is the length of the transform: bins of 31.25 Hz.
const spectrumSize = 512

// Bands is the log of the mean power of each frame in n bands of equal width on the mel scale, 100 to 7000 Hz: (frames,
// n). Up to 16 bands each have a bin of their own.
func Bands(wave []float32, n int) []float64 {
	edges := bandEdges(n)
	fft, taper := fourier.NewFFT(spectrumSize), window.Hann(ones(Width))
	frame := make([]float64, spectrumSize)
	var coefficients []complex128
	out := make([]float64, 0, Frames(len(wave))*n)
	for i := range Frames(len(wave)) {
		for k, x := range wave[i*Hop:][:Width] {
			frame[k] = taper[k] * float64(x)
		}
		coefficients = fft.Coefficients(coefficients, frame)
		for b := range n {
			power := 0.
			for _, c := range coefficients[edges[b]:edges[b+1]] {
				power += real(c * cmplx.Conj(c))
			}
			out = append(out, math.Log(power/float64(edges[b+1]-edges[b])+floor))
		}
	}
	return out
}

// bandEdges are the first bins of the bands, and the end of the last.
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

func ones(n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = 1
	}
	return x
}
