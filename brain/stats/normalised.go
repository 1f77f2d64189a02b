package stats

import (
	"math"

	"github.com/brainwavlm/bwlm/internal/parallel"
)

// NormalisedScores holds the scores of each voxel relative to its noise ceiling. All are 0 for a
// voxel that is not Scored.
type NormalisedScores struct {
	Ceiling NoiseCeiling
	R       []float64 // with the mean of the repeats; CC_abs of Schoppe et al.
	CCNorm  []float64 // R / CCMax; an estimate, which exceeds 1 by chance if the ceiling is low
	SPE     []float64 // signal power explained: (Var(ȳ) - Var(ȳ - ŷ)) / SP; negative if worse than the mean
	Scored  []bool    // false without a ceiling, or if the prediction is constant or not finite
}

// NormaliseByCeiling scores pred, (rows, voxels), against the mean of n repeats, (n, rows, voxels),
// relative to their [Ceiling].
//
//	CCNorm = r / CCMax = Cov(ȳ, ŷ) / √(SP Var(ŷ))
//
// after Schoppe et al. (2016), SPE after Sahani and Linden (NIPS 2002). SPE depends on the scale of
// the prediction: the signal itself scores 1 and twice the signal 0, while CCNorm is 1 for both.
func NormaliseByCeiling(pred, repeats []float32, n, rows, voxels int) NormalisedScores {
	checkSize("predictions", pred, rows, voxels)
	s := NormalisedScores{
		Ceiling: Ceiling(repeats, n, rows, voxels), R: make([]float64, voxels),
		CCNorm: make([]float64, voxels), SPE: make([]float64, voxels), Scored: make([]bool, voxels),
	}
	p := describeColumns(pred, rows, voxels)
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
