package evaluate

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// Ceiling returns the noise ceiling: the r of a perfect model with the mean over the repeats of the
// test rows. It is nil where a subject has no repeats. A voxel without signal power has ceiling 0
// and is kept: leaving such voxels out would select those that are above 0 by chance.
func (e *Evaluation) Ceiling(ctx context.Context, indices []int) (*results.ModelScore, error) {
	groups := e.Groups
	s := &results.ModelScore{ROIs: map[string]float64{}}
	perGroup := make([]float64, len(groups))
	for _, i := range indices {
		c, err := e.ceiling(ctx, i)
		if err != nil || c == nil {
			return nil, err
		}
		none := make([]bool, len(c.Defined)) // CCMax is 0 where it is not defined
		for g, group := range groups {
			var columns []int
			if group.Columns != nil {
				columns = group.Columns[i]
			}
			mean, _ := stats.Mean(c.CCMax, none, columns)
			perGroup[g] += mean / float64(len(indices))
		}
	}
	for g, group := range groups {
		if group.Name == study.Everything {
			s.MeanR = perGroup[g]
			continue
		}
		s.ROIs[group.Name] = perGroup[g]
	}
	return s, nil
}
