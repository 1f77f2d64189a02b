package mat

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// Texts that scipy wrote, as characters filled up with spaces and as cells.
func TestTextByScipy(t *testing.T) {
	f := open(t, filepath.Join("testdata", "words.mat"))
	want := []string{"话", "story", "naïve", "\U0001f600x"}
	for _, name := range []string{"word", "cells"} {
		got, err := f.Text(name)
		require.NoError(t, err, name)
		require.Equal(t, want, got, name)
	}
	_, err := f.Text("mixed")
	faulttest.Require(t, fault.BadData, err, "words.mat:mixed: cell 1: it holds no text")
	_, err = f.Text("start")
	faulttest.Require(t, fault.BadData, err, "there is no text of the name start")
	for file, name := range map[string]string{"compressed.mat": "text", "one.mat": "text", "plain.mat": "s.name"} {
		got, err := open(t, filepath.Join("testdata", file)).Text(name)
		require.NoError(t, err, file)
		require.Contains(t, []string{"story", "x"}, strings.Join(got, "|"), file)
	}
}

// MATLAB keeps characters as units of UTF-16, by columns, of either order of bytes.
func TestTextByMATLAB(t *testing.T) {
	for _, m := range []maker{little, big} {
		var units []uint16
		var rows [][]uint16
		for _, row := range []string{"话\U0001f600", "ab ", "c  "} {
			rows = append(rows, utf16.Encode([]rune(row)))
		}
		for j := range 3 {
			for _, row := range rows {
				units = append(units, row[j])
			}
		}
		for _, kind := range []uint32{miUint16, miUTF16} {
			words := m.matrix(classChar, []int32{3, 3}, "word", m.element(kind, m.numbers(units)))
			f, err := decoded(m.header() + m.variable(words) + m.compressed(strings.Replace(words, "word", "more", 1)))
			require.NoError(t, err)
			for _, name := range []string{"word", "more"} {
				got, err := f.Text(name)
				require.NoError(t, err)
				require.Equal(t, []string{"话\U0001f600", "ab", "c"}, got)
			}
		}
		cell := m.variable(m.matrix(classChar, []int32{1, 2}, "", m.small(miInt8, "hi")))
		f, err := decoded(m.header() +
			m.variable(m.matrix(classCell, []int32{1, 2}, "w", cell+m.element(miMatrix, ""))))
		require.NoError(t, err)
		got, err := f.Text("w")
		require.NoError(t, err)
		require.Equal(t, []string{"hi", ""}, got)
	}
}

// What fills rows up are spaces or zeros at their ends; a cell of several rows is one text.
func TestRowsOfText(t *testing.T) {
	for _, m := range []maker{little, big} {
		wide := m.matrix(classChar, []int32{2, 3}, "wide", m.element(miUTF32, m.numbers([]uint32{' ', 'b', 0x1f600, 0,
			'c', 0})))
		cell := m.variable(m.matrix(classChar, []int32{2, 2}, "", m.small(miUTF8, "acbd")))
		f, err := decoded(m.header() + m.variable(wide) + m.variable(m.matrix(classCell, []int32{1, 1}, "cell", cell)))
		require.NoError(t, err)
		got, err := f.Text("wide")
		require.NoError(t, err)
		require.Equal(t, []string{" \U0001f600c", "b"}, got)
		got, err = f.Text("cell")
		require.NoError(t, err)
		require.Equal(t, []string{"ab cd"}, got)
	}
}

func TestTextThatIsDamaged(t *testing.T) {
	m := little
	text := func(shape []int32, rest string) string { return m.variable(m.matrix(classChar, shape, "a", rest)) }
	cells := func(shape []int32, rest string) string { return m.variable(m.matrix(classCell, shape, "a", rest)) }
	const most = 1<<31 - 1
	for want, variable := range map[string]string{
		"a text of 2 × 2 characters has 3":  text([]int32{2, 2}, m.small(miUTF8, "abc")),
		"of 1 × 2 characters has 3":         text([]int32{1, 2}, m.small(miUTF8, "abc")),
		"a is a text of 16777224 bytes":     text([]int32{1, maxText}, m.element(miUTF8, strings.Repeat("a", maxText))),
		"ends within a character":           text([]int32{1, 1}, m.small(miUTF16, "abc")),
		"a text of 3 dimensions":            text([]int32{1, 1, 1}, m.small(miUTF8, "a")),
		"an element of type 9":              text([]int32{1, 1}, m.element(9, m.numbers(1.5))),
		"a variable ends within an element": text([]int32{1, 1}, ""),
		"× 2147483647 characters has 1":     text([]int32{most, most}, m.small(miUTF8, "a")),
		"more cells than it has bytes":      cells([]int32{1 << 30, 1 << 30}, ""),
		"cell 0":                            cells([]int32{1, 1}, m.variable("12345678")),
		"a cell of type 1":                  cells([]int32{1, 1}, m.small(1, "a")),
	} {
		f, err := decoded(m.header() + variable)
		require.NoError(t, err, want)
		_, err = f.Text("a")
		faulttest.Require(t, fault.BadData, err, want)
	}
}
