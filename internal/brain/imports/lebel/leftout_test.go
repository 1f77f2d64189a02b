package lebel

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/brain/imports"
)

// Stories without a length, words that are not there, masks that are not there and subjects without stories are told.
func TestWhatIsLeftOutOfTheDataSet(t *testing.T) {
	source := smallTree(t)
	derivative := filepath.Join(source, "derivative")
	require.NoError(t, os.WriteFile(filepath.Join(derivative, "respdict.json"),
		[]byte(`{"avatar": 35, "wheretheressmoke": 40}`), 0o600))
	require.NoError(t, os.Remove(filepath.Join(derivative, "TextGrids", "avatar.TextGrid")))
	require.NoError(t, os.RemoveAll(filepath.Join(derivative, "pycortex-db", "UTS00", "transforms")))
	f, err := Find(t.Context(), source, nil, nil)
	require.NoError(t, err)
	assert.Equal(t, []imports.LeftOut{{File: "stimuli/souls.wav",
		Why: "respdict.json has no length of story souls, which is left out"}}, f.LeftOut)
	for _, note := range []string{"story avatar has no TextGrid, so no words",
		"subject UTS00 has no mask (pycortex-db), so that maps cannot be drawn",
		"subject UTS01 has responses to none of the stories, and is left out"} {
		assert.Contains(t, f.Notes, note)
	}
	require.Len(t, f.Stories, 2)
	assert.Equal(t, []string{"avatar", ""}, []string{f.Stories[0].Name, f.Stories[0].Words})
	assert.NotEmpty(t, f.Stories[1].Words)
	require.Len(t, f.Subjects, 1)
	assert.Nil(t, f.Subjects[0].Mask)
}
