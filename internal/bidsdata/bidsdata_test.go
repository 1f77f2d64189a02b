package bidsdata

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// labfiles is the folder of small files of laboratories.
func labfiles(t testing.TB) string {
	t.Helper()
	root := os.Getenv("BWLM_SHARED")
	if root == "" {
		t.Skip("BWLM_SHARED does not name the folder of shared test data")
	}
	return filepath.Join(root, "labfiles")
}

// write makes the files of a tree.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		if target, ok := strings.CutPrefix(text, "-> "); ok {
			require.NoError(t, os.Symlink(target, path))
			continue
		}
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return root
}

// bold is an image of volumes of one voxel with this step in seconds.
func bold(volumes int, step float32) string {
	b := make([]byte, 352+volumes)
	o := binary.LittleEndian
	o.PutUint32(b, 348)
	for i, d := range []int{4, 1, 1, 1, volumes, 1, 1, 1} {
		o.PutUint16(b[40+2*i:], uint16(d))
	}
	o.PutUint16(b[70:], 2)
	o.PutUint16(b[72:], 8)
	o.PutUint32(b[92:], math.Float32bits(step))
	o.PutUint32(b[108:], math.Float32bits(352))
	b[123] = 2 | 8
	copy(b[344:], "n+1\x00")
	return string(b)
}

func scans(t testing.TB, root string, o Options) ([]Scan, error) {
	t.Helper()
	tree, err := Open(root)
	require.NoError(t, err)
	return tree.Scans(o)
}

func TestLaboratoryTree(t *testing.T) {
	root := filepath.Join(labfiles(t), "bids")
	got, err := scans(t, root, Options{Kind: Volumes, Tasks: []string{"tunnel"}})
	require.NoError(t, err)
	require.Len(t, got, 1)
	s := got[0]
	assert.Equal(t, []any{"001", "tunnel", "tunnel", "tunnel_audio.wav"}, []any{s.Subject, s.Task, s.Story, s.Audio})
	assert.Equal(t, []any{1.5, -2.25, 0.0, 0, 20, 20}, []any{s.TR, s.First, s.RowTime, s.FromRow, s.ToRow, s.Rows},
		"StartTime .75 less onset 3, although the volumes before were discarded by the scanner")
	assert.Contains(t, s.Mask, "res-native_desc-brain_mask.nii.gz")
	assert.Contains(t, s.Confounds, "desc-confounds_timeseries.tsv")
	assert.Equal(t, "TR 1.5 s: RepetitionTime, and pixdim[4] is 1.5 sec; slices corrected to StartTime 0.75 s; "+
		"onset 3 s in "+
		"sub-001_task-tunnel_events.tsv, 0 s into tunnel_audio.wav: row 0 begins at -2.25 s of it", s.How)
	assert.Empty(t, s.Notes)

	got, err = scans(t, root, Options{Kind: Surface, Vertices: 12, Desc: "clean"})
	require.NoError(t, err)
	require.Len(t, got, 1)
	assert.Contains(t, got[0].Files[0], "hemi-L_desc-clean.func.gii")
	assert.Contains(t, got[0].Files[1], "hemi-R_desc-clean.func.gii")
	assert.Equal(t, []any{20, 24, 1.5, -3.0, .5}, []any{got[0].Rows, got[0].Columns, got[0].TR, got[0].First,
		got[0].RowTime}, "its sidecar says nothing of slices, nor does the raw file's")
	assert.Contains(t, got[0].How, "TR 1.5 s: RepetitionTime; slices not corrected")

	_, err = scans(t, root, Options{Kind: Surface, Desc: "clean"})
	faulttest.Require(t, fault.BadData, err, "shape [12 20], the surface has 40962 vertices")
	_, err = scans(t, root, Options{})
	faulttest.Require(t, fault.BadData, err, "there are responses in 5 forms",
		"surface in space fsaverage6, desc clean; ", "volumes in space MNI152NLin2009cAsym, desc preproc")

	_, err = scans(t, root, Options{Tasks: []string{"msec"}, Audio: map[string]string{"msec": "a.wav"}})
	faulttest.Require(t, fault.BadData, err, "there is no table sub-001_task-msec_events.tsv")
	_, err = scans(t, root, Options{Tasks: []string{"zerotr"}})
	faulttest.Require(t, fault.BadData, err, "no sidecar has RepetitionTime, and the header has no time")

	// RDR's dtseries is in another data set's folder and has no raw file of subject 001; its events do.
	got, err = scans(t, root, Options{Kind: Dense, Tasks: []string{"start"}, Subjects: []string{"02"}})
	faulttest.Require(t, fault.Missing, err, "there are no time series of these subjects")
	require.Empty(t, got)
}

func TestDenseSeriesHaveTheirOwnClock(t *testing.T) {
	lab := labfiles(t)
	root := write(t, map[string]string{
		"sub-01/func/sub-01_task-RDR_run-1_events.tsv": "" +
			"onset\tduration\tstim_file\r\n10.65\t406.4\taudio/story_1.wav\r\n" +
			"425.066\t2.0\timages/hurryup.png\r\n",
		"sub-01/func/sub-01_task-start_events.tsv": "onset\tstim_file\n1\ta.wav\n",
	})
	for name, first := range map[string]float64{"task-RDR_run-1": -10.65, "task-start": .355 - 1} {
		file := "sub-01_" + name + "_bold.dtseries.nii"
		data, err := os.ReadFile(filepath.Join(lab, "bids/derivatives/cifti", file))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(root, file), data, 0o600))
		_, task, _ := strings.Cut(name, "-")
		task, _, _ = strings.Cut(task, "_")
		got, err := scans(t, root, Options{Tasks: []string{task}})
		require.NoError(t, err)
		require.Len(t, got, 1)
		assert.InDelta(t, first, got[0].First, 1e-9, name)
		assert.Equal(t, []any{.71, 20, 34}, []any{got[0].TR, got[0].Rows, got[0].Columns})
		assert.Equal(t, name == "task-start", len(got[0].Notes) == 1 && got[0].RowTime == 0, got[0].Notes)
	}
}

// Sidecars in the order in which they override.
func TestSidecarsAreInherited(t *testing.T) {
	files := map[string]string{
		"sub-1/func/sub-1_task-a_events.tsv":                                  "onset\tstim_file\n0\ta.wav\n",
		"derivatives/p/sub-1/func/sub-1_task-a_space-M_desc-preproc_bold.nii": bold(3, 0),
	}
	for _, step := range []struct {
		file      string
		has, want float64
	}{
		{"bold.json", 1, 1},
		{"task-b_bold.json", 9, 1},   // of another task
		{"task-a_events.json", 9, 1}, // of another suffix
		{"task-a_bold.json", 2, 2},
		{"sub-1/sub-1_bold.json", 3, 3},
		{"sub-2/func/sub-1_task-a_bold.json", 9, 3}, // of another folder
		{"sub-1/func/sub-1_task-a_bold.json", 4, 4},
		{"derivatives/task-a_bold.json", 5, 5},
		{"derivatives/p/task-a_desc-other_bold.json", 9, 5},
		{"derivatives/p/task-a_desc-preproc_bold.json", 6, 6},
		{"derivatives/p/sub-1/func/sub-1_task-a_space-M_desc-preproc_bold.json", 7, 7},
	} {
		files[step.file] = fmt.Sprintf(`{"RepetitionTime": %g}`, step.has)
		got, err := scans(t, write(t, files), Options{})
		require.NoError(t, err, step.file)
		assert.InDelta(t, step.want, got[0].TR, 1e-12, step.file)
	}
}

func number(v float64) *float64 { return &v }

func TestTR(t *testing.T) {
	sec := func(step float64, unit string) HeaderTime {
		return HeaderTime{Step: step, Unit: unit, Name: "pixdim[4]", OK: true}
	}
	gii := func(step float64) HeaderTime { return HeaderTime{Step: step, Name: timeStep, OK: true} }
	for name, c := range map[string]struct {
		sidecar *float64
		header  HeaderTime
		want    float64
		fails   string
	}{
		"both agree":                  {number(1.5), sec(1.5, "sec"), 1.5, ""},
		"both agree to a millisecond": {number(1.5), sec(1.5009, "sec"), 1.5, ""},
		"milliseconds that say so":    {number(1.5), sec(1500, "msec"), 1.5, ""},
		"milliseconds alone":          {nil, sec(1500, "msec"), 1.5, ""},
		"microseconds alone":          {nil, sec(710000, "usec"), .71, ""},
		"no unit":                     {nil, sec(2, ""), 2, ""},
		"the header has none":         {number(1.49), HeaderTime{Name: "pixdim[4]"}, 1.49, ""},
		"a header in hertz":           {number(1.49), sec(7, "unit 32"), 1.49, ""},
		"TimeStep in milliseconds":    {number(1.5), gii(1500), 1.5, ""},
		"TimeStep in seconds":         {number(1.5), gii(1.5), 1.5, ""},
		"TimeStep alone":              {nil, gii(1500), 1.5, ""},
		"TimeStep alone in seconds":   {nil, gii(1.5), 1.5, ""},
		"they differ": {number(1.5), sec(1.52, "sec"), 0,
			"RepetitionTime is 1.5 s in x.json, but pixdim[4] is 1.52 sec"},
		"2000 seconds and 2":        {number(2), sec(2000, "sec"), 0, "pixdim[4] is 2000 sec, which is 2000 s"},
		"2000 without a unit and 2": {number(2), sec(2000, ""), 0, "pixdim[4] is 2000 without a unit"},
		"2000 and 2 seconds": {number(2000), sec(2, "sec"), 0,
			"RepetitionTime is 2000 s in x.json, and pixdim[4] is 2 sec"},
		"2000 and nothing":              {number(2000), HeaderTime{}, 0, "looks like milliseconds"},
		"nothing and 1500 seconds":      {nil, sec(1500, "sec"), 0, "pixdim[4] is 1500 sec, which is 1500 s"},
		"nothing":                       {nil, HeaderTime{}, 0, "the header has no time"},
		"a header of 0 and nothing":     {nil, sec(0, "sec"), 0, "the header has no time"},
		"zero":                          {number(0), sec(1, "sec"), 0, "want more than 0"},
		"TimeStep of another than both": {number(1.5), gii(2000), 0, "TimeStep is 2000 without a unit"},
	} {
		s := Sidecar{RepetitionTime: c.sidecar, From: map[string]string{"RepetitionTime": "x.json"}}
		tr, how, err := findTR("x.nii", s, c.header)
		if c.fails != "" {
			faulttest.Require(t, fault.BadData, err, "find TR: x.nii", c.fails)
			continue
		}
		require.NoError(t, err, name)
		assert.InDelta(t, c.want, tr, 1e-12, name)
		assert.Contains(t, how, "TR ", name)
	}
}

func TestWhatInstantARowStandsFor(t *testing.T) {
	yes, no := true, false
	old, current := Pipeline{"fMRIPrep", "20.0.5"}, Pipeline{"fMRIPrep", "20.2.4"}
	for name, c := range map[string]struct {
		sidecar, raw Sidecar
		program      Pipeline
		ignored      bool
		start, row   float64
		notes        int
	}{
		"corrected, with StartTime": {Sidecar{SliceTimingCorrected: &yes, StartTime: number(.7)},
			Sidecar{}, current, false, .7, 0, 0},
		"corrected by an old one with it": {Sidecar{SliceTimingCorrected: &yes, StartTime: number(.7)},
			Sidecar{SliceTiming: true}, old, false, .7, 0, 0},
		"corrected, without StartTime": {Sidecar{SliceTimingCorrected: &yes}, Sidecar{}, current, false, 0, .5, 1},
		"corrected, with DelayTime": {Sidecar{SliceTimingCorrected: &yes, DelayTime: number(.3)}, Sidecar{}, current,
			false, 0, .4, 1},
		"corrected, with a DelayTime that cannot be": {Sidecar{SliceTimingCorrected: &yes, DelayTime: number(1.5)},
			Sidecar{}, current, false, 0, .5, 1},
		"not corrected, with DelayTime": {Sidecar{DelayTime: number(.3)}, Sidecar{}, current, false, 0, .5, 0},
		"not corrected": {Sidecar{SliceTimingCorrected: &no}, Sidecar{SliceTiming: true},
			current, false, 0, .5, 0},
		"not corrected, with StartTime": {Sidecar{SliceTimingCorrected: &no, StartTime: number(.7)}, Sidecar{},
			current, false, 0, .5, 1},
		"an old one with slices":       {Sidecar{}, Sidecar{SliceTiming: true}, old, false, 0, .5, 1},
		"an old one that ignored them": {Sidecar{}, Sidecar{SliceTiming: true}, old, true, 0, .5, 0},
		"an old one without slices":    {Sidecar{}, Sidecar{}, old, false, 0, .5, 0},
		"a current one with slices":    {Sidecar{}, Sidecar{SliceTiming: true}, current, false, 0, .5, 0},
		"another program": {Sidecar{}, Sidecar{SliceTiming: true}, Pipeline{"AFNI", "20.0"},
			false, 0, .5, 0},
	} {
		got := whenRows(1.5, c.sidecar, c.raw, c.program, c.ignored)
		assert.Equal(t, []float64{c.start, c.row}, []float64{got.Start, got.RowTime}, name)
		assert.Len(t, got.Notes, c.notes, name)
		assert.NotEmpty(t, got.How)
	}
	for version, before := range map[string]bool{"20.0.5": true, "1.5.8": true, "20.2.3": true, "20.2.4": false,
		"20.2.4rc1": true, "20.2.10": false, "21.0.0": false, "20.2": true, "v20.1.0": true, "": false, "x": false,
		"20.2.4+dev": true} {
		assert.Equal(t, before, Pipeline{Version: version}.before(20, 2, 4), version)
	}
}
