package dataset

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/design"
)

// alice opens the real data set of 27 subjects.
func alice(t *testing.T) *Dataset {
	t.Helper()
	shared := os.Getenv("BWLM_SHARED")
	if shared == "" {
		t.Skip("BWLM_SHARED does not name the folder with the real data")
	}
	d, err := Open(filepath.Join(shared, "data", "alice"))
	require.NoError(t, err)
	return d
}

func TestAlice(t *testing.T) {
	d := alice(t)
	assert.Equal(t, "alice", d.Name())
	assert.Equal(t, "CC-BY-4.0", d.Licence())
	assert.Contains(t, d.Citation(), "Brennan")
	assert.Equal(t, 2., d.TR())
	assert.Equal(t, 0., d.RowTime())
	assert.Equal(t, []string{"alice", "alice_seg12"}, d.Stories())
	assert.Len(t, d.SubjectNames(), 27)
	assert.Equal(t, []string{"group"}, d.derived())
	assert.Equal(t, []string{"LATL", "RATL", "LPTL", "LIPL", "LPreM", "LIFG", "temporal"}, d.ROIs())

	clock, err := d.Clock("alice_seg12")
	require.NoError(t, err)
	assert.InDelta(t, 3.352, clock.Time(1), 1e-12)

	m, err := d.ReadResponses(t.Context(), "sub-18", "alice")
	require.NoError(t, err)
	assert.Equal(t, [3]int{1, 362, 6}, [3]int{m.Repeats, m.Rows, m.Voxels})
	assert.Equal(t, float32(8.1824108e+01), m.Row(0, 1)[0])

	columns, err := d.ROI(t.Context(), "temporal", "group", 6)
	require.NoError(t, err)
	assert.Equal(t, []int{0, 1, 2}, columns)

	words, err := d.Words(t.Context(), "alice")
	require.NoError(t, err)
	assert.Len(t, words, 2127)
	assert.Equal(t, Word{Onset: .0589, Offset: .6216, Text: "alice"}, words[0])
}

// The group average that comes with the data was made as its README says; detrending here must find
// the same.
func TestAliceGroupIsTheMeanOfDetrendedSubjects(t *testing.T) {
	d := alice(t)
	want, err := d.ReadResponses(t.Context(), "group", "alice")
	require.NoError(t, err)
	mean := make([]float64, len(want.Data))
	for _, name := range d.SubjectNames() {
		m, err := d.ReadResponses(t.Context(), name, "alice")
		require.NoError(t, err)
		flat := design.Detrend(m.Data, m.Rows, m.Voxels, 12)
		for i, v := range design.FitZScore(flat, m.Rows, m.Voxels).Apply(flat) {
			mean[i] += float64(v) / 27
		}
	}
	var worst float64
	for i, v := range mean {
		worst = max(worst, math.Abs(v-float64(want.Data[i])))
	}
	t.Logf("largest difference %.2g", worst)
	assert.Less(t, worst, 1e-4)
}

func TestAliceSplitDoesNotLeak(t *testing.T) {
	d := alice(t)
	delays, err := design.Delays([]float64{2, 4, 6, 8}, d.TR())
	require.NoError(t, err)
	subjects, err := d.Subjects("all")
	require.NoError(t, err)
	clock := design.Clock{TR: d.TR(), RowTime: d.RowTime()}
	window := design.BOLD{Delays: delays}.StimulusWindow(clock, design.StimulusWindow{Before: 4})
	audit := func(test ...string) *design.Report {
		var parts []design.Use
		for _, split := range []struct {
			name    string
			entries []string
		}{{"train", []string{"alice[10:200]"}}, {"val", []string{"alice[210:240]"}}, {"test", test}} {
			entries, err := ParseSplit(split.entries)
			require.NoError(t, err)
			rows, err := d.Resolve(entries, map[string]int{"alice": 362, "alice_seg12": 22}, [2]int{10, 5})
			require.NoError(t, err)
			for _, r := range rows {
				for _, name := range subjects {
					parts = append(parts, design.Use{Split: split.name, Subject: name, Rows: r})
				}
			}
		}
		report, err := design.Audit(window, d.AuditStories(), parts)
		require.NoError(t, err)
		return report
	}
	assert.NoError(t, audit("alice[250:362]").Err())
	assert.Error(t, audit("alice[245:362]").Err())
	assert.NoError(t, audit("alice_seg12").Err())
	leak := audit("alice[250:362]", "alice_seg12[0:22]")
	assert.NoError(t, leak.Err(), "both in test")
}

func TestAliceInputs(t *testing.T) {
	d := alice(t)
	var paths []string
	for digest, err := range d.Inputs([]string{"sub-18"}, []string{"alice_seg12"}) {
		require.NoError(t, err)
		require.Len(t, digest.SHA256, 64)
		require.Positive(t, digest.Bytes)
		paths = append(paths, filepath.Base(digest.Path))
	}
	assert.Equal(t, []string{"dataset.yaml", "alice_seg12.flac", "alice_seg12_words.tsv", "alice_seg12.txt"}, paths)
	assert.True(t, slices.IsSorted(d.paths(nil, nil)), "only dataset.yaml")
}
