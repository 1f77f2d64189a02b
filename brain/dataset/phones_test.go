package dataset

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/labtest"
)

const grid = `File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 1
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "words"
        xmin = 0
        xmax = 1
        intervals: size = 1
        intervals [1]:
            xmin = 0
            xmax = 1
            text = "hm"
    item [2]:
        class = "IntervalTier"
        name = "phones"
        xmin = 0
        xmax = 1
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.25
            text = ""
        intervals [2]:
            xmin = 0.25
            xmax = 0.5
            text = "HH"
        intervals [3]:
            xmin = 0.5
            xmax = 1
            text = "M ""x"""
`

func TestReadPhones(t *testing.T) {
	want := []Word{{Onset: .25, Offset: .5, Text: "HH"}, {Onset: .5, Offset: 1, Text: `M "x"`}}
	got, err := readPhones(strings.NewReader(grid), "a.TextGrid")
	require.NoError(t, err)
	assert.Equal(t, want, got)

	got, err = readPhones(strings.NewReader("onset\toffset\tphone\n0.25\t0.5\tHH\n0.5\t1\tM \"x\"\n"), "a.tsv")
	require.NoError(t, err)
	assert.Equal(t, want, got)

	for text, why := range map[string]string{
		strings.ReplaceAll(grid, `"phones"`, `"mau"`):       "a: there is no interval tier named phones or phone",
		strings.Replace(grid, "xmax = 0.5", "xmax = x", 1):  "line 32: found HH, want a time",
		strings.Replace(grid, "xmax = 0.5", "xmax = .1", 1): "before it begins",
		"onset\toffset\tword\n":                             `there is no column "phone"`,
	} {
		_, err := readPhones(strings.NewReader(text), "a")
		require.ErrorContains(t, err, why)
		assert.Equal(t, fault.BadData, fault.KindOf(err))
	}
}

func TestPhonesAndSpeakerOfALayout(t *testing.T) {
	dir := t.TempDir()
	yaml := "tr_seconds: 2\nstories: {s: {phones: s.TextGrid, speaker: ada}, u: {}}\nsubjects: {p: {s: m.txt}}\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "dataset.yaml"), []byte(yaml), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "s.TextGrid"), []byte(grid), 0o644))
	d, err := Open(dir)
	require.NoError(t, err)
	phones, err := d.Phones(t.Context(), "s")
	require.NoError(t, err)
	assert.Len(t, phones, 2)
	s, err := d.Story("s")
	require.NoError(t, err)
	assert.Equal(t, "ada", s.Speaker)
	assert.Contains(t, d.paths([]string{"p"}, []string{"s"}), filepath.Join(dir, "s.TextGrid"))
	_, err = d.Phones(t.Context(), "u")
	assert.Equal(t, fault.Missing, fault.KindOf(err))
}

// Words come from the three forms of TextGrids that laboratories have, and from one in UTF-16.
func TestWordsOfTextGrids(t *testing.T) {
	lab := labtest.Dir(t)
	for name, file := range map[string]string{"long": "ds003020/derivative/TextGrids/avatar.TextGrid",
		"short":         "ds003020/derivative/TextGrids/wheretheressmoke.TextGrid",
		"chronological": "ds003020/derivative/TextGrids/souls.TextGrid", "UTF-16": "text/utf16.TextGrid"} {
		words, err := ReadWords(filepath.Join(lab, file))
		require.NoError(t, err, name)
		require.NotEmpty(t, words, name)
		assert.Equal(t, "so", words[0].Text, name)
	}
}
