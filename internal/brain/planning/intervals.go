package planning

import (
	"context"
	"math"

	"github.com/brainwavlm/bwlm/brain/plan"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// expectIntervals divides the test rows into blocks as the evaluation will do.
func expectIntervals(ctx context.Context, st *study.Study) (out plan.Intervals, err error) {
	seen := map[string]bool{}
	subjects := make([]stats.Subject, len(st.Subjects))
	for i, p := range st.Subjects {
		columns := someVoxels(p, p.RowsOf(study.Test))
		subjects[i].Voxels = len(columns)
		for _, r := range p.Parts[study.Test] {
			y, err := p.Read(ctx, columns, r)
			if err != nil {
				return out, err
			}
			seen[r.Story] = true
			subjects[i].Stories = append(subjects[i].Stories, stats.Story{Name: r.String(), Stimulus: r.Story,
				Rows: r.Len(), Responses: y})
		}
	}
	out.Stories = len(seen)
	out.BlockRows, out.Blocks, out.Reason = stats.BlocksOf(subjects, st.ResampledRows())
	if out.Reason != "" {
		out.Minutes = math.Ceil(float64(out.BlockRows*stats.MinBlocks)*st.Data.TR()/6) / 10
	}
	return out, nil
}
