package bids

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/bidsdata"
	"github.com/brainwavlm/bwlm/internal/brain/imports"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/gifti"
	"github.com/brainwavlm/bwlm/internal/labtest"
)

// laboratory copies files of the laboratory's tree under other names.
func laboratory(t testing.TB, root string, files map[string]string) {
	t.Helper()
	for to, from := range files {
		data, err := os.ReadFile(filepath.Join(labtest.Dir(t), "bids/derivatives", from))
		require.NoError(t, err)
		path := filepath.Join(root, to)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, data, 0o600))
	}
}

// sphere writes a surface of some vertices.
func sphere(t testing.TB, name string, vertices int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	points, triangles := make([]float32, 3*vertices), []int32{}
	for i := range points {
		points[i] = float32(i * i % 17)
	}
	for v := range vertices - 2 {
		triangles = append(triangles, int32(v), int32(v+1), int32(v+2))
	}
	var b strings.Builder
	im := gifti.Image{Arrays: []gifti.Array{gifti.NewFloat(gifti.PointSet, "", []int{vertices, 3}, points),
		gifti.NewInt(gifti.Triangle, "", []int{vertices - 2, 3}, triangles)}}
	_, err := im.WriteTo(&b)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
	return path
}

// The medial wall of a surface that subjects share keeps its columns, which are empty.
func TestMedialWallOfSharedSurfaces(t *testing.T) {
	root := tree(t, map[string]string{"tunnel_audio.wav": "27", "task-tunnel_bold.json": `{"RepetitionTime": 1.5}`,
		"sub-001/func/sub-001_task-tunnel_events.tsv": head + "3\t24\tstory\ttunnel_audio.wav\n"})
	name := "sub-001/func/sub-001_task-tunnel_space-fsaverage6_hemi-%s_desc-clean.func.gii"
	for _, hemi := range []string{"L", "R"} {
		laboratory(t, root, map[string]string{"derivatives/" + fmt.Sprintf(name,
			hemi): "fmriprep/" + fmt.Sprintf(name, hemi)})
	}
	_, err := Find(t.Context(), root, Options{})
	faulttest.Require(t, fault.BadData, err, "the surface has 40962 vertices")

	left, right := sphere(t, "lh.gii", 12), sphere(t, "rh.gii", 12)
	dir, found, d := made(t, root, Options{Surface: []string{left, right}})
	assert.Equal(t, []string{"tunnel"}, d.Stories())
	r, err := d.OpenResponses(t.Context(), "sub-001", "tunnel")
	require.NoError(t, err)
	assert.Equal(t, []int{20, 24}, []int{r.Rows, r.Columns})
	assert.Equal(t, []int{10, 11, 22, 23}, r.Empty)
	_, err = d.ReadResponses(t.Context(), "sub-001", "tunnel")
	require.NoError(t, err)
	p, err := d.Places(t.Context(), "sub-001")
	require.NoError(t, err)
	require.Len(t, p.Vertices, 24)
	assert.Equal(t, 23, p.Vertices[23])
	assert.Equal(t, left, p.Left)
	var voxels imports.SubjectVoxels
	text, err := os.ReadFile(filepath.Join(dir, "sub-001/voxels.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &voxels))
	require.Len(t, voxels.Empty, 4)
	assert.Equal(t, []int{24, 24}, []int{voxels.Columns, voxels.Source})
	assert.Equal(t, []int{10, 11, 22, 23}, []int{voxels.Empty[0].Column, voxels.Empty[1].Column,
		voxels.Empty[2].Column,
		voxels.Empty[3].Column})
	assert.Contains(t, strings.Join(found.Notes, "\n"),
		"sub-001: 24 vertices, of the left hemisphere, then of the right")
}

// Places of a subject alone lose what has no numbers.
func TestSharedSpaces(t *testing.T) {
	for space, want := range map[string]bool{"": false, "T1w": false, "fsnative": false, "MNI152NLin2009cAsym": true,
		"fsaverage6": true, "fsLR": true} {
		assert.Equal(t, want, shared(bidsdata.Form{Kind: bidsdata.Volumes, Space: space}), space)
	}
	assert.True(t, shared(bidsdata.Form{Kind: bidsdata.Dense}))
}

// SMN4Lang: story N is run N, and begins 10.65 s after the first volume.
func TestDenseSeriesOfSMN4Lang(t *testing.T) {
	events, err := os.ReadFile(filepath.Join(labtest.Dir(t), "real/ds004078_func_events.tsv"))
	require.NoError(t, err)
	root := tree(t, map[string]string{"sub-01/func/sub-01_task-RDR_run-1_events.tsv": string(events),
		"stimuli/audio/story_1.wav": "406.5"})
	timed, err := os.ReadFile("../../../mat/testdata/words.mat")
	require.NoError(t, err)
	times := filepath.Join(root, "derivatives/annotations/time_align/word-level/story_1_word_time.mat")
	require.NoError(t, os.MkdirAll(filepath.Dir(times), 0o700))
	require.NoError(t, os.WriteFile(times, timed, 0o600))
	laboratory(t, root,
		map[string]string{"derivatives/preprocessed_data/sub-01/CIFTI/sub-01_task-RDR_run-1_bold.dtseries." +
			"nii": "cifti/sub-01_task-RDR_run-1_bold.dtseries.nii"})
	_, found, d := made(t, root, Options{})
	assert.Equal(t, []string{"story_1"}, d.Stories())
	clock, err := d.Clock("story_1")
	require.NoError(t, err)
	assert.InDelta(t, -10.65, clock.First, 1e-9)
	assert.InDelta(t, .71, clock.TR, 1e-9)
	assert.Contains(t, found.Subjects[0].Responses[0].Derived, "onset 10.65 s in sub-01_task-RDR_run-1_events.tsv")
	r, err := d.OpenResponses(t.Context(), "sub-01", "story_1")
	require.NoError(t, err)
	assert.Equal(t, []int{20, 34}, []int{r.Rows, r.Columns})
	assert.Contains(t, found.Guessed, "the words of story story_1 are in story_1_word_time.mat, less 10.65 s")
	words, err := d.Words(t.Context(), "story_1")
	require.NoError(t, err)
	require.Len(t, words, 4)
	assert.Equal(t, "话", words[0].Text)
	assert.InDelta(t, 10.9-10.65, words[0].Onset, 1e-9)

	left, right := sphere(t, "l.gii", 12), sphere(t, "r.gii", 12)
	_, err = Find(t.Context(), root, Options{Surface: []string{left, right}})
	faulttest.Require(t, fault.Usage, err, "some of its places are voxels")
	_, _, d = made(t, root, Options{Surface: []string{left, right}, Cortical: true})
	p, err := d.Places(t.Context(), "sub-01")
	require.NoError(t, err)
	r, err = d.OpenResponses(t.Context(), "sub-01", "story_1")
	require.NoError(t, err)
	assert.Len(t, p.Vertices, r.Columns)
	assert.Less(t, r.Columns, 34)
}

// Words are those of the only table of a name that can be read, and a story needs a recording; all else is told.
func TestWordsAndStoriesThatAreLeftOut(t *testing.T) {
	grid := func(tier string) string {
		return "File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n\n0\n60\n<exists>\n1\n\"IntervalTier\"\n\"" +
			tier + "\"\n0\n60\n1\n0\n60\n\"hello\"\n"
	}
	const words = "onset\toffset\tword\n1\t2\thello\n"
	files := map[string]string{"a.wav": "60", "b.wav": "60", "c.wav": "60", "a.TextGrid": grid("word"),
		"b.TextGrid": grid("phone"), "one/c.tsv": words, "two/c.tsv": words}
	for i, task := range []string{"a", "b", "c", "d"} {
		name := "sub-1/func/sub-1_task-" + task + "_"
		files[name+"events.tsv"] = head + "3\t50\tstory\t" + task + ".wav\n"
		files[name+"desc-preproc_bold.nii"] = bold(40, 1.5, uint64(i))
	}
	_, found, d := made(t, tree(t, files), Options{})
	assert.Equal(t, []string{"a", "b", "c"}, d.Stories())
	assert.Equal(t, []imports.LeftOut{
		{File: "sub-1/func/sub-1_task-d_desc-preproc_bold.nii", Why: "story d: there is no recording d.wav"},
		{File: "b.TextGrid", Why: "words of story b: it has no tier of words"},
	}, found.LeftOut)
	heard, err := d.Words(t.Context(), "a")
	require.NoError(t, err)
	require.Len(t, heard, 1)
	assert.Equal(t, "hello", heard[0].Text)
	assert.Equal(t, []string{"", ""}, []string{found.Stories[1].Words, found.Stories[2].Words})
}

// littlePrince is a folder of nine runs, numbered by session.
func littlePrince(language string, volumes []int, extra float64) map[string]string {
	files := map[string]string{}
	for i, run := range []int{9, 11, 12, 13, 14, 19, 20, 21, 22} {
		files[fmt.Sprintf("derivatives/sub-%s057/func/sub-%s057_task-lpp%s_run-%02d_space-M_desc-preproc_bold.nii",
			language, language, language, run)] = bold(volumes[i], 2, uint64(i))
		separator := map[string]string{"EN": "-", "FR": "_"}[language]
		files[fmt.Sprintf("stimuli/section%s%d.wav", separator, i+1)] = fmt.Sprint(2 * (float64(volumes[i]) - extra))
	}
	return files
}

func TestRunsOfLePetitPrinceAreSectionsByRank(t *testing.T) {
	files := littlePrince("EN", bidsdata.LePetitPrince["EN"], 4)
	files["annotation/EN/lppEN_word_information.csv"] = ",word,lemma,onset,offset,section\n0,once,once,0.1,0.3,1\n" +
		"1, ,,,,1\n2,when,when,0.4,0.5,1\n3,\"so, then\",so,2.5,2.75,2\n4,late,late,1e4,1e4,3\n"
	files["annotation/FR/lppFR_word_information.csv"] = "other"
	root := tree(t, files)
	dir, found, d := made(t, root, Options{})
	for story, want := range map[string]string{"section-1": "0.1\t0.3\tonce\n0.4\t0.5\twhen\n",
		"section-2": "2.5\t2.75\tso, then\n"} {
		text, err := os.ReadFile(filepath.Join(dir, "words", story+".tsv"))
		require.NoError(t, err)
		assert.Equal(t, "onset\toffset\tword\n"+want, string(text))
	}
	why := map[string]bool{}
	for _, l := range found.LeftOut {
		why[l.Why] = true
	}
	assert.Contains(t, why, "words of story section-3: the last word ends at 10000.00 s of the recording, which has "+
		"672.00 s")
	assert.Len(t, why, 7, "sections without words")
	assert.Contains(t, found.Guessed, "the words of story section-2 are in lppEN_word_information.csv, section 2")
	require.Len(t, d.Stories(), 9)
	for i, rows := range bidsdata.LePetitPrince["EN"] {
		s := found.Stories[i]
		assert.Equal(t, []any{fmt.Sprintf("section-%d", i+1), 0.0}, []any{s.Name, s.First})
		assert.Equal(t, fmt.Sprintf("section-%d.wav", i+1), filepath.Base(s.Audio))
		r, err := d.OpenResponses(t.Context(), "sub-EN057", s.Name)
		require.NoError(t, err)
		assert.Equal(t, rows, r.Rows)
	}
	assert.Contains(t, found.Subjects[0].Responses[8].Derived, "run 22 is the subject's 9th, so section 9")
	assert.Contains(t, strings.Join(found.Notes, "\n"), "let the timing of sound and responses be checked")

	run := filepath.Join(root, "derivatives/sub-EN057/func/sub-EN057_task-lppEN_run-11_space-M_desc-preproc_bold.nii")
	require.NoError(t, os.WriteFile(run, []byte(bold(299, 2, 1)), 0o600))
	_, err := Find(t.Context(), root, Options{})
	faulttest.Require(t, fault.BadData, err, "run 11 is 2nd of 9, so section 2, which has 298 volumes; it has 299")
}

func TestOtherLanguagesOfLePetitPrince(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	var root string
	for _, language := range []string{"CN", "FR"} {
		root = tree(t, littlePrince(language, bidsdata.LePetitPrince[language], float64(book["lpp"+language])))
		found, err := Find(t.Context(), root, Options{})
		require.NoError(t, err)
		assert.Contains(t, filepath.Base(found.Stories[8].Audio), "9.wav")
		chinese := strings.Contains(strings.Join(found.Notes, "\n"), "row 0 would begin 8 s into the recording")
		assert.Equal(t, language == "CN", chinese, "where the README contradicts itself")
	}
	put := func(files map[string]string) {
		require.NoError(t, os.CopyFS(filepath.Join(root, "more"), os.DirFS(tree(t, files))))
	}
	require.NoError(t, os.Remove(filepath.Join(root, "stimuli/section_4.wav")))
	put(map[string]string{"section_4.wav": "590"})
	_, err := Find(t.Context(), root, Options{})
	faulttest.Require(t, fault.BadData, err,
		"run 13 has 315 rows; section_4.wav, 590.00 s, and 2 rows after its end are 297")

	put(map[string]string{"sub-EN057/func/sub-EN057_task-lppEN_run-09_space-M_desc-preproc_bold.nii": bold(4, 2, 1)})
	_, err = Find(t.Context(), root, Options{})
	faulttest.Require(t, fault.Usage, err, "there are lppEN, lppFR: runs of Le Petit Prince are imported one language")
	echo := tree(t, map[string]string{"sub-EN057/func/sub-EN057_task-lppEN_run-09_echo-1_bold.nii": bold(4, 2, 1)})
	_, err = Find(t.Context(), echo, Options{})
	faulttest.Require(t, fault.BadData, err, "are of single echoes, not combined")
}

// The lengths of recordings in the README, and its numbers of volumes.
func TestRowsAfterTheRecordingsOfLePetitPrince(t *testing.T) {
	for language, seconds := range map[string][]float64{
		"CN": {564.9, 642.6, 643.7, 612.2, 584.5, 782.9, 726.6, 585.2, 801.1},
		"EN": {554.7, 587.8, 671.4, 598.2, 522.2, 678.1, 642, 575.8, 727.1},
		"FR": {613.5, 647.0, 702.2, 624.5, 580.8, 750.4, 658.5, 583.2, 667.9},
	} {
		for i, s := range seconds {
			rows := bidsdata.LePetitPrince[language][i]
			assert.InDelta(t, rows, math.Ceil(s/2)+float64(book["lpp"+language]), 1, "%s %d", language, i+1)
		}
	}
}

// CNeuroMod has no tables of events that name recordings: halves of episodes begin with the first volume.
func TestFilmsOfCNeuroMod(t *testing.T) {
	name := "sub-01/ses-001/func/sub-01_ses-001_task-s01e02%s_space-T1w_desc-%s"
	files := map[string]string{}
	for i, half := range []string{"a", "b"} {
		files[fmt.Sprintf(name, half, "preproc_bold.nii")] = bold(40+i, 1.49, uint64(i))
		files[fmt.Sprintf(name, half, "brain_mask.nii")] = mask(1, 1, float32(i), 1)
		files[fmt.Sprintf(name, half, "preproc_bold.json")] = `{"RepetitionTime": 1.49, "DelayTime": 0.149,
			"SliceTimingCorrected": true}`
		files["sound/s01e02"+half+".wav"] = "59.6"
	}
	root := tree(t, files)
	onset := 0.0
	_, err := Find(t.Context(), root, Options{Onset: &onset})
	faulttest.Require(t, fault.BadData, err, "there is no table")
	_, found, d := made(t, root, Options{Onset: &onset, Audio: []string{filepath.Join(root, "sound")}})
	assert.Equal(t, []string{"s01e02a", "s01e02b"}, d.Stories())
	assert.Equal(t, []float64{1.49, .45}, []float64{d.TR(), d.RowTime()}, "the middle of 1.341 s of acquisition")
	r, err := d.OpenResponses(t.Context(), "sub-01", "s01e02b")
	require.NoError(t, err)
	assert.Equal(t, []int{41, 3}, []int{r.Rows, r.Columns})
	assert.Contains(t, strings.Join(found.Notes, "\n"),
		"3 voxels that the brain masks of 2 scans have in common; 1 more")
	assert.Contains(t, strings.Join(found.Notes, "\n"), "2 scans: slices were corrected and no sidecar has StartTime")
}

func TestRawScansAreRefused(t *testing.T) {
	root := tree(t, map[string]string{"a.wav": "60", "sub-1/func/sub-1_task-a_bold.nii": bold(40, 1.5, 1),
		"sub-1/func/sub-1_task-a_events.tsv": head + "0\tn/a\tstory\ta.wav\n"})
	_, err := Find(t.Context(), root, Options{})
	faulttest.Require(t, fault.BadData, err, "are raw, not preprocessed")
	found, err := Find(t.Context(), root, Options{Raw: true})
	require.NoError(t, err)
	assert.Len(t, found.Subjects, 1)
}
