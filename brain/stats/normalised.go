package stats

import (
	"math"

	"github.com/brainwavlm/bwlm/internal/parallel"
)

// Normalised is a score per voxel beside what the noise allows. A voxel that is not Scored has 0
// throughout.
type Normalised struct {
	Ceiling NoiseCeiling
	R       []float64 // with the mean of the repeats; Schoppe's CC_abs
	CCNorm  []float64 // R / CCMax. An estimate: above 1 by chance where the ceiling is low, and never cut off
	SPE     []float64 // signal power explained: (Var(ȳ) - Var(ȳ - ŷ)) / SP; below 0 for a prediction worse than the mean
	Scored  []bool    // false where there is no ceiling, or the prediction is constant or not finite
}

// Normalise scores pred, (rows, voxels), against the mean of repeats, (n, rows, voxels), as a share
// of their [Ceiling].
//
//	CCNorm = r / CCMax = Cov(ȳ, ŷ) / √(SP Var(ŷ))
//
// after Schoppe et al. (2016), SPE after Sahani and Linden (NIPS 2002). SPE takes a prediction at
// its size: the signal itself scores 1, twice the signal 0, while CCNorm is 1 for both.
func Normalise(pred, repeats []float32, n, rows, voxels int) Normalised {
	mustHold("predictions", pred, rows, voxels)
	s := Normalised{
		Ceiling: Ceiling(repeats, n, rows, voxels), R: make([]float64, voxels),
		CCNorm: make([]float64, voxels), SPE: make([]float64, voxels), Scored: make([]bool, voxels),
	}
	p := describe(pred, rows, voxels)
	parallel.Ranges(voxels, 1, func(from, to int) {
		mean := make([]float64, rows) // ȳ of a voxel
		for v := from; v < to; v++ {
			if s.Scored[v] = s.Ceiling.Defined[v] && !p.constant[v]; !s.Scored[v] {
				continue
			}
			clear(mean)
			for at := v; at < len(repeats); at += voxels {
				mean[at/voxels%rows] += float64(repeats[at]) / float64(n)
			}
			var yy, pp, py float64
			for t, y := range centre(mean) {
				x := float64(pred[t*voxels+v]) - p.mean[v]
				yy, pp, py = yy+y*y, pp+x*x, py+x*y
			}
			s.R[v] = clamp(py / math.Sqrt(yy*pp))
			s.CCNorm[v] = s.R[v] / s.Ceiling.CCMax[v]
			s.SPE[v] = (2*py - pp) / float64(rows) / s.Ceiling.SP[v] // Var(ȳ) - Var(ȳ - ŷ) = 2 Cov(ȳ, ŷ) - Var(ŷ)
		}
	})
	return s
}
