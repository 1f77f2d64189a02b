package audio

import "math"

// A kernel is a symmetric low-pass impulse response h(t) over continuous time t in input samples.
// Resampling is y(n) = Σ_k x(k) h(n·from/to − k), after Smith, "Digital Audio Resampling".
type kernel struct {
	half float64 // h(t) is 0 where |t| ≥ half
	at   func(t float64) float64
	// unity: the weights of each output sample are scaled to sum to 1, so that a constant stays
	// constant.
	unity bool
}

// The default filter. Its transition band is 0.05 cycles per sample of the lower rate wide, from 90
// % of the lower Nyquist frequency to Nyquist itself, so nothing aliases.
const (
	stopBand   = 110.0 // dB
	transition = 0.05  // cycles per sample of the lower rate
	cutoff     = 0.475 // the middle of the transition
)

// sincKernel is a sinc under a Kaiser window whose shape and length follow Kaiser's formulas for
// stopBand and transition (Oppenheim and Schafer, Discrete-Time Signal Processing, 7.5.3): β =
// 0.1102 (A − 8.7) and (A − 8) / (2.285 · 2π · transition) taps.
func sincKernel(from, to int) kernel {
	const beta = 0.1102 * (stopBand - 8.7)
	lower := min(1, float64(to)/float64(from)) // lower rate, cycles per input sample
	half := (stopBand - 8) / (2.285 * 2 * math.Pi * transition) / 2 / lower
	width := 2 * cutoff * lower
	scale := width / bessel0(beta)
	return kernel{
		half:  half,
		unity: true,
		at: func(t float64) float64 {
			u := t / half
			if u <= -1 || u >= 1 {
				return 0
			}
			return scale * sinc(width*t) * bessel0(beta*math.Sqrt(1-u*u))
		},
	}
}

// torchaudioKernel is that of torchaudio.functional.resample 2.x with its defaults:
// sinc_interp_hann, lowpass_filter_width 6, rolloff 0.99. Its weights are not scaled to sum to 1
// there, and so not here. It is computed in float64; torchaudio's float32 kernel is off by up to
// 2e-5.
func torchaudioKernel(from, to int) kernel {
	const lobes, rolloff = 6, 0.99
	width := rolloff * min(1, float64(to)/float64(from))
	return kernel{
		half: lobes / width,
		at: func(t float64) float64 {
			u := t * width
			if u <= -lobes || u >= lobes {
				return 0
			}
			window := math.Cos(math.Pi * u / lobes / 2)
			return width * sinc(u) * window * window
		},
	}
}

// sinc is sin(πx)/(πx).
func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// bessel0 is the modified Bessel function I₀, by its power series.
func bessel0(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-17*sum; k++ {
		term *= (x / 2 / k) * (x / 2 / k)
		sum += term
	}
	return sum
}
