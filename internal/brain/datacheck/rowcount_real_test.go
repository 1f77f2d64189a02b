package datacheck

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/design"
)

// annexSizes reads the bytes of each file from a list of git-annex links.
func annexSizes(t *testing.T, path string) map[string]float64 {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	sizes := map[string]float64{}
	for _, m := range regexp.MustCompile(`(?m)^(\S+) .*/MD5E-s(\d+)--`).FindAllStringSubmatch(string(text), -1) {
		n, err := strconv.ParseFloat(m[2], 64)
		require.NoError(t, err)
		sizes[m[1]] = n
	}
	return sizes
}

// leBel returns the matrices of ds003020: rows and lengths follow from the sizes of its files and the TRs of its
// runs, which have 10 s of silence at both ends; rows are those 20 s after the run began to 20 s before it ended.
func leBel(t *testing.T) []matrixShape {
	t.Helper()
	shared := os.Getenv("BWLM_SHARED")
	if shared == "" {
		t.Skip("BWLM_SHARED does not name the folder with the sizes of real files")
	}
	real := filepath.Join(shared, "labfiles", "real")
	text, err := os.ReadFile(filepath.Join(real, "ds003020_respdict.json"))
	require.NoError(t, err)
	var runs map[string]int
	require.NoError(t, json.Unmarshal(text, &runs))
	require.Len(t, runs, 84)
	wavs := annexSizes(t, filepath.Join(real, "ds003020_wav_annex_links.txt"))
	files := annexSizes(t, filepath.Join(real, "ds003020_hf5_annex_links.txt"))
	voxels := map[string]int{"UTS01": 81126, "UTS02": 94251, "UTS03": 95556, "UTS04": 109469, "UTS05": 99322,
		"UTS06": 92198, "UTS07": 94395, "UTS08": 97023, "UTS09": 98336}
	var list []matrixShape
	for path, bytes := range files {
		subject, story := filepath.Base(filepath.Dir(path)), filepath.Base(path[:len(path)-len(".hf5")])
		run := float64(runs[story])
		rows := int(run) - 20
		if story != "wheretheressmoke" { // that file has the repeats, too
			require.Equal(t, float64(2048+8*rows*voxels[subject]), bytes, path)
		}
		mono := (wavs["stimuli/"+story+".wav"] - 44) / (44100 * 2)
		seconds := mono
		if math.Abs(mono/2-(2*run-20)) < math.Abs(mono-(2*run-20)) {
			seconds = mono / 2
		}
		list = append(list, matrixShape{Subject: subject, Story: story, Path: path, Rows: rows, Voxels: voxels[subject],
			Audio: seconds, Clock: design.Clock{First: 10, TR: 2, RowTime: .5}})
	}
	require.Greater(t, len(list), 400)
	return list
}

func TestTheRowsOfLeBelAreRight(t *testing.T) {
	list := leBel(t)
	got := judgeShapes(list)
	require.NoError(t, got.Err())
	require.Len(t, got.Notes, 1, "5 or 6 rows are missing in all stories")
	assert.Contains(t, got.Notes[0], "each story has 5 to 6 rows (10.0 to 12.0 s) fewer than TRs of audio")

	t.Run("and with what the data set states they pass without a note", func(t *testing.T) {
		stated := slices.Clone(list)
		for i, m := range stated {
			stated[i] = m.spanning(10, 10+2*float64(m.Rows))
		}
		got := judgeShapes(stated)
		require.NoError(t, got.Err())
		assert.Empty(t, got.Notes)
	})
	t.Run("while each fault in one of them is found", func(t *testing.T) {
		at := slices.IndexFunc(list, func(m matrixShape) bool { return m.Subject == "UTS02" && m.Story == "souls" })
		require.GreaterOrEqual(t, at, 0)
		for name, spoil := range map[string]func(*matrixShape){
			"twice the rows":         func(m *matrixShape) { m.Rows *= 2 },
			"15 rows too few":        func(m *matrixShape) { m.Rows -= 15 },
			"transposed":             func(m *matrixShape) { m.Rows, m.Voxels = m.Voxels, m.Rows },
			"another story's file":   func(m *matrixShape) { m.Rows = 477 },
			"another subject's file": func(m *matrixShape) { m.Voxels = voxelsOf("UTS03", list) },
		} {
			spoilt := slices.Clone(list)
			spoil(&spoilt[at])
			err := judgeShapes(spoilt).Err()
			require.Error(t, err, name)
			assert.Contains(t, err.Error(), "UTS02/souls.hf5: subject UTS02, story souls", name)
		}
		short := slices.Clone(list)
		for i := range short {
			short[i].Clock.TR = 1.5
		}
		require.Error(t, judgeShapes(short).Err(), "a TR of 1.5 s for 2")
	})
}

func voxelsOf(subject string, list []matrixShape) int {
	return list[slices.IndexFunc(list, func(m matrixShape) bool { return m.Subject == subject })].Voxels
}

// Stories of the Narratives collection (ds002345): seconds of the recordings from the sizes of their files, onset
// and length of the story in TRs of 1.5 s from code/event_meta.json of snastase/narratives.
func TestTheRowsOfNarrativesAreRight(t *testing.T) {
	var whole, cut []matrixShape
	for _, s := range []struct {
		story           string
		seconds         float64
		onset, duration int
	}{{"tunnel", 1533.8, 2, 1023}, {"lucy", 542.2, 1, 361}, {"black", 800, 8, 533}, {"forgot", 837, 8, 558}} {
		m := matrixShape{Subject: "sub-001", Story: s.story, Rows: s.duration, Voxels: 40962, Audio: s.seconds,
			Clock: design.Clock{TR: 1.5, RowTime: .5}}
		cut = append(cut, m)
		m.Rows = s.onset + s.duration + 8 // the scanner goes on for 12 s
		whole = append(whole, m.from(-1.5*float64(s.onset)))
	}
	pieman := matrixShape{Subject: "sub-001", Story: "pieman", Rows: 300, Voxels: 40962, Audio: 450,
		Clock: design.Clock{TR: 1.5, RowTime: .5}} // with the music before the story
	got := judgeShapes(append(cut, pieman))
	require.NoError(t, got.Err())
	assert.Empty(t, got.Notes)
	got = judgeShapes(append(whole, pieman))
	require.NoError(t, got.Err())
	assert.Len(t, got.Notes, 1)
}
