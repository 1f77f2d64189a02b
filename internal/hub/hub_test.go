package hub

import (
	"io/fs"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

func TestNamesOfTheHubAreToldFromFolders(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"microsoft/wavlm-base-plus", "facebook/wav2vec2-large-960h", "me/my_model.v2"} {
		err := Check("open model", name)
		assert.Equal(t, fault.Missing, fault.KindOf(err))
		assert.ErrorIs(t, err, fs.ErrNotExist)
		assert.ErrorContains(t, err, "`hf download "+name+" --local-dir "+name+"`")
	}
	for _, path := range []string{"wavlm", "models/wavlm/base", "./models/wavlm", "../models/wavlm", "/models/wavlm",
		"a/b c", "a/", "", "a/-b", "a/b;rm"} {
		assert.NoError(t, Check("open model", path), path)
	}
	for name, model := range map[string]string{"wavlm-base-plus": "microsoft/wavlm-base-plus",
		"models/wavlm-base-plus": "microsoft/wavlm-base-plus", "../m/whisper-tiny.en": "openai/whisper-tiny.en",
		"me/hubert-base-ls960": "facebook/hubert-base-ls960"} {
		err := Check("open model", name)
		assert.ErrorIs(t, err, fs.ErrNotExist)
		assert.ErrorContains(t, err, "there is no such folder; fetch the model: `hf download "+
			model+" --local-dir "+name+"`")
	}
	require.NoError(t, os.MkdirAll("microsoft/wavlm-base-plus", 0o755))
	assert.NoError(t, Check("open model", "microsoft/wavlm-base-plus"), "it was fetched")
	require.NoError(t, os.Symlink("nowhere", "microsoft/link"))
	assert.NoError(t, Check("open model", "microsoft/link"), "a dangling link is named as such elsewhere")
	elsewhere := t.TempDir() + "/facebook/hubert"
	err := CheckAt("open model", "facebook/hubert", elsewhere)
	assert.ErrorContains(t, err, "open model: facebook/hubert: ")
	assert.ErrorContains(t, err, "`hf download facebook/hubert --local-dir "+elsewhere+"`")
	assert.NoError(t, CheckAt("open model", elsewhere, elsewhere), "a path")
}
