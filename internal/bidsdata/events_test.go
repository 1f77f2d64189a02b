package bidsdata

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/fuzztest"
)

func TestEventsOfLaboratories(t *testing.T) {
	lab := labfiles(t)
	for name, want := range map[string][]Event{
		"bids/sub-001/func/sub-001_task-tunnel_events.tsv": {{Onset: 3, Duration: 1534, Type: "story",
			Stim: "tunnel_audio.wav"}},
		"bids/sub-001/meg/sub-001_task-RDR_run-1_events.tsv": {{Onset: 13.726, Type: "Beg"}, {Onset: 420.168,
			Type: "End"}},
		"real/ds004078_meg_events.tsv": {{Onset: 13.726, Type: "Beg"}, {Onset: 420.168,
			Type: "End"}},
		"bids/sub-001/func/sub-001_task-crlf_events.tsv": {{Onset: 3, Duration: math.Inf(1), Type: "story"}},
		"real/ds004078_func_events.tsv": {{Onset: 10.65, Duration: 406.416, Stim: "audio/story_1.wav"},
			{Onset: 425.066, Duration: 2, Stim: "images/hurryup.png"}},
		"real/ds002345_sub-038_task-milkyway_events.tsv": {
			{Duration: 18, Type: "music", Stim: "milkywayvodka_audio.wav"},
			{Onset: 15, Duration: 404, Type: "story", Stim: "milkywayvodka_audio.wav"}},
	} {
		got, err := readEvents(filepath.Join(lab, name))
		require.NoError(t, err, name)
		require.Len(t, got, len(want), name)
		for i := range want {
			want[i].Line = i + 2
			if math.IsNaN(got[i].Duration) {
				got[i].Duration = math.Inf(1) // NaN does not equal itself
			}
			assert.Equal(t, want[i], got[i], name)
		}
	}
}

func TestEventsThatAreRefused(t *testing.T) {
	for text, why := range map[string]string{
		"":                              "e.tsv:1: the file is empty",
		"start\tduration\n1\t2\n":       "e.tsv:1: there is no column onset",
		"onset,duration\n1,2\n":         "no column onset",
		"onset\tduration\n1\n":          "e.tsv:2: 1 columns, want 2",
		"onset\nn/a\n":                  `e.tsv:2: onset "" is no number of seconds`,
		"onset\n1e999\n":                "is no number of seconds",
		"onset\tduration\n\n1\t-2\n":    `e.tsv:3: duration "-2"`,
		"\xff\xfeo\x00n\x00s\x00":       "the text is UTF-16",
		"onset\tduration\n1\tforever\n": `duration "forever"`,
	} {
		_, err := parseEvents([]byte(text), "e.tsv")
		faulttest.Require(t, fault.BadData, err, "read events: e.tsv", why)
	}
}

// table is a tree of one volume series of 1200 rows of 1.5 s with these events.
func table(t *testing.T, events string, more map[string]string) string {
	t.Helper()
	files := map[string]string{
		"sub-1/func/sub-1_task-a_events.tsv":              events,
		"d/sub-1/func/sub-1_task-a_desc-preproc_bold.nii": bold(1200, 1.5),
	}
	for name, text := range more {
		files[name] = text
	}
	return write(t, files)
}

func TestSeveralStoriesOfOneScan(t *testing.T) {
	lab := labfiles(t)
	events, err := os.ReadFile(filepath.Join(lab, "bids/sub-001/func/sub-001_task-slumlordreach_events.tsv"))
	require.NoError(t, err)
	got, err := scans(t, table(t, string(events), nil), Options{})
	require.NoError(t, err)
	require.Len(t, got, 2)
	a, b := got[0], got[1]
	assert.Equal(t, []string{"slumlordreach_1", "slumlordreach_2"}, []string{a.Story, b.Story})
	assert.Equal(t, []any{20, 622, 25.5}, []any{a.FromRow, a.ToRow, a.First},
		"29.5 s begin in row 20, 30 s; music at 4.5 s")
	assert.Equal(t, []any{647, 1197, 966.0}, []any{b.FromRow, b.ToRow, b.First})
	assert.Equal(t, []any{"", "slumlordreach_1", 627}, []any{a.SameAs, b.SameAs, b.SameAsRow})

	got, err = scans(t, table(t, "onset\tduration\ttrial_type\tstim_file\n0\t9\tmovie\tm.mp4\n10\tn/a\tstory\ta.wav\n"+
		"100\tn/a\tstory\tb.wav\n", nil), Options{})
	require.NoError(t, err)
	require.Len(t, got, 2, "two files are two stories")
	assert.Equal(t, []any{"a", 7, 67, .5, ""}, []any{got[0].Story, got[0].FromRow, got[0].ToRow, got[0].First,
		got[0].SameAs}, "n/a lasts until the next")
	assert.Equal(t, []any{"b", 67, 1200, .5}, []any{got[1].Story, got[1].FromRow, got[1].ToRow, got[1].First})
	_, err = scans(t, table(t, "onset\tduration\tstim_file\n0\t9\ta.wav\n5000\t9\tb.wav\n", nil), Options{})
	faulttest.Require(t, fault.BadData, err, "events.tsv: story b", "the 1200 rows of 1.5 s have none in it")
}

// Two subjects of Narratives started early, and only the onset of the story was corrected: 6 and 7.5 s there, 0 for
// all others.
func TestTheClockOfSubjectsWhoStartedEarly(t *testing.T) {
	lab := labfiles(t)
	early, err := os.ReadFile(filepath.Join(lab, "real/ds002345_sub-038_task-milkyway_events.tsv"))
	require.NoError(t, err)
	const head = "onset\tduration\ttrial_type\tstim_file\n0.0\t18.0\tmusic\tmilkywayvodka_audio.wav\n"
	files := map[string]string{}
	onsets := map[string]string{"038": string(early), "105": head + "13.5\t404.0\tstory\tmilkywayvodka_audio.wav\n"}
	for _, subject := range []string{"038", "105", "100", "101", "102"} {
		events := onsets[subject]
		if events == "" {
			events = head + "21.0\t404.0\tstory\tmilkywayvodka_audio.wav\n"
		}
		name := "sub-" + subject + "/func/sub-" + subject + "_task-milkyway_"
		files[name+"events.tsv"] = events
		files["derivatives/"+name+"desc-preproc_bold.nii"] = bold(297, 1.5)
	}
	files["code/scan_exclude.json"] = `{"milkyway": {"sub-038": ["sub-038_task-milkyway"]}, "tunnel": {}}`
	root := write(t, files)
	got, err := scans(t, root, Options{})
	require.NoError(t, err)
	first := map[string]float64{}
	for _, s := range got {
		first[s.Subject] = s.First
		switch s.Subject {
		case "038":
			require.Len(t, s.Notes, 2)
			assert.Contains(t, s.Notes[0], "among the scans to leave out")
			assert.Contains(t, s.Notes[1], "but 21 s in 3 of 5 subjects: theirs holds")
		case "100":
			assert.Equal(t, []string{"the story starts 21 s after the beginning of milkywayvodka_audio.wav in 3 " +
				"of 5 subjects"},
				s.Notes)
		}
	}
	assert.Equal(t, map[string]float64{"038": 6, "105": 7.5, "100": 0, "101": 0, "102": 0}, first)
	alone, err := scans(t, root, Options{Subjects: []string{"105"}})
	require.NoError(t, err)
	require.Len(t, alone, 1)
	assert.InDelta(t, 7.5, alone[0].First, 1e-9, "the other subjects vote, although they are not selected")
}

func TestRecordingsThatEventsDoNotName(t *testing.T) {
	lab := labfiles(t)
	for _, name := range []string{"func/sub-001_task-crlf_events.tsv", "meg/sub-001_task-RDR_run-1_events.tsv"} {
		events, err := os.ReadFile(filepath.Join(lab, "bids/sub-001", name))
		require.NoError(t, err)
		root := table(t, string(events), nil)
		_, err = scans(t, root, Options{})
		faulttest.Require(t, fault.BadData, err, "no event names a recording in stim_file")
		if name[0] == 'm' {
			continue
		}
		got, err := scans(t, root, Options{Audio: map[string]string{"a": "tunnel.wav"}})
		require.NoError(t, err)
		require.Len(t, got, 1)
		assert.Equal(t, []any{"tunnel", -3.0, 1200}, []any{got[0].Story, got[0].First, got[0].ToRow})
	}
}

func TestTheEndOfAStory(t *testing.T) {
	got, err := scans(t, table(t, "onset\tduration\ttrial_type\tstim_file\n0\t18\tmusic\ta_audio.wav\n"+
		"21\t404\tstory\ta_audio.wav\n", nil), Options{})
	require.NoError(t, err)
	assert.Equal(t, []float64{0, 425}, []float64{got[0].First, got[0].End}, "of the recording, with its music")
	got, err = scans(t, table(t, "onset\tstim_file\n3\ta.wav\n", nil), Options{})
	require.NoError(t, err)
	assert.Zero(t, got[0].End, "nobody says it")
}

// Series of CNeuroMod have no table of events: a film begins with the first volume.
func TestRecordingsWithoutATable(t *testing.T) {
	root := write(t, map[string]string{
		"sub-01/ses-001/func/sub-01_ses-001_task-s01e02a_space-T1w_desc-preproc_bold.nii": bold(30, 1.49),
		"sub-01/ses-001/func/sub-01_ses-001_task-s01e02a_space-T1w_desc-preproc_bold.json": `{"RepetitionTime": 1.49,
			"DelayTime": 0.149, "SliceTimingCorrected": true}`,
	})
	o := Options{Audio: map[string]string{"s01e02a": "/stim/s01e02a.wav"}}
	_, err := scans(t, root, o)
	faulttest.Require(t, fault.BadData, err, "there is no table sub-01_ses-001_task-s01e02a_events.tsv")
	o.Onset = number(0)
	got, err := scans(t, root, o)
	require.NoError(t, err)
	require.Len(t, got, 1)
	assert.Equal(t, []any{"s01e02a", "/stim/s01e02a.wav", "001", 0.0, 30}, []any{got[0].Story, got[0].Audio,
		got[0].Session, got[0].First, got[0].ToRow})
	assert.InDelta(t, .45, got[0].RowTime, 1e-9)
	assert.Contains(t, got[0].How, "onset 0 s as given: row 0 begins at 0 s of")
	o.Audio = nil
	_, err = scans(t, root, o)
	faulttest.Require(t, fault.BadData, err, "there is no table", "")
}

func TestTablesOfEventsAreInherited(t *testing.T) {
	root := table(t, "onset\tstim_file\n1\ta.wav\n", map[string]string{
		"task-a_events.tsv":                       "onset\tstim_file\n2\ta.wav\n",
		"sub-1/meg/sub-1_task-a_run-1_events.tsv": "nothing",
	})
	got, err := scans(t, root, Options{})
	require.NoError(t, err)
	assert.InDelta(t, -1, got[0].First, 1e-9)
	require.NoError(t, os.Remove(filepath.Join(root, "sub-1/func/sub-1_task-a_events.tsv")))
	got, err = scans(t, root, Options{})
	require.NoError(t, err)
	assert.InDelta(t, -2, got[0].First, 1e-9)
}

func FuzzEvents(f *testing.F) {
	f.Add([]byte("onset\tduration\ttrial_type\tstim_file\n0\t18\tmusic\ta.wav\n21\tn/a\tstory\ta.wav\n"))
	f.Add([]byte("\ufeffstim_file\tonset\r\nb.mp3\t3\r\n"))
	f.Add([]byte("onset\n1e308\n"))
	f.Fuzz(func(t *testing.T, input []byte) {
		fuzztest.Run(t, 256, input, func() {
			events, err := parseEvents(input, "fuzz")
			if err != nil {
				return
			}
			stories, err := storiesOf(events, "fuzz", "")
			if err != nil {
				return
			}
			v := votes{}
			for i, p := range stories {
				v.add(p, "1")
				lead, have, of := v.lead(p)
				require.False(t, math.IsNaN(lead) || have > of)
				require.GreaterOrEqual(t, end(stories, i), p.Onset)
			}
		})
	})
}

func FuzzName(f *testing.F) {
	f.Add("sub-01/func/sub-01_task-a_bold.nii.gz")
	f.Add("sub-001_task-tunnel_space-fsaverage6_hemi-L_desc-clean.func.gii")
	f.Fuzz(func(t *testing.T, file string) {
		n, ok := parseName(file)
		if ok {
			require.True(t, n.within(n))
			require.LessOrEqual(t, len(n.raw().Entities), len(n.Entities))
		}
		_, _ = formOf(n)
	})
}
