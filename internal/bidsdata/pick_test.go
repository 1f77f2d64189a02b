package bidsdata

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

const oneStory = "onset\tduration\tstim_file\n3\t9\ta.wav\n"

func TestWhatIsNotPreprocessedIsRefused(t *testing.T) {
	raw := map[string]string{
		"sub-1/func/sub-1_task-a_bold.nii":   bold(9, 2),
		"sub-1/func/sub-1_task-a_events.tsv": oneStory,
	}
	_, err := scans(t, write(t, raw), Options{})
	faulttest.Require(t, fault.BadData, err, "the 1 time series are raw, not preprocessed: "+
		"sub-1/func/sub-1_task-a_bold.nii")
	got, err := scans(t, write(t, raw), Options{Raw: true})
	require.NoError(t, err)
	require.Len(t, got, 1)
	assert.Equal(t, []any{9, 2.0, -3.0, .5}, []any{got[0].Rows, got[0].TR, got[0].First, got[0].RowTime})

	echoes := map[string]string{"sub-1/func/sub-1_task-a_events.tsv": oneStory}
	for echo := 1; echo <= 3; echo++ {
		echoes[fmt.Sprintf("sub-1/func/sub-1_task-a_echo-%d_bold.nii", echo)] = bold(9, 2)
		echoes[fmt.Sprintf("d/sub-1/func/sub-1_task-a_echo-%d_desc-preproc_bold.nii", echo)] = bold(9, 2)
	}
	for _, insist := range []bool{false, true} {
		_, err = scans(t, write(t, echoes), Options{Raw: insist})
		faulttest.Require(t, fault.BadData, err, "the 6 time series are of single echoes, not combined")
	}
	echoes["d/sub-1/func/sub-1_task-a_desc-preproc_bold.nii"] = bold(7, 2)
	got, err = scans(t, write(t, echoes), Options{})
	require.NoError(t, err)
	require.Len(t, got, 1, "the combined one")
	assert.Equal(t, 7, got[0].Rows)
}

// Links without content are listed in one error.
func TestFilesWithoutContent(t *testing.T) {
	files := map[string]string{"sub-1/func/sub-1_task-a_events.tsv": oneStory}
	for run := range 12 {
		files[fmt.Sprintf("d/sub-1/func/sub-1_task-a_run-%02d_desc-preproc_bold.nii", run)] =
			"-> ../.git/annex/objects/Xx/Yy/MD5E-s9--abc.nii/MD5E-s9--abc.nii"
	}
	files["d/sub-1/func/sub-1_task-a_run-05_desc-preproc_bold.nii"] = bold(9, 2)
	root := write(t, files)
	_, err := scans(t, root, Options{})
	faulttest.Require(t, fault.Missing, err, "11 of 12 files of responses have no content",
		"run `datalad get -d "+root,
		"run-00_desc-preproc_bold.nii")
	assert.Equal(t, 1, strings.Count(err.Error(), "datalad"))
	assert.Less(t, len(err.Error()), 2000)
}

func TestHemispheresBelongTogether(t *testing.T) {
	gii := `<GIFTI Version="1.0"><MetaData><MD><Name>TimeStep</Name><Value>%s</Value></MD></MetaData>` +
		strings.Repeat(`<DataArray DataType="NIFTI_TYPE_FLOAT32" Encoding="ASCII" Dimensionality="1" Dim0="2">`+
			`<Data>1 2</Data></DataArray>`, 3) + `</GIFTI>`
	files := map[string]string{
		"sub-1/func/sub-1_task-a_events.tsv":                     oneStory,
		"sub-1/func/sub-1_task-a_bold.json":                      `{"RepetitionTime": 2}`,
		"d/sub-1/func/sub-1_task-a_hemi-L_space-f_bold.func.gii": fmt.Sprintf(gii, "2000"),
	}
	_, err := scans(t, write(t, files), Options{})
	faulttest.Require(t, fault.Missing, err, "there is no file of the right hemisphere")
	files["d/sub-1/func/sub-1_task-a_hemi-R_space-f_bold.func.gii"] = fmt.Sprintf(gii, "2000")
	got, err := scans(t, write(t, files), Options{})
	require.NoError(t, err)
	require.Len(t, got, 1)
	assert.Equal(t, []any{3, 4, 2.0}, []any{got[0].Rows, got[0].Columns, got[0].TR})
	files["d/sub-1/func/sub-1_task-a_hemi-R_space-f_bold.func.gii"] = fmt.Sprintf(gii, "1000")
	_, err = scans(t, write(t, files), Options{})
	faulttest.Require(t, fault.BadData, err, "the right one 3 with 1000")
	delete(files, "d/sub-1/func/sub-1_task-a_hemi-L_space-f_bold.func.gii")
	_, err = scans(t, write(t, files), Options{})
	faulttest.Require(t, fault.Missing, err, "there is no file of the left hemisphere")
}

// Le Petit Prince: a section is the rank of the run.
func TestSectionsByRank(t *testing.T) {
	runs := func(numbers ...int) []Run {
		out := make([]Run, len(numbers))
		for i, n := range numbers {
			out[i] = Run{n, LePetitPrince["EN"][i]}
		}
		return out
	}
	for _, numbers := range [][]int{{15, 16, 17, 18, 19, 20, 21, 22, 23}, {9, 11, 12, 13, 14, 19, 20, 21, 22}} {
		got, err := Sections("sub-EN057", runs(numbers...), LePetitPrince["EN"])
		require.NoError(t, err)
		assert.Equal(t, []int{0, 1, 2, 3, 4, 5, 6, 7, 8}, got)
	}
	turned := runs(1, 2, 3, 4, 5, 6, 7, 8, 9)
	turned[0], turned[8] = turned[8], turned[0]
	got, err := Sections("x", turned, LePetitPrince["EN"])
	require.NoError(t, err)
	assert.Equal(t, []int{8, 1, 2, 3, 4, 5, 6, 7, 0}, got)
	off := runs(15, 16, 17, 18, 19, 20, 21, 22, 23)
	off[1].Volumes = 299
	_, err = Sections("sub-EN057", off, LePetitPrince["EN"])
	faulttest.Require(t, fault.BadData, err, "sub-EN057: run 16 is 2nd of 9, so section 2, which has 298 volumes; "+
		"it has 299")
	_, err = Sections("x", off[:8], LePetitPrince["EN"])
	faulttest.Require(t, fault.BadData, err, "there are 8 runs, want one for each of the 9 sections")
	twice := runs(15, 15, 17, 18, 19, 20, 21, 22, 23)
	twice[1].Volumes = 298
	_, err = Sections("x", twice, LePetitPrince["EN"])
	faulttest.Require(t, fault.BadData, err, "occurs twice")
}

func TestABookWhoseRunsAreNoSections(t *testing.T) {
	files := map[string]string{}
	table := []int{4, 6, 5}
	for i, run := range []int{9, 11, 22} {
		files[fmt.Sprintf("derivatives/sub-EN1/func/sub-EN1_task-lppEN_run-%02d_space-M_desc-preproc_bold.nii", run)] =
			bold(table[i], 2)
	}
	root := write(t, files)
	got, err := scans(t, root, Options{Sections: table, Audio: map[string]string{"lppEN": "section-%d.wav"}})
	require.NoError(t, err)
	require.Len(t, got, 3)
	for i, s := range got {
		story := fmt.Sprintf("section-%d", i+1)
		assert.Equal(t, []any{story, story + ".wav", 2.0, 0.0, table[i]}, []any{s.Story, s.Audio, s.TR, s.First,
			s.ToRow})
	}
	assert.Contains(t, got[1].How, "run 11 is the subject's 2nd, so section 2, which has 6 volumes")
	_, err = scans(t, root, Options{Sections: []int{4, 5, 6}})
	faulttest.Require(t, fault.BadData, err, "run 11 is 2nd of 3, so section 2, which has 5 volumes; it has 6")
	_, err = scans(t, root, Options{})
	faulttest.Require(t, fault.BadData, err, "there is no table")
}

func TestLogsTellThatSlicesWereIgnored(t *testing.T) {
	const derived = "derivatives/fmriprep/"
	files := map[string]string{
		"sub-1/func/sub-1_task-a_events.tsv":                      oneStory,
		"sub-1/func/sub-1_task-a_bold.json":                       `{"SliceTiming": [0, 1]}`,
		derived + "sub-1/func/sub-1_task-a_desc-preproc_bold.nii": bold(9, 2),
		derived +
			"dataset_description.json": `{"PipelineDescription": {"Name": "fmriprep", "Version": "20.0.5"}}`,
		derived + "sub-2/log/1/fmriprep.toml":                          "[workflow]\nignore = [ \"slicetiming\",]\n",
		derived + "sub-1/log/20200101-000000_x/other/notfmriprep.toml": "ignore = [\"slicetiming\"]",
	}
	got, err := scans(t, write(t, files), Options{})
	require.NoError(t, err)
	require.Len(t, got[0].Notes, 1)
	assert.Contains(t, got[0].Notes[0], "before 20.2.4, corrects slices to the middle")
	assert.Equal(t, .5, got[0].RowTime)
	files[derived+"sub-1/log/20200101-000000_x/fmriprep.toml"] = "[workflow]\nignore = [ \"slicetiming\",]\n"
	got, err = scans(t, write(t, files), Options{})
	require.NoError(t, err)
	assert.Empty(t, got[0].Notes)
	files[derived+"dataset_description.json"] = `{"GeneratedBy": [{"Name": "fMRIPrep", "Version": 20}]}`
	_, err = scans(t, write(t, files), Options{})
	faulttest.Require(t, fault.BadData, err, "read description")
}

func TestFoldersAndSidecarsThatAreRefused(t *testing.T) {
	_, err := Open("none")
	faulttest.Require(t, fault.Missing, err, "read bids: none")
	_, err = Open(write(t, map[string]string{"code/scan_exclude.json": `["a"]`}))
	faulttest.Require(t, fault.BadData, err, "read excluded scans")
	for text, why := range map[string]string{
		`{"RepetitionTime": "2"}`:         `RepetitionTime is "2", want a number of seconds`,
		`{"StartTime": [0]}`:              "StartTime is [0]",
		`{"SliceTimingCorrected": "yes"}`: `SliceTimingCorrected is "yes", want true or false`,
		`{"RepetitionTime": 2`:            "read sidecar",
	} {
		_, err := scans(t, write(t, map[string]string{
			"sub-1/func/sub-1_task-a_events.tsv":              oneStory,
			"task-a_bold.json":                                text,
			"d/sub-1/func/sub-1_task-a_desc-preproc_bold.nii": bold(9, 2),
		}), Options{})
		faulttest.Require(t, fault.BadData, err, "task-a_bold.json", why)
	}
	got, err := scans(t, write(t, map[string]string{
		"sub-1/func/sub-1_task-a_events.tsv": oneStory,
		"task-a_bold.json": `{"RepetitionTime": null, "StartTime": null, ` +
			`"SliceTimingCorrected": null}`,
		"d/sub-1/func/sub-1_task-a_desc-preproc_bold.nii": bold(9, 2),
	}), Options{})
	require.NoError(t, err)
	assert.InDelta(t, 2, got[0].TR, 1e-12)
}
