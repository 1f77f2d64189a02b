package ridge

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/parallel"
	"github.com/brainwavlm/bwlm/torch"
)

// Evaluation holds the scores of a model on rows that it was not fitted to.
type Evaluation struct {
	R        []float64 // (voxels) Pearson's r
	R2       []float64 // (voxels) 1 - Σ(y-ŷ)²/Σ(y-ȳ)²
	Split    []float64 // (bands, voxels) explained variance by band; nil without bands
	Constant []bool    // (voxels) training responses, test responses or predictions are constant: scores are 0
}

// Evaluate scores the predictions of responses y, (rows, voxels), from features x, (rows,
// features).
//
// The split is the product measure (Dupré la Tour et al. 2022; himalaya's r2_score_split), which
// sums to the variance explained by all bands. With ŷ_A the part of band A in the prediction ŷ,
//
//	R²_A = Σ ŷ_A·(2y - ŷ) / Σ y²    Σ_A R²_A = 1 - Σ(y-ŷ)²/Σ y²
//
// y and ŷ are centred by the mean of the training responses and ŷ_A comes from features centred by
// theirs; without an intercept nothing is centred. The sum therefore differs from R2 if the test
// responses have another mean than the training responses. A part may be negative. It runs on the device of the fit.
func (m *Model) Evaluate(ctx context.Context, x []float32, y ColumnReader, rows int) (*Evaluation, error) {
	if err := m.check(x, rows); err != nil {
		return nil, err
	}
	e := &Evaluation{R: make([]float64, m.Voxels), R2: make([]float64, m.Voxels), Constant: make([]bool, m.Voxels)}
	if m.Bands != nil {
		e.Split = make([]float64, len(m.Bands)*m.Voxels)
	}
	all := &responses{Responses: Responses{y, m.Voxels}, rows: rows}
	err := m.onInputs(ctx, x, rows, true, func(in *torch.Tensor) error {
		step := m.predictedVoxels(rows)
		for first, end := range groups(0, m.Voxels, 4*rows, step, defaultBytes) {
			if err := all.hold(ctx, first, end); err != nil {
				return err
			}
			for from, to := range blocks(first, end, step) {
				m.evaluate(e, in, all.columns(from, to), from, to)
			}
		}
		return nil
	})
	return e, err
}

// evaluate scores a block of voxels, (to-from, rows). x are the features, centred by the means of
// the training rows, or their kernel.
func (m *Model) evaluate(e *Evaluation, x *torch.Tensor, block []float32, from, to int) {
	n, rows := to-from, x.Dim(0)
	bands := m.Bands
	if bands == nil {
		bands = []Band{{0, m.Features}}
	}
	parts := m.predict(x, bands, make([]float64, n), from, to)
	pred, want := make([]float32, rows*n), make([]float32, rows*n) // (rows, n), centred by the training rows
	parallel.Each(n, func(v int) {
		y := block[v*rows : (v+1)*rows]
		centre := mean(y)
		total, about, left := sumSquares(y, m.voxelMean[from+v]), sumSquares(y, centre), 0.0
		for row, value := range y {
			at, joint := row*n+v, 0.0
			for _, part := range parts {
				joint += float64(part[at])
			}
			d := float64(value) - m.voxelMean[from+v]
			pred[at], want[at] = float32(joint), float32(d)
			left += (d - joint) * (d - joint)
			for b := range m.Bands {
				e.Split[b*m.Voxels+from+v] += float64(parts[b][at]) * (2*d - joint) / total
			}
		}
		e.R2[from+v] = 1 - left/about
	})
	r, constant := stats.Correlation(pred, want, rows, n)
	for v := range n {
		e.R[from+v], e.Constant[from+v] = r[v], constant[v] || m.Constant[from+v]
		if e.Constant[from+v] {
			e.R[from+v], e.R2[from+v] = 0, 0
			for b := range m.Bands {
				e.Split[b*m.Voxels+from+v] = 0
			}
		}
	}
}
