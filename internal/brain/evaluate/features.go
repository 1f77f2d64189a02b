package evaluate

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// ownFeatures are the predictions from features of the data set.
type ownFeatures struct {
	name      string
	predicted []encoding.Prediction // by subject
}

// addFeatures scores the features of eval.features on the rows of the evaluation, which has been recorded as a read of
// them.
func (e *Evaluation) addFeatures(ctx context.Context) error {
	st := e.Study
	indices := make([]int, len(st.Subjects))
	for i := range indices {
		indices[i] = i
	}
	for _, name := range st.Experiment.Eval.Features {
		f, err := encoding.OwnFeatures(ctx, st, name, st.StoriesOf(study.Train, study.Test))
		if err != nil {
			return err
		}
		predicted, err := encoding.Predict(ctx, st, st.Subjects, []encoding.RowFeatures{f}, study.Test)
		if err != nil {
			return err
		}
		model := *e // the model in the place of the tuned one, and the features in that of the base
		score := results.FeatureScore{Name: name, Model: "tuned"}
		if e.Tuned == nil {
			model.Tuned, score.Model = e.Base, "base"
		}
		b, test, err := model.against(ctx, indices, predicted, study.GroupsOf(e.Groups, indices))
		if err != nil {
			return err
		}
		score.ModelScore = fromBootstrap(b, nil, func(g stats.GroupScore) stats.Score { return g.Base })
		model.Margins = nil // of tuned against base
		score.Less = model.delta(b, test)
		score.Less.AuditoryNonInferiority = nil // likewise
		e.Summary.Test.Features = append(e.Summary.Test.Features, score)
		e.own = append(e.own, ownFeatures{name, predicted})
	}
	return nil
}

// checkFeatures returns an error for features that the data set does not have, before anything is computed.
func checkFeatures(ctx context.Context, st *study.Study) error {
	for _, name := range st.Experiment.Eval.Features {
		for _, story := range st.StoriesOf(study.Train, study.Test) {
			if _, _, err := encoding.Own(st, name)(ctx, "", story); err != nil {
				return err
			}
		}
	}
	return nil
}
