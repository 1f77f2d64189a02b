package study

import (
	"context"

	"github.com/brainwavlm/bwlm/internal/brain/responses"
)

// Measure reads the responses of all subjects once, in their order, for what the loss and most scores need to know of
// all of them: which voxels vary, and their weights. Values that are not finite are refused, as are responses under two
// names, and what users should know is noted. Opening a study reads headers only; whoever uses Tuned, Weights or Loss
// calls Measure before. A second call does nothing, and rows that were read before are not read again.
func (st *Study) Measure(ctx context.Context) error {
	if st.measured {
		return nil
	}
	if err := st.checkCopies(ctx); err != nil {
		return err
	}
	for _, p := range st.Subjects {
		if err := p.measure(ctx, st.Experiment, st.Data); err != nil {
			return err
		}
		st.noteRaw(p)
	}
	if err := st.weigh(ctx); err != nil {
		return err
	}
	if err := st.chooseLoss(ctx); err != nil {
		return err
	}
	st.measured = true
	st.noteLoss()
	return nil
}

// InPieces has a story's responses read without those of others, whatever data.zscore is, until the function that it
// returns is called: for work on pieces of a study, which needs no exact values.
func (st *Study) InPieces() (end func()) {
	var was []*responses.SubjectResponses
	for _, p := range st.Subjects {
		was = append(was, p.Responses)
		p.Responses = p.Responses.ByStory()
	}
	return func() {
		for i, p := range st.Subjects {
			p.Responses = was[i]
		}
	}
}
