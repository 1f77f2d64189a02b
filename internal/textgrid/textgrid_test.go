package textgrid

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/fuzztest"
	"github.com/brainwavlm/bwlm/internal/labtest"
)

// want is what the texts of the three forms hold.
var want = Grid{Start: 0.0125, End: 2.5, Tiers: []Tier{
	{Name: "phone", Intervals: []Interval{{0.0125, 1.25, "ns"}, {1.25, 1.5, "S"}, {1.499, 2.5, `say "OW1"`}}},
	{Name: "Word", Intervals: []Interval{{0.0125, 1.25, "{NS}"}, {1.25, 2.5, "SO"}}},
	{Name: "clicks", Points: true, Intervals: []Interval{{2, 2, "é"}}},
}}

const long = `File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0.0125 
xmax = 2.5 
tiers? <exists> 
size = 3 
item []: 
    item [1]:
        class = "IntervalTier" 
        name = "phone" 
        xmin = 0.0125 
        xmax = 2.5 
        intervals: size = 3 
        intervals [1]:
            xmin = 0.0125 
            xmax = 1.25 
            text = "ns" 
        intervals [2]:
            xmin = 1.25 
            xmax = 1.5 
            text = "S" 
        intervals [3]:
            xmin = 1.499 
            xmax = 2.5 
            text = "say ""OW1""" 
    item [2]:
        class = "IntervalTier" 
        name = "Word" 
        xmin = 0.0125 
        xmax = 2.5 
        intervals: size = 2 
        intervals [1]:
            xmin = 0.0125 
            xmax = 1.25 
            text = "{NS}" 
        intervals [2]:
            xmin = 1.25 
            xmax = 2.5 
            text = "SO" 
    item [3]:
        class = "TextTier" 
        name = "clicks" 
        xmin = 0.0125 
        xmax = 2.5 
        points: size = 1 
        points [1]:
            number = 2 
            mark = "é" 
`

const short = `File type = "ooTextFile"
Object class = "TextGrid"

0.0125
2.5
<exists>
3
"IntervalTier"
"phone"
0.0125
2.5
3
0.0125
1.25
"ns"
1.25
1.5
"S"
1.499
2.5
"say ""OW1"""
"IntervalTier"
"Word"
0.0125
2.5
2
0.0125
1.25
"{NS}"
1.25
2.5
"SO"
"TextTier"
"clicks"
0.0125
2.5
1
2
"é"
`

const byTime = `"Praat chronological TextGrid text file"
0.0125 2.5   ! Time domain, 7 "numbers" and all.
3   ! Number of tiers.
"IntervalTier" "phone" 0.0125 2.5
"IntervalTier" "Word" 0.0125 2.5
"TextTier" "clicks" 0.0125 2.5
1 0.0125 1.25
"ns"
2 0.0125 1.25
"{NS}"
1 1.25 1.5
"S"
2 1.25 2.5
"SO"
1 1.499 2.5
"say ""OW1"""
3 2
"é"
`

// wideText encodes a text in UTF-16.
func wideText(text string, order binary.AppendByteOrder) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(text)) {
		out = order.AppendUint16(out, u)
	}
	return out
}

func TestAllFormsInAllEncodingsAreOne(t *testing.T) {
	for form, text := range map[string]string{"long": long, "short": short, "by time": byTime} {
		for encoding, data := range map[string][]byte{
			"UTF-8":                       []byte(text),
			"UTF-8 with a mark":           []byte("\ufeff" + text),
			"UTF-8, carriage returns":     []byte(strings.ReplaceAll(text, "\n", "\r\n")),
			"UTF-16, little":              wideText(text, binary.LittleEndian),
			"UTF-16, big":                 wideText(text, binary.BigEndian),
			"UTF-16, little, with a mark": wideText("\ufeff"+text, binary.LittleEndian),
			"UTF-16, big, with a mark":    wideText("\ufeff"+text, binary.BigEndian),
		} {
			got, err := Parse(data, "x.TextGrid")
			require.NoError(t, err, "%s, %s", form, encoding)
			assert.Equal(t, want, got, "%s, %s", form, encoding)
		}
	}
}

func TestTiersAreFoundByTheirNames(t *testing.T) {
	words, ok := want.Words()
	require.True(t, ok)
	assert.Equal(t, []Interval{{1.25, 2.5, "so"}}, words.Spoken())
	phones, ok := want.Phones()
	require.True(t, ok)
	assert.Len(t, phones.Spoken(), 2)

	other := Grid{Tiers: []Tier{{Name: "word", Points: true}, {Name: "a"}, {Name: "clicks", Points: true}, {Name: "b"}}}
	second, ok := other.Words()
	require.True(t, ok)
	assert.Equal(t, "b", second.Name)
	_, ok = other.Phones()
	assert.False(t, ok)
	_, ok = Grid{Tiers: []Tier{{Name: "a"}}}.Words()
	assert.False(t, ok)
}

func TestLabelsThatAreNotSpoken(t *testing.T) {
	var tier Tier
	for _, label := range []string{"{BR}", "br", "{lg}", "LS", "ns", "sp", "", " ", "sentence_start", "{SENTENCE_END}",
		"Spa", "{sp"} {
		tier.Intervals = append(tier.Intervals, Interval{Label: label})
	}
	assert.Equal(t, []Interval{{Label: "spa"}}, tier.Spoken())
}

func TestFilesOfLaboratories(t *testing.T) {
	dir := labtest.Dir(t)
	verdicts := labtest.Verdicts(t, "text/*.TextGrid", "ds003020/derivative/TextGrids/*.TextGrid")
	require.Len(t, verdicts, 4)
	for file, verdict := range verdicts {
		require.Contains(t, verdict, "read", file)
		g, err := Read(filepath.Join(dir, file))
		require.NoError(t, err, file)
		require.Len(t, g.Tiers, 2)
		assert.Equal(t, .0124716553288, g.Start)
		words, ok := g.Words()
		require.True(t, ok)
		assert.Equal(t, []Interval{{1.26961451247, 2.23741496599, "so"}}, words.Spoken(), file)
		phones, ok := g.Phones()
		require.True(t, ok)
		assert.Equal(t, []Interval{{1.26961451247, 1.48948829731937, "s"}, {1.48948829731937, 2.23741496599, "ow1"}},
			phones.Spoken(), file)
	}
}

func TestWhatIsRefused(t *testing.T) {
	swap := func(text, old, new string) string { return strings.Replace(text, old, new, 1) }
	cut := func(text, at string) string { return text[:strings.Index(text, at)] }
	for name, c := range map[string]struct{ text, want string }{
		"nothing":                  {"", "is not a TextGrid"},
		"numbers":                  {"1 2 3", "is not a TextGrid"},
		"a picture":                {"\x89PNG\r\n\x1a\n", "is a PNG picture, want a TextGrid"},
		"Latin-1":                  {"\"ooTextFile\" \"\xe9\"", "neither UTF-8 nor UTF-16"},
		"half of UTF-16":           {"\xff\xfe\"", "ends within a character"},
		"half a pair":              {"\xff\xfe\x00\xd8a\x00", "has half a character"},
		"another object":           {"\"ooTextFile\" \"PitchTier\"", "is a PitchTier, want a TextGrid"},
		"long, cut":                {cut(long, "clicks"), "the text in quotes that begins in line 43 has no end"},
		"short, cut":               {cut(short, `"{NS}"`), "line 29: found the end of the file, want a label"},
		"by time, cut":             {cut(byTime, "1.499"), "found the end of the file, want a time"},
		"a tier that is not there": {swap(byTime, "3 2\n", "4 2\n"), "line 17: there is no tier 4"},
		"a point of a tier":        {swap(short, "TextTier", "PointTier"), "a tier is a PointTier"},
		"more labels than there are": {swap(short, "2\n0.0125\n1.25\n\"{NS}", "20000000\n0.0125\n1.25\n\"{NS}"),
			"found TextTier, want a time"},
		"half a label":             {swap(short, "<exists>\n3\n", "<exists>\n2.5\n"), "the number of tiers is 2.5"},
		"an end before its begin":  {swap(short, "1.25\n1.5\n", "1.25\n1.2\n"), "line 17: the time ends at 1.2"},
		"a time that is no number": {swap(short, "1.25\n1.5\n", "1.25\nnan\n"), "found S, want a time"},
		"a huge number":            {swap(short, "1.25\n1.5\n", "1.25\n1e999\n"), "found S, want a time"},
	} {
		_, err := Parse([]byte(c.text), "x.TextGrid")
		require.Error(t, err, name)
		faulttest.Require(t, fault.BadData, err, "read TextGrid: x.TextGrid: ", c.want)
	}
	path := filepath.Join(t.TempDir(), "a.TextGrid")
	_, err := Read(path)
	faulttest.Require(t, fault.Missing, err, "no such file")
	require.NoError(t, os.WriteFile(path, []byte("/annex/objects/SHA256E-s120--abc\n"), 0o600))
	_, err = Read(path)
	faulttest.Require(t, fault.Missing, err, "git-annex link without content")
}

func TestNoTiers(t *testing.T) {
	g, err := Parse([]byte("\"ooTextFile\" \"TextGrid\" 0 1 <absent>"), "x")
	require.NoError(t, err)
	assert.Equal(t, Grid{End: 1}, g)
}

// FuzzParse reads any bytes; what is read can be written in the short form and read again.
func FuzzParse(f *testing.F) {
	for _, text := range []string{long, short, byTime} {
		f.Add([]byte(text))
		f.Add(wideText("\ufeff"+text, binary.BigEndian))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		var g Grid
		var err error
		fuzztest.Run(t, 64, input, func() { g, err = Parse(input, "x") })
		if err != nil {
			require.Equal(t, fault.BadData, min(fault.KindOf(err), fault.BadData), "%v", err)
			return
		}
		again, err := Parse([]byte(written(g)), "x")
		require.NoError(t, err)
		require.Equal(t, g, again)
	})
}

// written is a grid in the short form.
func written(g Grid) string {
	var b strings.Builder
	quoted := func(text string) string { return `"` + strings.ReplaceAll(text, `"`, `""`) + "\"\n" }
	fmt.Fprintf(&b, "File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n\n%v\n%v\n", g.Start, g.End)
	if g.Tiers == nil {
		return b.String() + "<absent>\n"
	}
	fmt.Fprintf(&b, "<exists>\n%d\n", len(g.Tiers))
	for _, t := range g.Tiers {
		class := "IntervalTier"
		if t.Points {
			class = "TextTier"
		}
		fmt.Fprintf(&b, "%s%s%v\n%v\n%d\n", quoted(class), quoted(t.Name), g.Start, g.End, len(t.Intervals))
		for _, i := range t.Intervals {
			if t.Points {
				fmt.Fprintf(&b, "%v\n%s", i.Start, quoted(i.Label))
			} else {
				fmt.Fprintf(&b, "%v\n%v\n%s", i.Start, i.End, quoted(i.Label))
			}
		}
	}
	return b.String()
}
