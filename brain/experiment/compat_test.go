package experiment

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCompatRelease(t *testing.T) {
	e, err := load(t, enough+"compat: release\n")
	require.NoError(t, err)
	assert.Equal(t, PoolFirst, e.Model.Pooling)
	assert.Equal(t, NormaliseNone, e.Model.Normalise)
	assert.Equal(t, 0, e.Train.ContextRows)
	assert.Equal(t, 0.1, e.Train.Dropout)
	assert.Equal(t, 0.05, e.Train.LayerDrop)
	assert.Equal(t, 0.05, e.Train.SpecAugment)
	assert.True(t, e.Compat.ClipLanczos && e.Compat.BlockZScore && e.Compat.ConstantRowGradient &&
		e.Compat.ShrunkenLossR && e.Compat.TimesAtTRStarts)
	assert.Equal(t, "story_mean", e.Train.EpochBy)
	assert.Equal(t, "listed", e.Train.Order)
	assert.Equal(t, "keep", e.Train.LastBlock)
	assert.True(t, e.Train.Convolutions)
	assert.Equal(t, "uniform", e.Readout.Bias)
	assert.Equal(t, [2]int{}, e.Data.Trim)
	assert.Equal(t, ZScoreNone, e.Data.ZScore)
	assert.Equal(t, "story", e.Eval.ZScore)
	assert.Equal(t, "whole", e.Eval.Chunks)
	assert.Equal(t, "smaller", e.Eval.Ties)
	assert.Equal(t, "r", e.Eval.Metric)
	assert.False(t, e.Eval.Intercept)
	assert.True(t, e.Eval.ReuseAlphas)
	assert.Equal(t, FromCompat, e.Origin("model.pooling"))
	assert.Equal(t, FromFile, e.Origin("compat"))
	assert.Equal(t, FromDefault, e.Origin("train.lr"))
}

func TestEverySwitchIsInTheTable(t *testing.T) {
	all := reflect.ValueOf(Release())
	require.Equal(t, all.NumField(), len(switches))
	for i := range all.NumField() {
		assert.True(t, all.Field(i).Bool(), all.Type().Field(i).Name)
	}
}

func TestGivenKeysWinOverCompat(t *testing.T) {
	for _, text := range []string{
		"compat: release\n" + enough + "train: {context_rows: 6}\n",
		enough + "train: {context_rows: 6}\ncompat: release\n",
	} {
		e, err := load(t, text, "model.pooling=mean")
		require.NoError(t, err)
		assert.Equal(t, 6, e.Train.ContextRows)
		assert.Equal(t, PoolMean, e.Model.Pooling)
		assert.Equal(t, NormaliseNone, e.Model.Normalise)
		assert.Equal(t, FromFile, e.Origin("train.context_rows"))
		assert.Equal(t, FromSet, e.Origin("model.pooling"))
	}
}

func TestSingleSwitches(t *testing.T) {
	e, err := load(t, enough+"compat: [no_context, clip_lanczos]\n")
	require.NoError(t, err)
	assert.Equal(t, Compat{NoContext: true, ClipLanczos: true}, e.Compat)
	assert.Equal(t, 0, e.Train.ContextRows)
	assert.Equal(t, PoolLast, e.Model.Pooling)
	assert.Equal(t, "[no_context, clip_lanczos]", e.Compat.String())

	require.NoError(t, e.Set("compat=first_frame"))
	assert.Equal(t, Compat{FirstFrame: true}, e.Compat)
	assert.Equal(t, 4, e.Train.ContextRows, "a switch that is off again leaves the default behind")
	assert.Equal(t, FromDefault, e.Origin("train.context_rows"))
	require.NoError(t, e.Set("compat=none"))
	assert.Equal(t, PoolLast, e.Model.Pooling)
	assert.Equal(t, "none", e.Compat.String())
}
