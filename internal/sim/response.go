package sim

import (
	"math"
	"math/rand/v2"
)

// The haemodynamic response: a gamma-shaped rise with the voxel's time to peak minus a broad
// undershoot 8 s later, after Glover, NeuroImage 9(4), 1999.
const (
	riseShape       = 6
	undershootShape = 12
	undershootDelay = 8.  // seconds after the peak
	undershootShare = .15 // of the peak's height
	hrfSeconds      = 20
)

// hrf returns the response to a brief event at each tick from its onset, with its peak at
// the given second. Its magnitudes sum to 1.
func hrf(peakSeconds float64) []float64 {
	bump := func(t, peak, shape float64) float64 { return math.Pow(t/peak, shape) * math.Exp(-shape*(t/peak-1)) }
	h, sum := make([]float64, hrfSeconds*ticksPerSecond), 0.
	for i := range h {
		t := float64(i) / ticksPerSecond
		h[i] = bump(t, peakSeconds, riseShape) - undershootShare*bump(t, peakSeconds+undershootDelay, undershootShape)
		sum += math.Abs(h[i])
	}
	for i := range h {
		h[i] /= sum
	}
	return h
}

// convolveRows convolves a feature with a haemodynamic response and samples it at the end of each row.
func convolveRows(feature, h []float64, rows int) []float64 {
	out := make([]float64, rows)
	for k := range out {
		last := (k+1)*ticksPerRow - 1
		for lag := range min(len(h), last+1) {
			out[k] += h[lag] * feature[last-lag]
		}
	}
	return out
}

// Noise of a subject: a first-order process, partly shared between voxels.
const (
	noiseMemory  = .6 // correlation of successive rows
	sharedPower  = .4 // share of the variance that comes from the shared sources
	sharedSource = 5
)

// noise returns noise of SD 1, (rows, voxels). mixing (voxels, sharedSource) has rows of length 1.
func noise(draw *rand.Rand, rows int, mixing [][]float64) [][]float64 {
	out := make([][]float64, rows)
	fresh := math.Sqrt(1 - noiseMemory*noiseMemory)
	for k := range out {
		var source [sharedSource]float64
		for j := range source {
			source[j] = draw.NormFloat64()
		}
		out[k] = make([]float64, len(mixing))
		for v, weights := range mixing {
			e := math.Sqrt(1-sharedPower) * draw.NormFloat64()
			for j, w := range weights {
				e += math.Sqrt(sharedPower) * w * source[j]
			}
			if k > 0 {
				e = noiseMemory*out[k-1][v] + fresh*e
			}
			out[k][v] = e
		}
	}
	return out
}
