package acoustic

import (
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
	"gonum.org/v1/gonum/dsp/window"
)

// What counts as a voice.
const (
	lowestPitch, highestPitch = 60, 400 // Hz
	voicing                   = .45     // least normalised autocorrelation
	silence                   = .03     // of the loudest sample; frames whose peak is lower are unvoiced
	octaveCost                = .01     // a high candidate is preferred to its subharmonics
	pitchWidth                = 800     // samples: three periods of the lowest pitch
	pitchFFT                  = 2048    // at least twice that, so that lags do not wrap
)

// Pitch is the fundamental frequency of each frame in Hz, 0 where there is no voice. In 50 ms round a frame's middle,
// the autocorrelation of the windowed sound is divided by that of the window; its highest peak between 60 and 400 Hz,
// refined by a parabola, is the period (after Boersma, Proc. Inst. Phon. Sci. 17, 1993, without his path search).
func Pitch(wave []float32) []float64 {
	out := make([]float64, Frames(len(wave)))
	loudest := 0.
	for _, x := range wave {
		loudest = max(loudest, math.Abs(float64(x)))
	}
	t := newTracker()
	for i := range out {
		from := i*Hop + Width/2 - pitchWidth/2
		if from < 0 || from+pitchWidth > len(wave) {
			continue // no whole window
		}
		out[i] = t.pitch(wave[from:from+pitchWidth], silence*loudest)
	}
	return out
}

// tracker holds what all frames share.
type tracker struct {
	fft    *fourier.FFT
	taper  []float64
	window []float64 // autocorrelation of the taper
}

func newTracker() *tracker {
	t := &tracker{fft: fourier.NewFFT(pitchFFT), taper: window.Hann(ones(pitchWidth))}
	t.window = t.autocorrelation(t.taper)
	return t
}

// autocorrelation of x at each lag, 1 at lag 0.
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
		bend := r[k-1] - 2*r[k] + r[k+1]
		shift := (r[k-1] - r[k+1]) / (2 * bend)
		height := r[k] - (r[k-1]-r[k+1])*shift/4
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
