package dataset

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// subjects makes a data set in memory: each subject answers one story, "a".
func subjects(names, derived []string) Spec {
	spec := Spec{Name: "memory", TR: 2, Stories: []Story{{Name: "a"}, {Name: "b"}, {Name: "bb"}}}
	for _, list := range []struct {
		names []string
		to    *[]Subject
	}{{names, &spec.Subjects}, {derived, &spec.Derived}} {
		for _, name := range list.names {
			*list.to = append(*list.to, Subject{Name: name, Responses: []Response{
				{Story: "a", Matrix: Value(NewMatrix(2, 2, []float32{1, 2, 3, 4}))}}})
		}
	}
	return spec
}

func mustNew(t testing.TB, spec Spec) *Dataset {
	t.Helper()
	d, err := New(spec)
	require.NoError(t, err)
	return d
}

func TestSubjects(t *testing.T) {
	d := mustNew(t, subjects([]string{"sub-2", "sub-1", "other"}, []string{"sub-mean"}))
	for _, c := range []struct {
		patterns, want []string
	}{
		{[]string{"*"}, []string{"sub-2", "sub-1", "other"}},
		{[]string{"all"}, []string{"sub-2", "sub-1", "other"}},
		{[]string{"sub-*"}, []string{"sub-2", "sub-1"}},
		{[]string{"sub-[1]", "sub-1", "oth?r"}, []string{"sub-1", "other"}},
		{[]string{"sub-mean"}, []string{"sub-mean"}},
		{nil, []string{}},
	} {
		got, err := d.Subjects(c.patterns...)
		require.NoError(t, err)
		assert.Equal(t, c.want, got, c.patterns)
	}
	for pattern, part := range map[string]string{
		"sub-3": `did you mean "sub-2"?`, "sub-m*": "there is no subject", "[": "there is no subject",
		"zzzzzzzzzz": "there are sub-2, sub-1, other, sub-mean",
	} {
		_, err := d.Subjects(pattern)
		faulttest.Require(t, fault.Usage, err, pattern, part)
	}
}

func TestNewRefusesABadSpec(t *testing.T) {
	for name, spoil := range map[string]func(*Spec){
		"no stories":  func(s *Spec) { s.Stories = nil },
		"colours":     func(s *Spec) { s.Name = "a\x1b[31mb" },
		"a bell":      func(s *Spec) { s.Licence = "CC\a" },
		"a title":     func(s *Spec) { s.Citation = "one\n\x1b]0;two" },
		"a speaker":   func(s *Spec) { s.Stories[0].Speaker = "ada\x1b" },
		"no subjects": func(s *Spec) { s.Subjects = nil },
		"story twice": func(s *Spec) { s.Stories = append(s.Stories, Story{Name: "a"}) },
		"no matrix":   func(s *Spec) { s.Subjects[0].Responses[0].Matrix = Input[*Matrix]{} },
		"circle": func(s *Spec) {
			s.Stories[0].SameAs, s.Stories[1].SameAs = &SameAs{Story: "b"},
				&SameAs{Story: "a"}
		},
		"empty region": func(s *Spec) { s.ROIs = []ROI{{Name: "r"}} },
		"region of two lines": func(s *Spec) {
			s.ROIs = []ROI{{Name: "r\ns", Region: Value(Region{Columns: []int{0}})}}
		},
		"region twice": func(s *Spec) {
			r := ROI{Name: "r", Region: Value(Region{Columns: []int{0}})}
			s.ROIs = []ROI{r, r}
		},
	} {
		spec := subjects([]string{"s1"}, nil)
		spoil(&spec)
		_, err := New(spec)
		require.Error(t, err, name)
		assert.Equal(t, fault.BadData, fault.KindOf(err), name)
		assert.NotContains(t, err.Error(), "\n", name)
	}
}

func TestResponsesNamesTheValueThatIsNotFinite(t *testing.T) {
	spec := subjects([]string{"s1"}, nil)
	m := &Matrix{Repeats: 2, Rows: 3, Voxels: 2, Data: make([]float32, 12)}
	spec.Subjects[0].Responses[0].Matrix = Value(m)
	d := mustNew(t, spec)
	read := func() error {
		_, err := d.ReadResponses(t.Context(), "s1", "a")
		return err
	}
	m.Data[0], m.Data[1], m.Data[2] = float32(math.Copysign(0, -1)), math.SmallestNonzeroFloat32, 1e38
	require.NoError(t, read(), "-0, denormals and 1e38 are numbers")
	m.Data[9] = float32(math.NaN()) // repeat 1, TR 1, voxel 1
	m.Data[10] = float32(math.Inf(-1))
	faulttest.Require(t, fault.BadData, read(), "story a", "repeat 1, TR 1, voxel 1 is NaN", "2 of 12")
	m.Repeats, m.Data = 1, []float32{0, 0, 0, 0, float32(math.Inf(1)), 0}
	faulttest.Require(t, fault.BadData, read(), ": TR 2, voxel 0 is +Inf")
	m.Data = m.Data[:5]
	faulttest.Require(t, fault.BadData, read(), "5 values")
	m.Rows = 0
	faulttest.Require(t, fault.BadData, read(), "empty")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := d.ReadResponses(ctx, "s1", "a")
	require.ErrorIs(t, err, context.Canceled)
	_, err = d.ReadResponses(t.Context(), "s9", "a")
	faulttest.Require(t, fault.Usage, err, `"s9"`, `did you mean "s1"?`)
}

func TestMatrix(t *testing.T) {
	m := &Matrix{Repeats: 2, Rows: 2, Voxels: 3, Data: []float32{
		1, 5, 0, 1, 6, 0,
		2, 5, 0, 2, 8, 0}}
	assert.Equal(t, []float32{1.5, 5, 0, 1.5, 7, 0}, m.Mean())
	assert.Equal(t, []float32{2, 5, 0, 2, 8, 0}, m.repeat(1))
	assert.Equal(t, &Matrix{Repeats: 2, Rows: 2, Voxels: 2, Data: []float32{0, 1, 0, 1, 0, 2, 0, 2}},
		m.Select([]int{2, 0}))
	assert.Panics(t, func() { NewMatrix(2, 2, make([]float32, 3)) })
	one := NewMatrix(1, 3, []float32{1, 2, 3})
	assert.Equal(t, one.Data, one.Mean())
}

func TestReadText(t *testing.T) {
	m, err := readText(strings.NewReader("\ufeff# made by hand\r\n 1 -2e3\t.5\r\n\r\n4 nan +inf"), "m.txt")
	require.NoError(t, err)
	assert.Equal(t, [2]int{2, 3}, [2]int{m.Rows, m.Voxels})
	assert.Equal(t, []float32{1, -2000, .5, 4}, m.Data[:4])
	for text, part := range map[string]string{
		"1 2\n3":           "m.txt:2: 1 numbers, the lines before have 2",
		"1,2\n3,4":         `m.txt:1: column 0: "1,2" is not a number`,
		"1 2\n3 x":         `m.txt:2: column 1: "x"`,
		"1 1e39":           "does not fit 32 bits",
		"1 1e400":          "is not a number",
		"":                 "no numbers",
		"# only a comment": "no numbers",
		"\xff\xfe1\x002\x00" + strings.Repeat("\x00", 100): "…",
	} {
		_, err := readText(strings.NewReader(text), "m.txt")
		faulttest.Require(t, fault.BadData, err, part)
	}
}

func TestReadWords(t *testing.T) {
	read := func(text string) ([]Word, error) { return readWords(strings.NewReader(text), "w.tsv") }
	words, err := read("\ufeffoffset\tword\tonset\tspeaker\r\n2\tthere\t1\tx\r\n" +
		"1.5\thi \"you\"\t0.5\ty\r\n\r\n3\t\t3\tz")
	require.NoError(t, err)
	assert.Equal(t, []Word{{.5, 1.5, `hi "you"`}, {1, 2, "there"}, {3, 3, ""}}, words,
		"columns in any order, by onset, overlapping, quotes as they are")
	words, err = read("onset\toffset\tword\n")
	require.NoError(t, err)
	assert.Empty(t, words)

	const head = "onset\toffset\tword\n0\t1\ta\n"
	for text, part := range map[string]string{
		"":                            "w.tsv:1: the file is empty",
		"0\t1\ta\n":                   `w.tsv:1: there is no column "onset"`,
		"onset,offset,word\n":         "separated by tabs",
		head + "1\t2\n":               "w.tsv:3: 2 columns, want 3",
		head + "n/a\t2\tb\n":          `w.tsv:3: onset "n/a" is not a time`,
		head + "1\tNaN\tb\n":          `w.tsv:3: offset "NaN"`,
		head + "1\tInf\tb\n":          `w.tsv:3: offset "Inf"`,
		head + "-1\t2\tb\n":           `w.tsv:3: onset "-1"`,
		head + "3\t2\tb\n":            "w.tsv:3: word \"b\" ends at 2 s, before it begins at 3 s",
		"\xff\xfeo\x00n\x00":          "UTF-16",
		head + "\n\n\n1\t2\t3\t4\r\n": "w.tsv:6: 4 columns",
	} {
		_, err := read(text)
		faulttest.Require(t, fault.BadData, err, part)
	}
}

func TestSplit(t *testing.T) {
	d := mustNew(t, subjects([]string{"s1"}, nil))
	rows := map[string]int{"a": 100, "b": 50}
	resolve := func(trim [2]int, entries ...string) ([]design.Rows, error) {
		parts, err := ParseSplit(entries)
		if err != nil {
			return nil, err
		}
		for i, p := range parts {
			require.Equal(t, entries[i], strings.Replace(p.String(), "[0:5]", "[:5]", 1), "prints as it was written")
		}
		return d.Resolve(parts, rows, trim)
	}
	of := func(story string, from, to int) design.Rows { return design.Rows{Story: story, From: from, To: to} }
	for _, c := range []struct {
		entries []string
		want    []design.Rows
	}{
		{[]string{"b", "a"}, []design.Rows{of("b", 10, 45), of("a", 10, 95)}},
		{[]string{"*"}, []design.Rows{of("a", 10, 95), of("b", 10, 45)}},
		{[]string{"a[0:100]"}, []design.Rows{of("a", 0, 100)}},
		{[]string{"a[90:]", "a[:5]"}, []design.Rows{of("a", 90, 100), of("a", 0, 5)}},
		{[]string{"[ab][3:4]"}, []design.Rows{of("a", 3, 4), of("b", 3, 4)}},
		{[]string{"a[10:20]", "a[20:30]"}, []design.Rows{of("a", 10, 20), of("a", 20, 30)}},
		{[]string{"bb"}, nil}, // nobody here heard it
	} {
		got, err := resolve([2]int{10, 5}, c.entries...)
		require.NoError(t, err, c.entries)
		assert.Equal(t, c.want, got, c.entries)
	}
	for entry, part := range map[string]string{
		"a[10:101]": "story a has 100 rows", "a[100:]": "story a has 100 rows", "a[20:10]": "are none",
		"a[5:5]": "are none",
		"c":      "there is no story", "c*": "there is no story", "[3:5]": "no story", "": "no story",
		"a[99999999999999999999:]": "are none",
	} {
		_, err := resolve([2]int{10, 5}, entry)
		faulttest.Require(t, fault.Usage, err, part)
	}
	_, err := resolve([2]int{60, 40}, "a")
	faulttest.Require(t, fault.Usage, err, "none is left")
	_, err = resolve([2]int{10, 5}, "a", "a[90:100]")
	faulttest.Require(t, fault.Usage, err, "rows 90 to 95 of a are named twice")
}
