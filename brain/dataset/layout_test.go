package dataset

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/npy"
)

// good is a small data set in the native layout; tests spoil one line of it.
const good = `name: small
tr_seconds: 2
stories:
  a: {audio: a.wav, words: a.tsv, first_tr_seconds: 1.5}
  b: {same_as: {story: a, row: 7}}
subjects:
  s1: {a: s1/a.txt, b: s1/b.npy}
  s2: {a: s2/a.txt}
derived:
  mean: {from: [s1, s2], responses: {a: mean.txt}}
rois:
  first: [0]
  mask: mask.txt
  own: {s1: [1], mean: [0, 1]}
`

// write makes a folder of files from name to text and gives its path.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	return dir
}

func TestOpenReadsTheLayout(t *testing.T) {
	dir := write(t, map[string]string{
		"dataset.yaml": good, "s1/a.txt": "1 2\n3 4\n", "mask.txt": "0 1",
		"a.tsv": "onset\toffset\tword\n0\t1\thello\n"})
	require.NoError(t, npy.Write(filepath.Join(dir, "s1/b.npy"), []int{2, 3, 2},
		[]float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}))
	for _, path := range []string{dir, filepath.Join(dir, "dataset.yaml")} {
		d, err := Open(path)
		require.NoError(t, err)
		assert.Equal(t, .5, d.RowTime(), "the default")
		clock, err := d.Clock("a")
		require.NoError(t, err)
		assert.Equal(t, design.Clock{First: 1.5, TR: 2, RowTime: .5}, clock)
		assert.Equal(t, []string{"s1", "s2"}, d.SubjectNames())
		assert.True(t, d.IsDerived("mean"))
		assert.False(t, d.IsDerived("s1"))
		assert.Equal(t, []string{"a", "b"}, d.StoriesOf("s1"))
		assert.Equal(t, []string{"a"}, d.StoriesOf("mean"))
		assert.Empty(t, d.StoriesOf("nobody"))
		assert.Equal(t, design.AuditStory{Name: "b", Clock: design.Clock{TR: 2, RowTime: .5}, SameAs: "a", Row: 7},
			d.AuditStories()[1])

		m, err := d.ReadResponses(t.Context(), "s1", "a")
		require.NoError(t, err)
		assert.Equal(t, NewMatrix(2, 2, []float32{1, 2, 3, 4}), m)
		m, err = d.ReadResponses(t.Context(), "s1", "b")
		require.NoError(t, err)
		assert.Equal(t, [3]int{2, 3, 2}, [3]int{m.Repeats, m.Rows, m.Voxels})
		assert.Equal(t, []float32{9, 10}, m.Row(1, 1))

		words, err := d.Words(t.Context(), "a")
		require.NoError(t, err)
		assert.Equal(t, []Word{{0, 1, "hello"}}, words)

		_, err = d.ReadResponses(t.Context(), "s2", "b")
		faulttest.Require(t, fault.Missing, err, "s2", "b")
		_, err = d.Audio(t.Context(), "b")
		faulttest.Require(t, fault.Missing, err, "story b has no audio")
		_, err = d.Audio(t.Context(), "a")
		faulttest.Require(t, fault.Missing, err, "a.wav")
	}
}

func TestOpenNamesThePlaceOfAMistake(t *testing.T) {
	for name, c := range map[string]struct {
		old, new string
		parts    []string
	}{
		"unknown key": {"tr_seconds", "tr_second",
			[]string{":2:1: unknown key \"tr_second\"", "did you mean tr_seconds?"}},
		"unknown story key": {"first_tr_seconds", "first_seconds",
			[]string{":4:35: unknown key", "first_tr_seconds"}},
		"unknown key, none near": {"name: small", "zzzzzzzzzz: 1",
			[]string{":1:1:", "the keys here are name, licence"}},
		"given twice":   {"name: small", "tr_seconds: 1", []string{":2:1:", "twice"}},
		"subject twice": {"  s2: {a", "  s1: {a", []string{":8:3:", `"s1" twice`}},
		"no number": {"tr_seconds: 2", "tr_seconds: two",
			[]string{`:2:13: tr_seconds is "two", want a number`}},
		"milliseconds": {"tr_seconds: 2", "tr_seconds: 2000",
			[]string{":2:1: tr_seconds", "looks like milliseconds", "write 2"}},
		"zero":     {"tr_seconds: 2", "tr_seconds: 0", []string{":2:1:", "not above 0"}},
		"negative": {"tr_seconds: 2", "tr_seconds: -2", []string{":2:1:", "not above 0"}},
		"NaN":      {"tr_seconds: 2", "tr_seconds: .nan", []string{":2:1:", "not above 0"}},
		"no TR":    {"tr_seconds: 2", "licence: none", []string{"there is no tr_seconds"}},
		"row time": {"tr_seconds: 2", "tr_seconds: 2\nrow_time: 2", []string{":3:1:", "between 0 and 1"}},
		"first not finite": {"first_tr_seconds: 1.5", "first_tr_seconds: .inf",
			[]string{":4:35: stories/a/first_tr_seconds"}},
		"same_as unknown": {"story: a, row", "story: c, row",
			[]string{":5:7: stories/b/same_as", `no story "c"`}},
		"same_as itself":         {"story: a, row", "story: b, row", []string{":5:7:", "circle"}},
		"same_as half":           {"{story: a, row: 7}", "{story: a}", []string{":5:16:", "story and row"}},
		"row no integer":         {"row: 7", "row: 7.5", []string{":5:32:", "whole number"}},
		"response to no story":   {"s2: {a:", "s2: {c:", []string{":8:8: subjects/s2/c", `no story "c"`}},
		"no responses":           {"s2: {a: s2/a.txt}", "s2: {}", []string{":8:3:", "no responses"}},
		"matrix not named":       {"s2: {a: s2/a.txt}", "s2: {a: }", []string{"subjects/s2/a is empty, want text"}},
		"subject no mapping":     {"s2: {a: s2/a.txt}", "s2: s2/a.txt", []string{":8:7:", "want a mapping"}},
		"derived from unknown":   {"from: [s1, s2]", "from: [s1, s9]", []string{":10:10: derived/mean/from", `"s9"`}},
		"derived from nothing":   {"from: [s1, s2], ", "", []string{":10:9:", "needs from"}},
		"derived like a subject": {"  mean: {f", "  s1: {f", []string{":10:3:", "listed twice"}},
		"roi columns":            {"first: [0]", "first: [0.5]", []string{":12:11:", "whole number"}},
		"roi empty":              {"first: [0]", "first: []", []string{":12:10:", "empty"}},
		"roi that clears a screen": {"own: {s1", `"o\e[2Jwn": {s1`,
			[]string{":14:3:", `cannot be the name of an ROI`}},
		"roi of two lines": {"own: {s1", `"o\nwn": {s1`, []string{":14:3:", `"o\nwn" cannot be the name of an ROI`}},
		"roi like a path":  {"own: {s1", "../own: {s1", []string{":14:3:", `"../own" cannot be the name of an ROI`}},
		"roi of nobody":    {"own: {s1", "own: {s9", []string{":14:9: rois/own/s9"}},
		"name for a glob":  {"  s2: {a", "  s*: {a", []string{":8:3:", "cannot be the name"}},
		"name of everyone": {"  s2: {a", "  all: {a", []string{":8:3:", "cannot be the name"}},
		"name up":          {"  s2: {a", "  ..: {a", []string{":8:3:", "cannot be the name"}},
		"merge":            {"tr_seconds: 2", "<<: {tr_seconds: 2}", []string{":2:1:"}},
		"list":             {good, "[1, 2]", []string{"want a mapping"}},
		"empty":            {good, "", []string{"empty"}},
		"comment":          {good, "# nothing\n", []string{"empty"}},
		"null":             {good, "---\n", []string{"want a mapping"}},
		"two documents":    {good, good + "---\n" + good, []string{"more than one document"}},
		"no YAML":          {"stories:", "stories: {", []string{"line"}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, good, c.old)
			dir := write(t, map[string]string{"dataset.yaml": strings.Replace(good, c.old, c.new, 1)})
			_, err := Open(dir)
			faulttest.Require(t, fault.BadData, err, append(c.parts, "dataset.yaml")...)
		})
	}
}

func TestOpenTakesAliases(t *testing.T) {
	d, err := Open(write(t, map[string]string{"dataset.yaml": `
tr_seconds: 2
stories: {a: {}}
subjects: {s1: &same {a: x.txt}, s2: *same}`}))
	require.NoError(t, err)
	assert.Equal(t, []string{"a"}, d.StoriesOf("s2"))
}

func TestOpenWithoutAFile(t *testing.T) {
	_, err := Open(filepath.Join(t.TempDir(), "nowhere"))
	faulttest.Require(t, fault.Missing, err, "nowhere")
	_, err = Open(t.TempDir())
	faulttest.Require(t, fault.Missing, err, "dataset.yaml")
}

func TestPathsStayInTheFolder(t *testing.T) {
	outside := write(t, map[string]string{"m.txt": "1 2\n"})
	dir := write(t, map[string]string{"x.txt": "1 2\n"})
	relative, err := filepath.Rel(dir, filepath.Join(outside, "m.txt"))
	require.NoError(t, err)
	require.NoError(t, os.Symlink(filepath.Join(outside, "m.txt"), filepath.Join(dir, "link.txt")))
	require.NoError(t, os.Symlink("x.txt", filepath.Join(dir, "inside.txt")))
	require.NoError(t, os.Symlink("../.git/annex/objects/xy/SHA256E-s1", filepath.Join(dir, "annexed.txt")))
	require.NoError(t, os.Symlink("loop.txt", filepath.Join(dir, "loop.txt")))
	require.NoError(t, os.Symlink(".git/annex/objects/xy/SHA256E-s1", filepath.Join(dir, "dangling.txt")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pointer.txt"), []byte("/annex/objects/SHA256E-s1\n"), 0o644))
	read := func(name string) error {
		_, err := folder{dir: dir}.matrix(t.Context(), name)
		return err
	}
	assert.NoError(t, read("x.txt"))
	assert.NoError(t, read("inside.txt"))
	assert.NoError(t, read(filepath.Join(outside, "m.txt")), "an absolute path is the user's own word")
	faulttest.Require(t, fault.BadData, read(relative), "leads out", "absolute path")
	faulttest.Require(t, fault.BadData, read("link.txt"), "leads out")
	faulttest.Require(t, fault.Missing, read("annexed.txt"), "datalad get")
	faulttest.Require(t, fault.Missing, read("loop.txt"), "leads back to itself")
	faulttest.Require(t, fault.Missing, read("dangling.txt"), "datalad get")
	faulttest.Require(t, fault.Missing, read("pointer.txt"), "datalad get")
	faulttest.Require(t, fault.Missing, read("nothing.txt"), "nothing.txt")
	faulttest.Require(t, fault.BadData, read("."), "folder")
}

func TestOpenFollowsALinkThatTheUserNames(t *testing.T) {
	link := filepath.Join(t.TempDir(), "dataset.yaml")
	require.NoError(t, os.Symlink(filepath.Join(write(t, map[string]string{"dataset.yaml": good}), "dataset.yaml"),
		link))
	_, err := Open(link)
	require.NoError(t, err)
}

func TestInputs(t *testing.T) {
	dir := write(t, map[string]string{"dataset.yaml": good, "a.wav": "", "a.tsv": "abc", "s1/a.txt": "1",
		"mask.txt": "1", "s1/b.npy": "2"})
	d, err := Open(dir)
	require.NoError(t, err)
	var found []string
	for digest, err := range d.Inputs([]string{"s1"}, []string{"a"}) {
		require.NoError(t, err)
		rel, err := filepath.Rel(dir, digest.Path)
		require.NoError(t, err)
		found = append(found, rel)
		if rel == "a.tsv" {
			assert.Equal(t, Digest{Path: digest.Path, Bytes: 3,
				SHA256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}, digest,
				"SHA-256 of abc, FIPS 180-4")
		}
	}
	assert.Equal(t, []string{"dataset.yaml", "a.wav", "a.tsv", "s1/a.txt", "mask.txt"}, found)

	var last error
	n := 0
	for _, err := range d.Inputs([]string{"mean"}, []string{"a"}) {
		last = err
		n++
	}
	faulttest.Require(t, fault.Missing, last, "mean.txt")
	assert.Equal(t, 4, n, "the sequence ends after an error")
}
