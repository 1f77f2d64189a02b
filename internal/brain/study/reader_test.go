package study_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/speech"
)

// TestNoiseOfTheReleaseIsThatOfBasePlus: rates and places of train mode; package wavlm has the counts.
func TestNoiseOfTheReleaseIsThatOfBasePlus(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
		require.NoError(t, e.Set("compat=[model_noise, no_adapter_dropout]"))
	})
	assert.Equal(t, speech.Regularise{Hidden: .1, Attention: .1, Projection: .1, LayerDrop: .05,
		Time: speech.Spans{Prob: .05, Length: 10, Min: 2}}, st.Reader(st.Model).Pass.Regularise)
	assert.Zero(t, st.Experiment.Adapter.Dropout)
}
