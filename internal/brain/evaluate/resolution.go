package evaluate

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// predictBase predicts the test rows from the features of the scored layers, and measures the resolution of these
// predictions: the features of some test audio are read again with another number of windows at once, and predicted by
// the same ridge.
func (b *Baseline) predictBase(ctx context.Context, fs []encoding.RowFeatures) error {
	st := b.Study
	if st.Experiment.Train.Mode == experiment.TrainReadout { // nothing is compared that is nearly the same
		var err error
		b.Base, err = encoding.Predict(ctx, st, st.Subjects, fs, study.Test)
		return err
	}
	again, err := encoding.ReadAgain(ctx, st, fs)
	if err != nil {
		return err
	}
	predicted, err := encoding.PredictFrom(ctx, st, st.Subjects, fs, [][]encoding.RowFeatures{fs, again}, study.Test)
	if err != nil {
		return err
	}
	b.Base, b.Resolution = predicted[0], make([]float64, len(st.Subjects))
	for i, p := range st.Subjects {
		x, y := predicted[0][i].Pred, predicted[1][i].Pred
		b.Resolution[i] = stats.Resolution(x, y, stats.Largest(x, p.Voxels))
	}
	return nil
}
