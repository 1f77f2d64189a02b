package evaluate

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// responses returns the test rows of a subject, (rows, voxels), which stay in memory next to their predictions.
func (b *Baseline) responses(ctx context.Context, subject int) ([]float32, error) {
	if x := b.want[subject]; x != nil {
		return x, nil
	}
	x, _, err := b.Study.Subjects[subject].ReadSplit(ctx, study.Test)
	if err != nil {
		return nil, err
	}
	if b.want == nil {
		b.want = map[int][]float32{}
	}
	b.want[subject] = x
	return x, nil
}

// ceiling returns the noise ceiling of a subject's test rows; nil where there are no repeats.
func (b *Baseline) ceiling(ctx context.Context, subject int) (*stats.NoiseCeiling, error) {
	if c, known := b.ceilings[subject]; known {
		return c, nil
	}
	c, ok, err := b.Study.Subjects[subject].TestCeiling(ctx)
	if err != nil {
		return nil, err
	}
	if b.ceilings == nil {
		b.ceilings = map[int]*stats.NoiseCeiling{}
	}
	if b.ceilings[subject] = nil; ok {
		b.ceilings[subject] = &c
	}
	return b.ceilings[subject], nil
}
