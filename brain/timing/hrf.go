package timing

import "math"

// The canonical haemodynamic response: SPM's double gamma with its usual parameters (spm_hrf of SPM12: rise and
// undershoot of shapes 6 and 16, both of scale 1 s, ratio 6, 32 s long).
const (
	riseShape       = 6
	undershootShape = 16
	undershootRatio = 6
	hrfSeconds      = 32
)

// hrfPeak is the second at which the canonical response is highest.
const hrfPeak = 5.0

// gamma is the density of a gamma distribution of scale 1 s.
func gamma(t, shape float64) float64 {
	return math.Pow(t, shape-1) * math.Exp(-t) / math.Gamma(shape)
}

// hrf samples the canonical response every tick. It sums to 1.
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

// convolve gives the response to x, causal and as long as x. Before its start there was nothing.
func convolve(x, h []float64) []float64 {
	out := make([]float64, len(x))
	for i := range out {
		for j := range min(len(h), i+1) {
			out[i] += h[j] * x[i-j]
		}
	}
	return out
}
