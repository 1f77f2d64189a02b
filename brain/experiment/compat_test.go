package experiment

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCompatPaper(t *testing.T) {
	e, err := load(t, enough+"compat: paper\n")
	require.NoError(t, err)
	assert.Equal(t, "first", e.Model.Token)
	assert.Equal(t, "none", e.Model.Normalise)
	assert.Equal(t, 0, e.Train.HaloTRs)
	assert.Equal(t, 0.1, e.Train.Dropout)
	assert.Equal(t, 0.05, e.Train.LayerDrop)
	assert.Equal(t, 0.05, e.Train.SpecAugment)
	assert.True(t, e.Compat.ClipLanczos && e.Compat.BlockZScore && e.Compat.FirstBlockVal && e.Compat.ShrunkenLossR && e.Compat.TimesAtTRStarts)
	assert.Equal(t, FromCompat, e.Origin("model.token"))
	assert.Equal(t, FromFile, e.Origin("compat"))
	assert.Equal(t, FromDefault, e.Origin("train.lr"))
}

func TestEverySwitchIsInTheTable(t *testing.T) {
	all := reflect.ValueOf(Paper())
	require.Equal(t, all.NumField(), len(switches))
	for i := range all.NumField() {
		assert.True(t, all.Field(i).Bool(), all.Type().Field(i).Name)
	}
}

func TestGivenKeysWinOverCompat(t *testing.T) {
	for _, text := range []string{
		"compat: paper\n" + enough + "train: {halo_trs: 6}\n",
		enough + "train: {halo_trs: 6}\ncompat: paper\n",
	} {
		e, err := load(t, text, "model.token=mean")
		require.NoError(t, err)
		assert.Equal(t, 6, e.Train.HaloTRs)
		assert.Equal(t, "mean", e.Model.Token)
		assert.Equal(t, "none", e.Model.Normalise)
		assert.Equal(t, FromFile, e.Origin("train.halo_trs"))
		assert.Equal(t, FromSet, e.Origin("model.token"))
	}
}

func TestSingleSwitches(t *testing.T) {
	e, err := load(t, enough+"compat: [no_halo, clip_lanczos]\n")
	require.NoError(t, err)
	assert.Equal(t, Compat{NoHalo: true, ClipLanczos: true}, e.Compat)
	assert.Equal(t, 0, e.Train.HaloTRs)
	assert.Equal(t, "last", e.Model.Token)
	assert.Equal(t, "[no_halo, clip_lanczos]", e.Compat.String())

	require.NoError(t, e.Set("compat=first_token"))
	assert.Equal(t, Compat{FirstToken: true}, e.Compat)
	assert.Equal(t, 4, e.Train.HaloTRs, "a switch that is off again leaves the default behind")
	assert.Equal(t, FromDefault, e.Origin("train.halo_trs"))
	require.NoError(t, e.Set("compat=none"))
	assert.Equal(t, "last", e.Model.Token)
	assert.Equal(t, "none", e.Compat.String())
}
