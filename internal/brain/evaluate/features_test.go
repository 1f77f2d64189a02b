package evaluate_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/sim"
)

// Features of the data set that are those of the untuned model have its score: they are standardised, delayed and
// fitted alike.
func TestOwnFeaturesThatAreTheModelsScoreAsTheModel(t *testing.T) {
	own := dataset.Features{Name: "own"}
	st := studytest.Tiny(t, study.Options{}, nil)
	for _, story := range studytest.TinyStories {
		own.Stories = append(own.Stories, dataset.Response{Story: story, Matrix: dataset.Input[*dataset.Matrix]{
			Load: func(ctx context.Context) (*dataset.Matrix, error) {
				x, channels, err := encoding.Represent(ctx, st, nil, story)
				if err != nil {
					return nil, err
				}
				return dataset.NewMatrix(len(x)/channels, channels, x), nil
			}}})
	}
	with := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
		s.Features, e.Eval.Features = []dataset.Features{own}, []string{"own"}
	})
	dir := t.TempDir()
	s, err := evaluate.Evaluate(t.Context(), with, nil, dir)
	require.NoError(t, err)
	require.Len(t, s.Test.Features, 1)
	f := s.Test.Features[0]
	assert.Greater(t, s.Test.Base.MeanR, .1)
	assert.InDelta(t, s.Test.Base.MeanR, f.MeanR, 1e-5)
	assert.InDelta(t, s.Test.Base.ROIs["front"], f.ROIs["front"], 1e-5)
	assert.Equal(t, "base", f.Model)
	assert.InDelta(t, 0, f.Less.MeanR, 1e-5)
	assert.FileExists(t, filepath.Join(dir, "test", "ada", "features_own_pred.npy"))
	plain, err := evaluate.Evaluate(t.Context(), st, nil, "")
	require.NoError(t, err)
	assert.Equal(t, plain.Test.Base, s.Test.Base, "the model's scores stay as they were")

	short := dataset.Features{Name: "short", Stories: []dataset.Response{{Story: "one",
		Matrix: dataset.Value(dataset.NewMatrix(3, 1, make([]float32, 3)))}}}
	bad := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
		s.Features, e.Eval.Features = []dataset.Features{short}, []string{"short"}
	})
	_, err = evaluate.Evaluate(t.Context(), bad, nil, "")
	faulttest.Require(t, fault.BadData, err, "3 rows of story one, its responses have 40")
}

// In clips whose responses follow planted components, features that are the signal predict all of it, labels the part
// that categories share, and both nothing where responses are noise.
func TestOwnFeaturesInAPlantedStudyOfClips(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	scores := func(null bool) (signal, labels map[string]float64) {
		opt := sim.EventOptions{Seed: 2, TuneClips: 120, Channels: 20}
		truth, err := sim.NewEvents(opt)
		require.NoError(t, err)
		opt.Null = null
		st := clipsWith(t, opt, func(e *experiment.Experiment, s *dataset.Spec) {
			s.Features = []dataset.Features{{Name: "signal", Stories: []dataset.Response{{Matrix: dataset.Value(
				dataset.NewMatrix(len(s.Events), opt.Channels, truth.Signal))}}}}
			e.Eval.Features = []string{"signal", "category"}
		})
		s, err := evaluate.Evaluate(t.Context(), st, nil, "")
		require.NoError(t, err)
		require.Len(t, s.Test.Features, 2)
		t.Log(s.Test.Base.ROIs, s.Test.Features[0].ROIs, s.Test.Features[1].ROIs)
		return s.Test.Features[0].ROIs, s.Test.Features[1].ROIs
	}
	signal, labels := scores(false)
	assert.Greater(t, signal[sim.Semantic], .7)
	assert.Greater(t, signal[sim.Auditory], .7)
	assert.InDelta(t, 0, signal[sim.Noise], .2)
	assert.Greater(t, labels[sim.Semantic], .3)
	assert.Less(t, labels[sim.Semantic], signal[sim.Semantic]-.1)
	signal, labels = scores(true)
	assert.InDelta(t, 0, signal[sim.Semantic], .15)
	assert.InDelta(t, 0, labels[sim.Semantic], .15)
}
