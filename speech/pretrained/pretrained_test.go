package pretrained_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/speech/pretrained"
)

func TestMain(m *testing.M) { torchtest.Main(m) }

func TestOpenReadsEachFamily(t *testing.T) {
	for dir, family := range map[string]string{
		"golden/base": "wavlm", "golden/wav2vec2_large": "wav2vec2", "golden/hubert_base": "hubert",
		"weights/data2vec": "data2vec-audio",
	} {
		m, err := pretrained.Open(t.Context(), filepath.Join("../../testdata", dir),
			speech.Options{Device: torchtest.Device()})
		require.NoError(t, err, dir)
		assert.Equal(t, family, m.Architecture().Family)
		m.Close()
	}
}

// What cannot be opened is an error and no encoder, not even a nil one in an interface.
func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	m, err := pretrained.Open(t.Context(), dir, speech.Options{})
	assert.Nil(t, m)
	assert.Equal(t, fault.Missing, fault.KindOf(err))
	_, err = pretrained.Open(t.Context(), "microsoft/wavlm-base-plus", speech.Options{})
	assert.Equal(t, fault.Missing, fault.KindOf(err))
	assert.ErrorContains(t, err, "hf download microsoft/wavlm-base-plus --local-dir microsoft/wavlm-base-plus")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"model_type": "bert"}`), 0o600))
	m, err = pretrained.Open(t.Context(), dir, speech.Options{})
	assert.Nil(t, m)
	assert.ErrorContains(t, err, `model_type "bert", want wavlm, wav2vec2, hubert or data2vec-audio`)
	assert.Equal(t, fault.BadData, fault.KindOf(err))
}

func TestWhatIsNoModelIsSaid(t *testing.T) {
	dir := t.TempDir()
	_, err := pretrained.Open(t.Context(), dir, speech.Options{})
	faulttest.Require(t, fault.Missing, err, dir, "the folder has no config.json", "model.safetensors")
	file := filepath.Join(dir, "WavLM-Base.pt")
	require.NoError(t, os.WriteFile(file, []byte("PK"), 0o644))
	_, err = pretrained.Open(t.Context(), file, speech.Options{})
	faulttest.Require(t, fault.BadData, err, file, "this is a file", "convert the checkpoint")
}
