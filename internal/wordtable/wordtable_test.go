package wordtable

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/fuzztest"
)

func TestTableOfALaboratoryIsRefused(t *testing.T) {
	root := os.Getenv("BWLM_SHARED")
	if root == "" {
		t.Skip("BWLM_SHARED does not name the folder of shared test data")
	}
	_, _, err := Read(filepath.Join(root, "labfiles/text/gentle.csv"))
	faulttest.Require(t, fault.BadData, err, `gentle.csv:3: word "bad" ends at 1.1 s, before it begins at 1.2 s`)
	_, _, err = Read("none.csv")
	faulttest.Require(t, fault.Missing, err)
}

func TestTablesAreRead(t *testing.T) {
	want := []Word{{1, 1.2, "hello"}, {1.2, 1.5, "you"}}
	for name, c := range map[string]struct {
		text      string
		unaligned int
	}{
		"commas":            {"onset,offset,word\n1,1.2,hello\n1.2,1.5,you\n", 0},
		"tabs, other order": {"word\tonset\tx\toffset\nhello\t1\t\t1.2\nyou\t1.2\ta\"b\t1.5\n", 0},
		"of Windows":        {"\ufeffonset,offset,word\r\n1,1.2,hello\r\n1.2,1.5,you\r\n", 0},
		"Gentle":            {"hello,hello,1,1.2\nuh,,,\nyou,you,1.2,1.5\n", 1},
		"Gentle, not found": {"uh,,,\nhello,hello,1,1.2\nyou,you,1.2,1.5\n", 1},
		"quotes":            {"onset,offset,word\n1,1.2,\"hello\"\n1.2,1.5,you\n", 0},
	} {
		words, unaligned, err := parse([]byte(c.text), "x", "", 0)
		require.NoError(t, err, name)
		assert.Equal(t, want, words, name)
		assert.Equal(t, c.unaligned, unaligned, name)
	}
}

func TestTablesThatAreRefused(t *testing.T) {
	for text, part := range map[string]string{
		"":                                  "x:1: the file is empty",
		"a,b,c\n1,2,3\n":                    `x:1: the columns are "a b c"`,
		"onset,offset,word\n1,2\n":          "x:2: wrong number of fields",
		"onset,offset,word\nn/a,2,a\n":      `x:2: onset "n/a" is not a time`,
		"onset,offset,word\n1,-2,a\n":       `x:2: offset "-2" is not a time`,
		"onset,offset,word\n1,2,\"a\n":      "x:",
		"onset,offset,word\n\n1,2,a\n3,2,b": `x:4: word "b" ends at 2 s`,
	} {
		_, _, err := parse([]byte(text), "x", "", 0)
		faulttest.Require(t, fault.BadData, err, part)
	}
}

func FuzzTable(f *testing.F) {
	f.Add([]byte("onset,offset,word\n1,1.2,hello\n"))
	f.Add([]byte("hello,hello,1,1.2\nuh,,,\n"))
	f.Add([]byte("word\tonset\toffset\na\t1\t2\n"))
	f.Fuzz(func(t *testing.T, input []byte) {
		fuzztest.Run(t, 128, input, func() {
			words, _, err := parse(input, "fuzz", "", 0)
			if err != nil {
				return
			}
			for _, w := range words {
				require.LessOrEqual(t, w.Onset, w.Offset)
			}
		})
	})
}

func TestWordsOfAPart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lppEN_word_information.csv")
	for text, want := range map[string]string{
		"word,onset,offset,section\na,1,2,1\nb,3,4,2.0\n ,,,2\n": "",
		"word,onset,offset,section\na,1,2,1\n":                   "no line has section 2",
		"word,onset,offset\na,1,2\n":                             "x.csv:1: there is no column section",
		"a,a,1,2\nb,b,2,3\n":                                     "there is no column section",
		"word,onset,offset,section\na,2,1,2\n":                   `:2: word "a" ends at 1 s, before it begins`,
	} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		words, err := ReadPart(path, "section", 2)
		if want == "" {
			require.NoError(t, err)
			assert.Equal(t, []Word{{3, 4, "b"}}, words)
			continue
		}
		faulttest.Require(t, fault.BadData, err, strings.TrimPrefix(want, "x.csv"))
	}
}

// Words on the clock of a scan, on which the recording begins later.
func TestWordsOfMATLAB(t *testing.T) {
	path := filepath.Join("..", "mat", "testdata", "words.mat")
	words, err := ReadMAT(path, 10.5)
	require.NoError(t, err)
	require.Len(t, words, 4)
	assert.Equal(t, "story", words[1].Text)
	assert.InDelta(t, 1, words[1].Onset, 1e-9)
	assert.InDelta(t, 1.5, words[1].Offset, 1e-9)
	_, err = ReadMAT(path, 11)
	faulttest.Require(t, fault.BadData, err, `word 0, "话" from 10.9 to 11.5 s: the recording begins at 11 s`)
	_, err = ReadMAT(filepath.Join("..", "mat", "testdata", "one.mat"), 0)
	faulttest.Require(t, fault.BadData, err, "there is no text of the name word")
}

// matFile is a MATLAB file of words, one row each, filled up to the longest, and of their times.
func matFile(words []string, start, end []float64) []byte {
	element := func(kind uint32, data []byte) []byte {
		out := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, kind), uint32(len(data)))
		return append(append(out, data...), make([]byte, -len(data)&7)...)
	}
	list := func(values any) []byte {
		var b bytes.Buffer
		_ = binary.Write(&b, binary.LittleEndian, values)
		return b.Bytes()
	}
	variable := func(class uint32, rows, columns int, name string, content []byte) []byte {
		return element(14, slices.Concat(element(6, list([]uint32{class, 0})),
			element(5, list([]int32{int32(rows), int32(columns)})), element(1, []byte(name)), content))
	}
	longest := 0
	for _, w := range words {
		longest = max(longest, len(w))
	}
	var text []byte
	for j := range longest {
		for _, w := range words {
			text = append(text, (w + strings.Repeat(" ", longest))[j])
		}
	}
	out := append([]byte("MATLAB 5.0 MAT-file"+strings.Repeat(" ", 105)), 0, 1, 'I', 'M')
	return slices.Concat(out, variable(4, len(words), longest, "word", element(16, text)),
		variable(6, 1, len(start), "start", element(9, list(start))),
		variable(6, len(end), 1, "end", element(9, list(end))))
}

// Marks are left out, numbers are words, and times must be times.
func TestTimesOfMATLAB(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.mat")
	nan := math.NaN()
	for want, c := range map[string]struct {
		words      []string
		start, end []float64
	}{
		"": {[]string{" a", ",", "42", "b"}, []float64{2, 0, 3, 4},
			[]float64{3, 0, 4, 4}},
		"start has 3 times, there are 2 words":    {[]string{"a", "b"}, []float64{1, 2, 3}, []float64{2, 3}},
		"end has 1 times, there are 2 words":      {[]string{"a", "b"}, []float64{1, 2}, []float64{2}},
		`word 1, "b" from NaN to 3 s`:             {[]string{"a", "b"}, []float64{1, nan}, []float64{2, 3}},
		`word 0, "a" from 1 to NaN s`:             {[]string{"a", "b"}, []float64{1, 2}, []float64{nan, 3}},
		`word 0, "a" from 1 to 2e+09 s`:           {[]string{"a"}, []float64{1}, []float64{2e9}},
		`word 1, "b" ends at 2 s, before it begi`: {[]string{"a", "b"}, []float64{1, 3}, []float64{2, 2}},
		"there are no words":                      {[]string{",", "-"}, []float64{1, 3}, []float64{2, 2}},
	} {
		require.NoError(t, os.WriteFile(path, matFile(c.words, c.start, c.end), 0o600))
		words, err := ReadMAT(path, 1)
		if want != "" {
			faulttest.Require(t, fault.BadData, err, want)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, []Word{{1, 2, "a"}, {2, 3, "42"}, {3, 3, "b"}}, words)
	}
}
