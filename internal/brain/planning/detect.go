package planning

import (
	"context"
	"math"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/plan"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// Assumptions about a voxel without a ceiling, and of the tests that are planned for.
const (
	usualR      = .2 // score
	detectPower = .8
	detectLevel = .05
)

// detectable returns the minimum detectable differences of the tuned voxels and of each ROI.
func detectable(ctx context.Context, st *study.Study) ([]plan.Sensitivity, error) {
	groups, err := st.PlannedGroups(ctx)
	if err != nil {
		return nil, err
	}
	ceilings, err := ceilingsOf(ctx, st)
	if err != nil {
		return nil, err
	}
	var out []plan.Sensitivity
	for _, g := range groups[1:] { // all voxels are of less interest than the tuned ones
		d := plan.Sensitivity{ROI: g.Name}
		if g.Name == study.TunedGroup {
			d.ROI = ""
		}
		subjects, share, ceiling, known := 0., 0., 0., 0.
		for i, p := range st.Subjects {
			columns := g.Columns[i]
			if len(columns) == 0 {
				continue
			}
			parts := someRows(p, study.Train)
			x, err := p.Read(ctx, columns, parts...)
			if err != nil {
				return nil, err
			}
			var lengths []int
			for _, r := range parts {
				lengths = append(lengths, r.Len())
			}
			phi := persistence(stats.MedianAutocorrelationTime(x, lengths, len(columns)))
			if st.Data.IsEvents() {
				phi = 0
			}
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
			if c := ceilings[i]; c != nil {
				mean, _ := stats.Mean(c, make([]bool, len(c)), columns)
				ceiling, known = ceiling+mean, known+1
			}
		}
		if subjects == 0 {
			continue
		}
		d.Effective /= subjects
		d.Minutes = float64(d.TestRows) * st.Data.TR() / 60
		d.AssumedR = usualR
		if known == subjects {
			mean := ceiling / subjects
			d.Ceiling, d.AssumedR = &mean, mean/2
		}
		delta := func(level float64) float64 {
			return plan.MinDetectableDifference(d.Effective, d.AssumedR, plan.PredictionsAlike, level, detectPower)
		}
		d.OneVoxel, d.AnyVoxel = delta(detectLevel), delta(detectLevel/max(1, float64(d.Voxels)/subjects))
		d.Mean = d.OneVoxel * math.Sqrt(share/subjects) / math.Sqrt(subjects)
		out = append(out, d)
	}
	return out, nil
}

// ceilingsOf returns the noise ceiling of each voxel of the subjects; nil where test rows have no repeats.
func ceilingsOf(ctx context.Context, st *study.Study) ([][]float64, error) {
	out := make([][]float64, len(st.Subjects))
	for i, p := range st.Subjects {
		c, ok, err := p.TestCeiling(ctx)
		if err != nil {
			return nil, err
		}
		if ok {
			out[i] = c.CCMax
		}
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
