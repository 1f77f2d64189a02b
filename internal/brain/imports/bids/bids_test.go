package bids

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/bidsdata"
	"github.com/brainwavlm/bwlm/internal/brain/imports"
	"github.com/brainwavlm/bwlm/internal/clean"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/labtest"
	"github.com/brainwavlm/bwlm/internal/nifti"
)

const rate = 4000 // of recordings

// tree makes the files of a folder. A name that ends in .wav has a number of seconds for its text.
func tree(t testing.TB, files map[string]string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "ds")
	for name, text := range files {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		if strings.HasSuffix(name, ".wav") {
			var seconds float64
			_, err := fmt.Sscan(text, &seconds)
			require.NoError(t, err)
			samples := make([]float32, int(seconds*rate))
			for i := range samples {
				samples[i] = float32(i%(5+len(name))) / 100
			}
			require.NoError(t, audio.WriteWAV(path, samples, rate, audio.PCM16))
			continue
		}
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return root
}

// bold is an image of 2 × 2 × 1 voxels; value v of row k is 100·(v+1) + noise.
func bold(rows int, tr float64, seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 1))
	values := make([]float32, rows*4)
	for i := range values {
		values[i] = float32(100*(i%4+1)) + float32(r.NormFloat64())
	}
	var b bytes.Buffer
	if _, err := nifti.NewFloat([]int{2, 2, 1, rows}, [3][4]float64{{2}, {0, 2}, {0, 0, 2}},
		values).WriteTo(&b); err != nil {
		panic(err)
	}
	binary.LittleEndian.PutUint32(b.Bytes()[92:], math.Float32bits(float32(tr))) // pixdim[4]
	return b.String()
}

func mask(in ...float32) string {
	var b bytes.Buffer
	if _, err := nifti.NewFloat([]int{2, 2, 1}, [3][4]float64{{2}, {0, 2}, {0, 0, 2}}, in).WriteTo(&b); err != nil {
		panic(err)
	}
	return b.String()
}

// made imports a folder and opens what was made.
func made(t testing.TB, source string, o Options) (string, *imports.Found, *dataset.Dataset) {
	t.Helper()
	found, err := Find(t.Context(), source, o)
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "out")
	_, err = found.Import(t.Context(), imports.Options{Dir: dir})
	require.NoError(t, err)
	d, err := dataset.Open(dir)
	require.NoError(t, err)
	return dir, found, d
}

const head = "onset\tduration\ttrial_type\tstim_file\n"

// narratives is a folder as that of Narratives: subjects 001, 002 and 038 heard milkyway, of which 038 began early.
func narratives(t testing.TB) map[string]string {
	t.Helper()
	early, err := os.ReadFile(filepath.Join(labtest.Dir(t), "real/ds002345_sub-038_task-milkyway_events.tsv"))
	require.NoError(t, err)
	files := map[string]string{"task-milkyway_bold.json": `{"RepetitionTime": 1.5}`,
		"dataset_description.json":               `{"Name": "Narratives", "License": "CC0", "DatasetDOI": "10.1/x"}`,
		"stimuli/milkywayvodka_audio.wav":        "438",
		"stimuli/gentle/milkywayvodka/align.csv": "I,i,21.5,21.7\nsaw,,,\nthe,the,22.0,22.2\n"}
	for i, subject := range []string{"001", "002", "038"} {
		events := head + "0.0\t18.0\tmusic\tmilkywayvodka_audio.wav\n21.0\t404.0\tstory\tmilkywayvodka_audio.wav\n"
		if subject == "038" {
			events = string(early)
		}
		name := "sub-" + subject + "/func/sub-" + subject + "_task-milkyway_"
		files[name+"events.tsv"] = events
		files["derivatives/fmriprep/"+name+"space-M_desc-preproc_bold.nii"] = bold(297, 1.5, uint64(i))
		files["derivatives/fmriprep/"+name+"space-M_desc-brain_mask.nii"] = mask(1, 1, 1, float32(i%2))
	}
	return files
}

func TestSubjectsWhoStartedEarlyHaveTheClockOfTheStory(t *testing.T) {
	dir, found, d := made(t, tree(t, narratives(t)), Options{})
	assert.Equal(t, []any{"CC0", "Narratives 10.1/x", 1.5, .5}, []any{d.Licence(), d.Citation(), d.TR(),
		d.RowTime()})
	assert.Equal(t, []string{"milkywayvodka", "milkywayvodka@6"}, d.Stories())
	first, err := d.Clock("milkywayvodka")
	require.NoError(t, err)
	assert.Zero(t, first.First, "the recording begins with its music")
	assert.Equal(t, []string{"milkywayvodka@6"}, d.StoriesOf("sub-038"))
	early, err := d.Clock("milkywayvodka@6")
	require.NoError(t, err)
	assert.InDelta(t, 6, early.First, 1e-9)
	words, err := d.Words(t.Context(), "milkywayvodka")
	require.NoError(t, err)
	require.Len(t, words, 2, "one was not aligned")
	assert.Equal(t, "I", words[0].Text)
	assert.Contains(t, strings.Join(found.Notes, "\n"), "but 21 s in 2 of 3 subjects: theirs holds")

	for subject, voxels := range map[string]int{"sub-001": 3, "sub-002": 4} {
		m, err := d.OpenResponses(t.Context(), subject, "milkywayvodka")
		require.NoError(t, err)
		assert.Equal(t, []int{297, voxels}, []int{m.Rows, m.Columns}, "each has its own mask")
		row := make([]float32, voxels)
		require.NoError(t, m.ReadRows(t.Context(), 0, 0, 1, row))
		for i, want := range []float32{100, 300, 200, 400}[:voxels] { // y runs faster than x
			assert.InDelta(t, want, row[i], 9)
		}
		p, err := d.Places(t.Context(), subject)
		require.NoError(t, err)
		v, err := nifti.Read(p.Mask)
		require.NoError(t, err)
		assert.Len(t, v.Float32(), 4)
	}
	var record imports.Record
	text, err := os.ReadFile(filepath.Join(dir, "import.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &record))
	require.Len(t, record.Files, 3)
	assert.Contains(t, record.Found.Subjects[2].Responses[0].Derived,
		"21 s into milkywayvodka_audio.wav: row 0 begins "+
			"at 6 s of it")
}

// Recordings that no event names are told, unless only a part of the folder was looked at.
func TestRecordingsWithoutEventsAreTold(t *testing.T) {
	files := narratives(t)
	files["stimuli/sub/Other.wav"] = "5"
	root := tree(t, files)
	for want, o := range map[bool]Options{true: {}, false: {Tasks: []string{"milkyway"}}} {
		found, err := Find(t.Context(), root, o)
		require.NoError(t, err)
		assert.Equal(t, want, slices.Contains(found.Notes, "there are recordings without responses: Other.wav"),
			found.Notes)
		assert.NotContains(t, strings.Join(found.Notes, "\n"), "without responses: milky")
	}
}

func TestRecordingsAreComparedWithEvents(t *testing.T) {
	files := narratives(t)
	files["stimuli/milkywayvodka_audio.wav"] = "400"
	_, err := Find(t.Context(), tree(t, files), Options{})
	faulttest.Require(t, fault.BadData, err, "lasts 400.00 s, but events say that the story ends at 425.00 s of it")
	delete(files, "stimuli/milkywayvodka_audio.wav")
	_, err = Find(t.Context(), tree(t, files), Options{})
	faulttest.Require(t, fault.Missing, err, "no story has its recording: milkywayvodka_audio.wav is not below")
	files["other/x.wav"] = "438"
	root := tree(t, files)
	given := filepath.Join(root, "other/x.wav") // which is clear where events name one that is not there
	found, err := Find(t.Context(), root, Options{Audio: []string{"milkyway=" + given}})
	require.NoError(t, err)
	require.Len(t, found.Stories, 1)
	assert.Equal(t, given, found.Stories[0].Audio)
	assert.Contains(t, strings.Join(found.Notes, "\n"), "scans: milkywayvodka_audio.wav, which events name, is not "+
		"there: "+given+" is taken, as given")
	scans := []bidsdata.Scan{{Task: "a", Audio: "1.wav"}, {Task: "a", Audio: "2.wav"}, {Task: "b", Audio: "1.wav"}}
	assert.Equal(t, map[string]string{"b": "y"}, onlyOne(map[string]string{"a": "x", "b": "y", "c": "z"}, scans))
	_, err = Find(t.Context(), root, Options{Audio: []string{"nothing=x.wav"}})
	faulttest.Require(t, fault.Usage, err, "no time series of the task nothing", "the tasks are milkyway")
	_, err = Find(t.Context(), root, Options{Subjects: []string{"sub-9*"}})
	faulttest.Require(t, fault.Missing, err, "there is no subject 9*")
}

// Two parts of a recording in one scan, as slumlordreach has them, and head motion that is cut likewise.
func TestSeveralStoriesOfAScan(t *testing.T) {
	table := "trans_x\ttrans_y\ttrans_z\trot_x\trot_y\trot_z\n"
	for i := range 100 {
		table += fmt.Sprintf("%g\t0\t0\t0\t0\t%g\n", float64(i)/100, math.Sin(float64(i)))
	}
	func_ := "sub-1/func/sub-1_task-reach_"
	root := tree(t, map[string]string{"stimuli/reach_audio.wav": "150", func_ + "events.tsv": head +
		"4.5\t10\tmusic\treach_audio.wav\n14.5\t40\tstory\treach_audio.wav\n" +
		"60.5\t10\tmusic\treach_audio.wav\n70.5\t60\tstory\treach_audio.wav\n",
		"task-reach_bold.json":                                   `{"RepetitionTime": 1.5}`,
		"derivatives/" + func_ + "desc-preproc_bold.nii":         bold(100, 1.5, 3),
		"derivatives/" + func_ + "desc-confounds_timeseries.tsv": table})
	_, found, d := made(t, root, Options{})
	assert.Equal(t, []string{"reach_1", "reach_2"}, d.Stories())
	two, err := d.Story("reach_2")
	require.NoError(t, err)
	assert.Equal(t, dataset.SameAs{Story: "reach_1", Row: 37, Audio: two.SameAs.Audio}, *two.SameAs)
	assert.InDelta(t, 66, two.First, 1e-9, "row 47 of the scan, whose recording began at 4.5 s")
	assert.Equal(t, [2]int{10, 63}, found.Subjects[0].Responses[0].Dropped)
	r, err := d.OpenResponses(t.Context(), "sub-1", "reach_2")
	require.NoError(t, err)
	whole := bidsdata.Scan{Form: bidsdata.Form{Kind: bidsdata.Volumes}, Columns: 4, Rows: 100,
		Files: []string{filepath.Join(root, "derivatives", func_+"desc-preproc_bold.nii")}}
	got := make([]float32, r.Rows*4)
	require.NoError(t, r.ReadRows(t.Context(), 0, 0, r.Rows, got))
	require.NoError(t, whole.Each([]int{0, 2, 1, 3}, func(row int, values []float32) error {
		if row >= 47 && row < 47+r.Rows {
			require.Equal(t, values, got[4*(row-47):][:4])
		}
		return nil
	}))
	m, err := d.Motion(t.Context(), "sub-1", "reach_2")
	require.NoError(t, err)
	assert.Equal(t, []int{r.Rows, 6}, []int{m.Rows, m.Voxels})
	assert.InDelta(t, .47, m.Row(0, 0)[0], 1e-6)
}

// Cleaned whole before it is cut.
func TestResponsesAreCleaned(t *testing.T) {
	func_ := "sub-1/func/sub-1_task-a_"
	files := map[string]string{"a.wav": "150",
		func_ + "events.tsv":            head + "0\t20\tstory\ta.wav\n60\t30\tstory\ta.wav\n",
		func_ + "desc-preproc_bold.nii": bold(100, 1.5, 3)}
	root := tree(t, files)
	_, found, d := made(t, root, Options{Clean: clean.Recipe{Polort: 2, Detrend: true}})
	assert.Contains(t, strings.Join(found.Notes, "\n"),
		"sub-1: polort=2,detrend takes out up to 3 dimensions of a run")
	whole := bidsdata.Scan{Form: bidsdata.Form{Kind: bidsdata.Volumes}, Columns: 4, Rows: 100,
		Files: []string{filepath.Join(root, func_+"desc-preproc_bold.nii")}}
	design, err := clean.New(100, clean.Legendre(100, 2), nil, true)
	require.NoError(t, err)
	c := design.Cleaner(4)
	require.NoError(t, whole.Each([]int{0, 2, 1, 3}, c.Learn))
	for story, from := range map[string]int{"a_1": 0, "a_2": 40} {
		r, err := d.OpenResponses(t.Context(), "sub-1", story)
		require.NoError(t, err)
		got, want := make([]float32, r.Rows*4), make([]float64, 4)
		require.NoError(t, r.ReadRows(t.Context(), 0, 0, r.Rows, got))
		require.NoError(t, whole.Each([]int{0, 2, 1, 3}, func(row int, values []float32) error {
			_, err := c.Apply(row, values, want)
			if k := row - from; k >= 0 && k < r.Rows {
				for i, v := range want {
					require.InDelta(t, v, got[4*k+i], 1e-5)
				}
			}
			return err
		}))
	}
	_, err = Find(t.Context(), root, Options{Clean: clean.Recommended})
	faulttest.Require(t, fault.Missing, err, "there is no table desc-confounds_timeseries.tsv beside it")
}

// Runs of a subject with one clock are repeats, another clock or TR is left out.
func TestRepeatsAndWhatDoesNotBelongTogether(t *testing.T) {
	files := map[string]string{"a.wav": "60"}
	for i, onset := range []string{"3", "3", "9", "3"} {
		name := fmt.Sprintf("sub-1/func/sub-1_task-a_run-%d_", i+1)
		files[name+"events.tsv"] = head + onset + "\t50\tstory\ta.wav\n"
		files[name+"desc-preproc_bold.nii"] = bold(40+i, []float64{1.5, 1.5, 1.5, 1.52}[i], uint64(i))
	}
	_, found, d := made(t, tree(t, files), Options{})
	r, err := d.OpenResponses(t.Context(), "sub-1", "a")
	require.NoError(t, err)
	assert.Equal(t, []int{2, 40, 4}, []int{r.Repeats, r.Rows, r.Columns})
	a, b := make([]float32, 4), make([]float32, 4)
	require.NoError(t, r.ReadRows(t.Context(), 0, 39, 40, a))
	require.NoError(t, r.ReadRows(t.Context(), 1, 39, 40, b))
	assert.NotEqual(t, a, b)
	require.Len(t, found.LeftOut, 2)
	assert.Contains(t, found.LeftOut[0].Why, "its TR is 1.52 s, that of most scans is 1.5 s")
	assert.Contains(t, found.LeftOut[1].Why,
		"row 0 begins at -9 s of the recording, in an earlier run of the subject at -3")
}

func TestContentThatIsNotThere(t *testing.T) {
	files := narratives(t)
	root := tree(t, files)
	for _, subject := range []string{"001", "002"} {
		file := filepath.Join(root, "derivatives/fmriprep/sub-"+subject+"/func/sub-"+subject+
			"_task-milkyway_space-M_desc-preproc_bold.nii")
		require.NoError(t, os.Remove(file))
		require.NoError(t, os.Symlink("../../../../.git/annex/objects/xx/yy/MD5E-s123456789--"+
			"d41d8cd98f00b204e9800998ecf8427e.nii/MD5E-s123456789--d41d8cd98f00b204e9800998ecf8427e.nii", file))
	}
	found, err := Find(t.Context(), root, Options{})
	require.NoError(t, err)
	assert.Empty(t, found.Subjects)
	faulttest.Require(t, fault.Missing, found.Complete(), "2 files", "246.9 MB", "datalad get -d ")
	found, err = Find(t.Context(), root, Options{Subjects: []string{"038"}})
	require.NoError(t, err, "the others are not needed")
	assert.Len(t, found.Subjects, 1)
	assert.InDelta(t, 6, found.Stories[0].First, 1e-9, "their events are")
}

// A data set has one instant of its rows: the clocks of others are moved.
func TestRowsThatStandForAnotherInstant(t *testing.T) {
	files := map[string]string{"a.wav": "60"}
	for i, subject := range []string{"1", "2", "3"} {
		name := "sub-" + subject + "/func/sub-" + subject + "_task-a_"
		files[name+"events.tsv"] = head + "3\t50\tstory\ta.wav\n"
		files[name+"desc-preproc_bold.nii"] = bold(40, 1.5, uint64(i))
	}
	files["sub-2/func/sub-2_task-a_desc-preproc_bold.json"] = `{"StartTime": 0.6, "SliceTimingCorrected": true}`
	_, found, d := made(t, tree(t, files), Options{})
	assert.Equal(t, .5, d.RowTime())
	require.Len(t, d.StoriesOf("sub-2"), 1)
	own, err := d.Clock(d.StoriesOf("sub-2")[0])
	require.NoError(t, err)
	assert.InDelta(t, .6-3, own.First+own.RowTime*own.TR, 1e-9, "row 0 stands for .6 s of the scan, as before")
	common, err := d.Clock("a")
	require.NoError(t, err)
	assert.InDelta(t, -3, common.First, 1e-9)
	assert.Contains(t, found.Subjects[1].Responses[0].Derived, "a row stands for 0 of its TR, in most scans for 0.5")
}
