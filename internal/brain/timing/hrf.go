package timing

import "math"

// The canonical haemodynamic response function: SPM's double gamma with its default parameters
// (spm_hrf of SPM12: shapes of rise and undershoot 6 and 16, both of scale 1 s, ratio 6, 32 s
// long).
const (
	riseShape       = 6
	undershootShape = 16
	undershootRatio = 6
	hrfSeconds      = 32
)

// hrfPeak is the time of the peak of the canonical response, in seconds.
const hrfPeak = 5.0

// gamma returns the density of a gamma distribution with scale 1 s.
func gamma(t, shape float64) float64 {
	return math.Pow(t, shape-1) * math.Exp(-t) / math.Gamma(shape)
}

// hrf returns the canonical response, one sample per tick, scaled to a sum of 1.
func hrf() []float64 {
	h, sum := make([]float64, hrfSeconds*ticksPerSecond), 0.
	for i := range h {
		t := float64(i) / ticksPerSecond
		h[i] = gamma(t, riseShape) - gamma(t, undershootShape)/undershootRatio
		sum += h[i]
	}
	for i := range h {
		h[i] /= sum
	}
	return h
}

// convolve returns the causal convolution of x and h with the length of x. x is 0 before its start.
func convolve(x, h []float64) []float64 {
	out := make([]float64, len(x))
	for i := range out {
		for j := range min(len(h), i+1) {
			out[i] += h[j] * x[i-j]
		}
	}
	return out
}
