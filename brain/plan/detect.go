package plan

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Sensitivity is the minimum detectable Δr (tuned − base) on the test rows, with a power of 80 %.
//
// The test of two dependent correlations with one response is that of Meng, Rosenthal & Rubin
// (Psych. Bull. 111, 1992): for independent rows,
//
//	SE(z₁ − z₂) = √(2 (1−c) h / (n−3)),  h = (1 − f r²)/(1 − r²),  f = min(1, (1−c)/(2(1−r²)))
//
// with z Fisher's transform of r, and c the correlation of the two predictions. The difference is
// (u_{1−α/2} + u_{.8}) times that, u normal quantiles, and Δr = Δz (1 − r²). Rows are
// autocorrelated: n is the number of test rows over (1+φ²)/(1−φ²), Bartlett's factor for prediction
// and response as first-order processes of autocorrelation φ, estimated from the training
// responses. The errors of two voxels' r correlate by the product of the correlation of their noise
// and that of their predictions. It is estimated by the squared correlation of their responses, q
// on average. The error of the mean of an ROI of V voxels is smaller by √((1+(V−1)q)/V), and that
// of the mean over subjects by the root of their number, since their noise is taken as independent.
//
// Three things are unknown before tuning and assumed: c is [PredictionsAlike]; r is half the
// ceiling, or .2 without repeats; predictions have no error from fitting to few rows.
type Sensitivity struct {
	ROI       string   `json:"roi"`    // "" for the tuned voxels of all subjects
	Voxels    int      `json:"voxels"` // of all subjects
	TestRows  int      `json:"test_rows"`
	Effective float64  `json:"effective_rows"`
	Minutes   float64  `json:"test_minutes"`
	Ceiling   *float64 `json:"ceiling"` // null without repeats
	AssumedR  float64  `json:"assumed_r"`
	OneVoxel  float64  `json:"min_delta_one_voxel"` // in one subject, at .05 for this voxel alone
	AnyVoxel  float64  `json:"min_delta_any_voxel"` // at .05 over all voxels of the ROI (Bonferroni)
	Mean      float64  `json:"min_delta_mean"`      // of the ROI's mean over voxels and subjects, at .05
}

// PredictionsAlike is the correlation of a voxel's predictions from base and tuned features that a plan assumes.
const PredictionsAlike = .9

// MinDetectableDifference returns the minimum detectable Δr of two correlations near r with one response
// over n independent rows, for a two-sided test with the given level and power and predictions of
// correlation c. It is infinite for n ≤ 3.
func MinDetectableDifference(n, r, c, level, power float64) float64 {
	if n <= 3 {
		return math.Inf(1)
	}
	f := min(1, (1-c)/(2*(1-r*r)))
	h := (1 - f*r*r) / (1 - r*r)
	z := (distuv.UnitNormal.Quantile(1-level/2) + distuv.UnitNormal.Quantile(power)) * math.Sqrt(2*(1-c)*h/(n-3))
	return z * (1 - r*r)
}
