package plan

import (
	"context"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/study"
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
// ceiling, or [usualR] without repeats; predictions have no error from fitting to few rows.
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

// Assumptions of a plan.
const (
	PredictionsAlike = .9 // correlation of a voxel's predictions from base and tuned features
	usualR           = .2 // score of a voxel without a ceiling
	detectPower      = .8
	detectLevel      = .05
)

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

// detectable returns the minimum detectable differences of the tuned voxels and of each ROI.
func detectable(ctx context.Context, st *study.Study) ([]Sensitivity, error) {
	groups, err := st.Groups(ctx)
	if err != nil {
		return nil, err
	}
	var out []Sensitivity
	for _, g := range groups[1:] { // all voxels are of less interest than the tuned ones
		d := Sensitivity{ROI: g.Name}
		if g.Name == study.TunedGroup {
			d.ROI = ""
		}
		subjects, share, ceiling, ceilings := 0., 0., 0., 0.
		for i, p := range st.Subjects {
			columns := g.Columns[i]
			if len(columns) == 0 {
				continue
			}
			x, err := p.Read(ctx, columns, p.Parts[study.Train]...)
			if err != nil {
				return nil, err
			}
			var lengths []int
			for _, r := range p.Parts[study.Train] {
				lengths = append(lengths, r.Len())
			}
			phi := persistence(stats.MedianAutocorrelationTime(x, lengths, len(columns)))
			independent := (1 - phi*phi) / (1 + phi*phi)
			q, varying := alike(x, len(columns), independent*float64(len(x)/len(columns)))
			if varying == 0 {
				continue
			}
			subjects++
			share += (1 + float64(varying-1)*q) / float64(varying)
			d.Voxels += varying
			rows := p.RowsOf(study.Test)
			d.TestRows = max(d.TestRows, rows)
			d.Effective += float64(rows) * independent
			c, ok, err := p.TestCeiling(ctx)
			if err != nil {
				return nil, err
			}
			if ok {
				mean, _ := stats.Mean(c.CCMax, make([]bool, len(c.CCMax)), columns)
				ceiling, ceilings = ceiling+mean, ceilings+1
			}
		}
		if subjects == 0 {
			continue
		}
		d.Effective /= subjects
		d.Minutes = float64(d.TestRows) * st.Data.TR() / 60
		d.AssumedR = usualR
		if ceilings == subjects {
			mean := ceiling / subjects
			d.Ceiling, d.AssumedR = &mean, mean/2
		}
		delta := func(level float64) float64 {
			return MinDetectableDifference(d.Effective, d.AssumedR, PredictionsAlike, level, detectPower)
		}
		d.OneVoxel, d.AnyVoxel = delta(detectLevel), delta(detectLevel/max(1, float64(d.Voxels)/subjects))
		d.Mean = d.OneVoxel * math.Sqrt(share/subjects) / math.Sqrt(subjects)
		out = append(out, d)
	}
	return out, nil
}

// persistence returns the autocorrelation φ of a first-order process with autocorrelation time tau.
func persistence(tau float64) float64 { return (tau - 1) / (tau + 1) }

// alike returns the mean squared correlation of two varying columns of x (rows, cols) above that of
// independent columns, and the number of varying columns. Of many columns it uses some.
func alike(x []float32, cols int, independent float64) (q float64, varying int) {
	const most = 200
	if cols == 0 {
		return 0, 0
	}
	rows := len(x) / cols
	var columns []int
	for c, yes := range study.Varies(x, rows, cols) {
		if yes {
			columns = append(columns, c)
		}
	}
	varying = len(columns)
	z := design.FitZScore(x, rows, cols).Apply(x)
	step := max(1, (varying+most-1)/most)
	pairs := 0.
	for i := 0; i < varying; i += step {
		for j := i + step; j < varying; j += step {
			r := 0.
			for k := range rows {
				r += float64(z[k*cols+columns[i]]) * float64(z[k*cols+columns[j]]) / float64(rows)
			}
			q, pairs = q+r*r, pairs+1
		}
	}
	return max(0, q/max(pairs, 1)-1/independent), varying
}
