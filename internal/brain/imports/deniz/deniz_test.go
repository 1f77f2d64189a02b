package deniz

import (
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

// recordings makes recordings of some lengths in a folder.
func recordings(t *testing.T, seconds map[string]float64) string {
	t.Helper()
	dir := t.TempDir()
	for story, s := range seconds {
		require.NoError(t, audio.WriteWAV(filepath.Join(dir, story+".wav"), make([]float32, int(s*audio.Rate)),
			audio.Rate,
			audio.PCM16))
	}
	return dir
}

var all = map[string]float64{"story_01": 12, "story_02": 12, "souls": 12, "story_11": 12}

// Rows within the recordings are taken, with the clock that they then have.
func TestStoriesOfHDF5AreImported(t *testing.T) {
	source := filepath.Join(labtest.Dir(t), "gallant")
	opt := Options{Folders: []string{recordings(t, all)}, Names: map[string]string{"story_03": "souls"}}
	for _, allRows := range []bool{false, true} {
		opt.AllRows = allRows
		f, err := Find(t.Context(), source, opt)
		require.NoError(t, err)
		assert.Equal(t, []string{"subject01"}, []string{f.Subjects[0].Name})
		out := filepath.Join(t.TempDir(), "out")
		_, err = f.Import(t.Context(), imports.Options{Dir: out})
		require.NoError(t, err)
		d, err := dataset.Open(out)
		require.NoError(t, err)
		assert.Equal(t, []string{"souls", "story_01", "story_02", "story_11"}, d.Stories())
		for story, array := range map[string]string{"souls": "story_03", "story_02": "story_02",
			"story_11": "story_11"} {
			file, repeats := "subject01_listening_fmri_data_trn.hdf", 1
			if story == "story_11" {
				file, repeats = "subject01_listening_fmri_data_val.hdf", 2
			}
			m, err := d.ReadResponses(t.Context(), "subject01", story)
			require.NoError(t, err)
			first, rows := 5, 5 // of 12: 12 s of sound begin with row 5
			if allRows {
				first, rows = 0, 12
			}
			require.Equal(t, [3]int{repeats, rows, 7}, [3]int{m.Repeats, m.Rows, m.Voxels}, story)
			from, err := imports.OpenArray(filepath.Join(source, file), array)(t.Context())
			require.NoError(t, err)
			row := make([]float64, 7)
			for k := range repeats * 12 {
				require.NoError(t, from.Next(row))
				if at := k%12 - first; at >= 0 && at < rows {
					for v, x := range row {
						require.Equal(t, float32(x), m.Row(k/12, at)[v])
					}
				}
			}
			require.NoError(t, from.Close())
			clock, err := d.Clock(story)
			require.NoError(t, err)
			assert.InDelta(t, 2.0045*(float64(first)-5+.5), clock.Time(0), 1e-9)
		}
		assert.Equal(t, []string{"story_11"}, f.Splits.Test)
		assert.Equal(t, []string{"story_02"}, f.Splits.Val)
	}
}

func TestAReportGivesTheClock(t *testing.T) {
	source := t.TempDir()
	for _, file := range []string{"gallant/subject01_listening_fmri_data_trn.hdf", "text/souls.report"} {
		content, err := os.ReadFile(filepath.Join(labtest.Dir(t), file))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(source, filepath.Base(file)), content, 0o600))
	}
	opt := Options{Folders: []string{recordings(t, all)}, Names: map[string]string{"story_03": "souls"}}
	_, err := Find(t.Context(), source, opt)
	faulttest.Require(t, fault.BadData, err, "story souls has 12 rows, its report 30 triggers")
	opt.Stories = []string{"story_0*"}
	f, err := Find(t.Context(), source, opt)
	require.NoError(t, err)
	assert.Contains(t, f.Guessed[0], "second -10.0225")
	assert.Empty(t, f.Splits.Test)
}

// What is no story is left out with the reason.
func TestWhatIsNoStoryOfDeniz(t *testing.T) {
	source := recordings(t, map[string]float64{"fortran": 12})
	content, err := os.ReadFile("../../../joblib/testdata/kinds.jbl") // whatever its name, it is read as what it is
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(source, "s1_listening_fmri_data_trn.hdf"), content, 0o600))
	f, err := Find(t.Context(), source, Options{AllRows: true, Stories: []string{"fortran"}})
	require.NoError(t, err)
	var why []string
	for _, l := range f.LeftOut {
		why = append(why, l.Why)
	}
	assert.Contains(t, why, "7 (5) float64 is no matrix of rows × voxels")
	assert.Contains(t, why, "text is text")
}

func TestWhatIsNotThere(t *testing.T) {
	source := filepath.Join(labtest.Dir(t), "gallant")
	_, err := Find(t.Context(), source, Options{})
	faulttest.Require(t, fault.Missing, err,
		"no story has a recording: there are story_01, story_02, story_03, story_11")
	_, err = Find(t.Context(), source, Options{Modality: "reading"})
	faulttest.Require(t, fault.Missing, err, "there are no responses (SUBJECT_reading_fmri_data_trn.hdf")
	_, err = Find(t.Context(), source, Options{Folders: []string{recordings(t, map[string]float64{"story_01": 1})}})
	faulttest.Require(t, fault.BadData, err, "none of 12 rows lies within the recording of 1.00 s")
	assert.Equal(t, "subject01_listening_fmri_data_trn.hdf is there", Claims(source))
	assert.Empty(t, Claims(t.TempDir()))
}
