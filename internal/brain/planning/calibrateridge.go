package planning

import (
	"context"
	"math/rand/v2"

	"github.com/brainwavlm/bwlm/brain/ridge"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/stopwatch"
)

// timeRidge fits random features to random responses, since the time does not depend on the values.
// The cost is a decomposition plus a part per voxel, so few voxels are measured and extrapolated. A large fit is
// measured on few rows and features, and goes by its counted operations and its passes over the responses.
func (c *calibration) timeRidge(ctx context.Context, _ *work) error {
	st := c.trainer.Study
	width := st.Model.Architecture().Width * len(st.Delays)
	for _, group := range study.SameRows(st.Subjects) {
		first := st.Subjects[group[0]]
		rows, valRows, voxels := first.RowsOf(study.Train), first.RowsOf(study.Val), 0
		for _, i := range group {
			voxels += st.Subjects[i].Voxels
		}
		opt := st.RidgeOptions()
		opt.Chunks = nil // which may name rows that a piece does not have
		all, err := ridge.Expect(rows, width, voxels, opt)
		if err != nil {
			return err
		}
		few := min(voxels, calibrationVoxels)
		if all.Operations < largeFit {
			took, err := timeFits(ctx, rows, valRows, width, voxels, few, opt)
			if err != nil {
				return err
			}
			c.ridge, c.flops.ridge = c.ridge+took, c.flops.ridge+all.Operations
			continue
		}
		rows, width := min(rows, pieceRows), min(width, pieceWidth)
		some, err := ridge.Expect(rows, width, few, opt)
		if err != nil {
			return err
		}
		took, err := timeFits(ctx, rows, 1, width, few, few, opt)
		if err != nil {
			return err
		}
		values := float64(first.RowsOf(study.Train)) * float64(voxels)
		c.ridge += took*all.Operations/some.Operations + all.Passes*c.value*values
		c.flops.ridge += all.Operations
	}
	return nil
}

// A fit of more than largeFit operations is measured with pieceRows and pieceWidth.
const (
	largeFit              = 5e11
	pieceRows, pieceWidth = 2048, 512
)

// timeFits times the fit of some voxels, extrapolated from few, with the prediction of other rows.
func timeFits(ctx context.Context, rows, others, width, voxels, few int, opt ridge.Options) (float64, error) {
	rng := rand.New(rand.NewPCG(1, 2))
	random := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(rng.NormFloat64())
		}
		return x
	}
	x, held := random(rows*width), random(others*width)
	fit := func(n int) (float64, error) {
		y := random(rows * n)
		return stopwatch.Seconds(func() error {
			m, err := ridge.Fit(ctx, x, y, rows, opt)
			if err == nil {
				_, err = m.Predict(ctx, held, others)
			}
			return err
		})
	}
	if _, err := fit(min(few, 10)); err != nil { // warms up
		return 0, err
	}
	took, err := fit(few)
	if err != nil || few == voxels {
		return took, err
	}
	half, err := fit(few / 2)
	return took + max(0, took-half)/float64(few-few/2)*float64(voxels-few), err
}
