package acoustic

import (
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
)

// The criteria of a voiced frame.
const (
	lowestPitch, highestPitch = 60, 400 // Hz
	voicing                   = .45     // least normalised autocorrelation at the period
	silence                   = .03     // least peak of a frame, relative to the loudest sample
	octaveCost                = .01     // per octave of the period: prefers a pitch to its subharmonics
	pitchWidth                = 800     // samples of a window: three periods of the lowest pitch
	pitchFFT                  = 2048    // at least twice pitchWidth, so that lags do not wrap around
)

// Pitch returns the fundamental frequency of each frame in Hz, 0 for an unvoiced frame. A frame
// without a whole window of 50 ms around its middle counts as unvoiced.
//
// The autocorrelation of the windowed sound is divided by that of the window. Its highest peak
// between 60 and 400 Hz, interpolated by a parabola, is the period (Boersma, Proc. Inst. Phon. Sci.
// 17, 1993, without the path search).
func Pitch(wave []float32) []float64 {
	out := make([]float64, Frames(len(wave)))
	loudest := 0.
	for _, x := range wave {
		loudest = max(loudest, math.Abs(float64(x)))
	}
	t := newTracker()
	for i := range out {
		from := i*Hop + width/2 - pitchWidth/2
		if from < 0 || from+pitchWidth > len(wave) {
			continue // no whole window
		}
		out[i] = t.pitch(wave[from:from+pitchWidth], silence*loudest)
	}
	return out
}

// tracker holds the transform and the window that all frames share.
type tracker struct {
	fft    *fourier.FFT
	taper  []float64
	window []float64 // autocorrelation of taper
}

func newTracker() *tracker {
	t := &tracker{fft: fourier.NewFFT(pitchFFT), taper: hann(pitchWidth)}
	t.window = t.autocorrelation(t.taper)
	return t
}

// autocorrelation returns that of x at each lag, scaled to 1 at lag 0.
func (t *tracker) autocorrelation(x []float64) []float64 {
	padded := make([]float64, pitchFFT)
	copy(padded, x)
	c := t.fft.Coefficients(nil, padded)
	for k, v := range c {
		c[k] = complex(real(v)*real(v)+imag(v)*imag(v), 0)
	}
	r := t.fft.Sequence(padded, c)
	scale := 1 / r[0]
	for k := range r {
		r[k] *= scale
	}
	return r
}

// pitch returns the pitch of one window, 0 if it is unvoiced. A window whose peak does not exceed
// quiet is unvoiced.
func (t *tracker) pitch(frame []float32, quiet float64) float64 {
	mean, peak := 0., 0.
	for _, x := range frame {
		mean += float64(x) / pitchWidth
		peak = max(peak, math.Abs(float64(x)))
	}
	if peak <= quiet {
		return 0
	}
	x := make([]float64, pitchWidth)
	for k, v := range frame {
		x[k] = t.taper[k] * (float64(v) - mean)
	}
	r := t.autocorrelation(x)
	for k := range pitchWidth / 2 {
		r[k] /= t.window[k]
	}
	best, period := 0., 0.
	const shortest, longest = Rate / highestPitch, Rate / lowestPitch
	for k := shortest; k <= longest; k++ {
		if r[k] < voicing || r[k] < r[k-1] || r[k] <= r[k+1] {
			continue
		}
		shift, height := parabolaPeak(r[k-1], r[k], r[k+1])
		at := float64(k) + shift
		if strength := height - octaveCost*math.Log2(at); period == 0 || strength > best {
			best, period = strength, at
		}
	}
	if period == 0 {
		return 0
	}
	return Rate / period
}

// parabolaPeak returns the peak of the parabola through three points one apart: its distance from
// the middle one, and its height.
func parabolaPeak(left, middle, right float64) (shift, height float64) {
	bend := left - 2*middle + right
	shift = (left - right) / (2 * bend)
	return shift, middle - (left-right)*shift/4
}
