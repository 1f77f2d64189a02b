package plan

import (
	"context"
	"math"

	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// Intervals are the confidence intervals that the test rows will allow.
type Intervals struct {
	BlockRows int     `json:"block_rows"` // least rows of a block of the bootstrap
	Blocks    int     `json:"blocks"`     // of all test rows
	Reason    string  `json:"no_interval_because,omitempty"`
	Minutes   float64 `json:"minutes_needed,omitempty"` // of test rows for an interval, if there is none
	Stories   int     `json:"test_stories"`             // intervals over stories need three
}

// expectIntervals divides the test rows into blocks as the evaluation will do.
func expectIntervals(ctx context.Context, st *study.Study) (out Intervals, err error) {
	seen := map[string]bool{}
	subjects := make([]stats.Subject, len(st.Subjects))
	for i, p := range st.Subjects {
		subjects[i].Voxels = p.Voxels
		for _, r := range p.Parts[study.Test] {
			y, err := p.Read(ctx, nil, r)
			if err != nil {
				return out, err
			}
			seen[r.Story] = true
			subjects[i].Stories = append(subjects[i].Stories, stats.Story{Name: r.String(), Stimulus: r.Story, Rows: r.Len(),
				Responses: y})
		}
	}
	out.Stories = len(seen)
	out.BlockRows, out.Blocks, out.Reason = stats.BlocksOf(subjects)
	if out.Reason != "" {
		out.Minutes = math.Ceil(float64(out.BlockRows*stats.MinBlocks)*st.Data.TR()/6) / 10
	}
	return out, nil
}
