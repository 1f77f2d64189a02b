package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/fault"
)

// matlab is a MATLAB file (version 4) with the matrix R, (rows, columns).
func matlab(rows, columns int) []byte {
	var b []byte
	for _, n := range []int{0, rows, columns, 0, 2} { // float64, its shape, real, length of the name
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	b = append(b, 'R', 0)
	for c := range columns {
		for r := range rows {
			b, _ = binary.Append(b, binary.LittleEndian, float64(10*r+c))
		}
	}
	return b
}

func TestBuild(t *testing.T) {
	dir := t.TempDir()
	from, out := filepath.Join(dir, "from"), filepath.Join(dir, "out")
	for name, text := range map[string][]byte{
		"from/sounds/category_labels.csv": []byte("bark,AniVoc\nrain,Nature\nvoice,EngSpeech\n"),
		"from/data/components.mat":        matlab(3, 6),
		"folds.tsv":                       []byte("sound\tfold\nbark\t0\nrain\t1\nvoice\t0\n"),
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, text, 0o600))
	}
	args := []string{"-from", from, "-out", out, "-folds", filepath.Join(dir, "folds.tsv")}
	var printed strings.Builder
	require.NoError(t, run(t.Context(), args, &printed))
	assert.Contains(t, printed.String(), "3 sounds, 6 components")
	d, err := dataset.Open(out)
	require.NoError(t, err)
	events := d.Events()
	require.Len(t, events, 3)
	assert.Equal(t, map[string]string{"category": "Nature", "group": "environment", "fold": "1"}, events[1].Labels)
	assert.Equal(t, filepath.Join(from, "stimuli", "wav", "rain.wav"), events[1].Audio.Path)
	m, err := d.ReadResponses(t.Context(), "components", dataset.EventStory)
	require.NoError(t, err)
	assert.Equal(t, []float32{10, 11, 12, 13, 14, 15}, m.Row(0, 1))
	speech, err := d.ROI(t.Context(), "speech", "components", 6)
	require.NoError(t, err)
	assert.Equal(t, []int{4}, speech)

	require.NoError(t, os.WriteFile(filepath.Join(from, "sounds", "category_labels.csv"), []byte("bark,Dog\n"), 0o600))
	err = run(t.Context(), args, &printed)
	assert.Equal(t, fault.BadData, fault.KindOf(err))
	assert.ErrorContains(t, err, `category_labels.csv:1: "bark,Dog" is no name and category`)
}

// The folds of the study have each sound once, and as many of each category as can be.
func TestFoldsOfTheStudy(t *testing.T) {
	text, err := os.ReadFile("../folds.tsv")
	require.NoError(t, err)
	seen, sizes := map[string]bool{}, map[string]int{}
	for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		fields := strings.Split(line, "\t")
		require.Len(t, fields, 2)
		if i == 0 {
			assert.Equal(t, []string{"sound", "fold"}, fields)
			continue
		}
		assert.False(t, seen[fields[0]], line)
		seen[fields[0]] = true
		sizes[fields[1]]++
	}
	assert.Equal(t, map[string]int{"0": 33, "1": 33, "2": 33, "3": 33, "4": 33}, sizes)
	sums, err := os.ReadFile("../files.sha256")
	require.NoError(t, err)
	for name := range seen {
		assert.Contains(t, string(sums), "  stimuli/wav/"+name+".wav\n")
	}
}
