package encoding

import (
	"context"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// Own returns the regressor of features that the data set has, or of labels of its clips. They have the rows of the
// responses.
func Own(st *study.Study, name string) Regressor {
	return func(ctx context.Context, _, story string) (x []float32, columns int, err error) {
		m, err := st.Data.Features(ctx, name, story)
		if err != nil {
			return nil, 0, err
		}
		if want := st.Stimuli[story].Rows; m.Rows != want {
			e := fault.New(fault.BadData, "read features", name, "%d rows of story %s, its responses have %d", m.Rows,
				story, want)
			if m.Voxels == want {
				return nil, 0, e.WithHint("they look transposed: save them as rows × columns")
			}
			return nil, 0, e.WithHint("give one row for each row of the responses")
		}
		return m.Data, m.Voxels, nil
	}
}
