package huthbox

import (
	"crypto/md5"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/imports"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/labtest"
)

// release makes the folder of the release with some of the laboratory files, by their names there, and recordings.
func release(t *testing.T, files map[string]string, seconds map[string]float64) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "box")
	for to, from := range files {
		content, err := os.ReadFile(filepath.Join(labtest.Dir(t), from))
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, to)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, to), content, 0o600))
	}
	for story, s := range seconds {
		path := filepath.Join(dir, "story_data", "story_audio", story+".wav")
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, audio.WriteWAV(path, make([]float32, int(s*audio.Rate)), audio.Rate, audio.PCM16))
	}
	return dir
}

const (
	responsesFile = "responses/full_responses/UTS03_responses.jbl"
	clocksFile    = "story_data/trfiles_huge.jbl"
)

var long = map[string]float64{"souls": 44, "avatar": 36, "wheretheressmoke": 44}

// All stories of a dictionary are read as they are, compressed or not, linked or copied.
func TestADictionaryOfStoriesIsImported(t *testing.T) {
	shape, want := labtest.Truth(t, "X")
	for file, inPlace := range map[string]bool{"joblib/UTS00_responses.jbl": true, "old/joblib101.jbl": true,
		"joblib/UTS00_responses.jbl.gz": false, "joblib/UTS00_responses.jbl.lz4": false, "joblib/protocol2.jbl": true} {
		dir := release(t, map[string]string{responsesFile: file,
			clocksFile: "joblib/trfiles_huge.jbl", "rois_S03.jbl": "joblib/rois_S03.jbl"}, long)
		for _, link := range []bool{false, true} {
			f, err := Find(t.Context(), dir, nil, []string{"souls", "avatar"}, nil)
			require.NoError(t, err, file)
			out := filepath.Join(t.TempDir(), "out")
			_, err = f.Import(t.Context(), imports.Options{Dir: out, Link: link})
			if link && !inPlace {
				faulttest.Require(t, fault.BadData, err, "cannot be read where they lie")
				continue
			}
			require.NoError(t, err, file)
			d, err := dataset.Open(out)
			require.NoError(t, err)
			m, err := d.ReadResponses(t.Context(), "UTS03", "souls")
			require.NoError(t, err)
			require.Equal(t, shape, []int{m.Rows, m.Voxels})
			for i, x := range want {
				require.Equal(t, float32(x), m.Data[i])
			}
			m, err = d.ReadResponses(t.Context(), "UTS03", "avatar")
			require.NoError(t, err)
			require.Equal(t, 8, m.Rows)
			clock, err := d.Clock("souls")
			require.NoError(t, err)
			assert.InDelta(t, 11, clock.Time(0), 1e-9)
			columns, err := d.ROI(t.Context(), "AC", "UTS03", 7)
			require.NoError(t, err)
			assert.Equal(t, []int{0, 2}, columns)
			assert.True(t, d.Spec().Trimmed)
		}
	}
}

// What is no story is left out with the reason.
func TestWhatIsNoStoryOfTheRelease(t *testing.T) {
	dir := release(t, nil, map[string]float64{"fortran": 30})
	content, err := os.ReadFile("../../../joblib/testdata/kinds.jbl")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "UTS03_responses.jbl"), content, 0o600))
	f, err := Find(t.Context(), dir, nil, []string{"fortran"}, nil)
	require.NoError(t, err)
	var why []string
	for _, l := range f.LeftOut {
		why = append(why, l.Why)
	}
	assert.Contains(t, why, "7 (5) float64 is no matrix of rows × voxels")
	assert.Contains(t, why, "text is text")
}

func TestClocksAreToldAndCompared(t *testing.T) {
	files := map[string]string{responsesFile: "joblib/UTS00_responses.jbl", clocksFile: "joblib/trfiles_huge.jbl"}
	f, err := Find(t.Context(), release(t, files, long), nil, nil, nil)
	require.NoError(t, err)
	how := map[string]string{}
	for _, r := range f.Subjects[0].Responses {
		how[r.Story] = r.Derived
	}
	assert.Equal(t,
		"trtimes[10] 20.000 − soundstarttime 10.000 = 10.000 s; brain_finetune.py takes 20.000 s, without the "+
			"start of the sound", how["souls"])
	assert.Equal(t, "row 0 at second 10, as in ds003020", how["wheretheressmoke"], "of which trfiles has none")
	assert.Contains(t, f.Notes, "trfiles has no times of story wheretheressmoke: row 0 is taken to begin at second 10")

	_, err = Find(t.Context(), release(t, files, map[string]float64{"souls": 30, "avatar": 36}), nil, nil, nil)
	faulttest.Require(t, fault.BadData, err, "12 rows end at second 34 of the recording, which has 30.00 s")
	files[responsesFile] = "joblib/fortran.jbl"
	f, err = Find(t.Context(), release(t, files, long), nil, nil, nil)
	require.NoError(t, err)
	assert.False(t, f.Subjects[0].Responses[0].InPlace)
	_, err = Find(t.Context(), release(t, files, nil), nil, nil, nil)
	faulttest.Require(t, fault.Missing, err, "no story has a recording")
	_, err = Find(t.Context(), release(t, map[string]string{clocksFile: "joblib/trfiles_huge.jbl"}, long), nil, nil,
		nil)
	faulttest.Require(t, fault.Missing, err, "there are no responses (SUBJECT_responses.jbl)")
	_, err = Find(t.Context(), release(t, map[string]string{responsesFile: "joblib/object_array.jbl"}, long), nil,
		nil, nil)
	faulttest.Require(t, fault.BadData, err, "object")
	f, err = Find(t.Context(), release(t, map[string]string{responsesFile: "joblib/f4.jbl"}, nil), nil, nil,
		[]string{release(t, nil, long)})
	require.NoError(t, err)
	assert.Len(t, f.Stories, 3)
	assert.Contains(t, f.Guessed[0], "there is no trfiles_huge.jbl")
}

// The digest of a file of many stories is compared before the first is read.
func TestTheDigestOfADictionaryIsCompared(t *testing.T) {
	dir := release(t, map[string]string{responsesFile: "joblib/UTS00_responses.jbl"}, long)
	file := filepath.Join(dir, responsesFile)
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	key := fmt.Sprintf("MD5E-s%d--%x.jbl", len(content), md5.Sum(content))
	object := filepath.Join(dir, ".git", "annex", "objects", "a", "b", key, key)
	require.NoError(t, os.MkdirAll(filepath.Dir(object), 0o755))
	require.NoError(t, os.Remove(file))
	require.NoError(t, os.Symlink(filepath.Join("..", "..", ".git", "annex", "objects", "a", "b", key, key), file))
	for _, flip := range []byte{0, 1} {
		content[len(content)-200] ^= flip
		require.NoError(t, os.WriteFile(object, content, 0o600))
		f, err := Find(t.Context(), dir, nil, nil, nil)
		require.NoError(t, err)
		record, err := f.Import(t.Context(), imports.Options{Dir: filepath.Join(t.TempDir(), "out")})
		if flip == 1 {
			faulttest.Require(t, fault.BadData, err, "the content is not what the data set lists: its MD5 is")
			continue
		}
		require.NoError(t, err)
		assert.True(t, record.Files[0].Checked)
	}
}
