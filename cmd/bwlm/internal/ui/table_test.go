package ui

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/rivo/uniseg"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// onScreen writes a table on a terminal and returns its lines.
func onScreen(t *testing.T, columns int, head []string, rows ...[]string) []string {
	t.Helper()
	s := &Text{Width: columns}
	require.NoError(t, Table(s, head, rows))
	return strings.Split(strings.TrimSuffix(s.String(), "\n"), "\n")
}

func TestATableThatFitsIsAsInAFile(t *testing.T) {
	var file bytes.Buffer
	head, row := []string{"ROI", "95 % interval"}, []string{"auditory cortex", "[-0.100, +0.100]"}
	require.NoError(t, Table(&file, head, [][]string{row}))
	for _, columns := range []int{0, 33, 80} {
		assert.Equal(t, strings.TrimSuffix(file.String(), "\n"), strings.Join(onScreen(t, columns, head, row), "\n"))
	}
}

func TestNamesAndHeadsAreWrapped(t *testing.T) {
	assert.Equal(t, []string{
		"ROI               best     r",
		"                 layer",
		"                    of",
		"left_superior_     0.1  0.25",
		"temporal_sulcus",
		"and parietal       0.1  0.25",
		"operculum",
	}, onScreen(t, 33, []string{"ROI", "best layer of", "r"}, []string{"left_superior_temporal_sulcus", "0.1", "0.25"},
		[]string{"and parietal operculum", "0.1", "0.25"}))
}

func TestColumnsThatDoNotFitFollowBelow(t *testing.T) {
	assert.Equal(t, []string{
		"ROI              base  95 % interval",
		"auditory_belt_  0.412  [-0.100, +0.100]",
		"and_parabelt",
		"",
		"ROI             over stories        p",
		"auditory_belt_  [-0.200, +0.100]  0.5",
		"and_parabelt",
	}, onScreen(t, 40, []string{"ROI", "base", "95 % interval", "over stories", "p"},
		[]string{"auditory_belt_and_parabelt", "0.412", "[-0.100, +0.100]", "[-0.200, +0.100]", "0.5"}))
}

func TestNoLineIsWiderThanTheTerminal(t *testing.T) {
	long := strings.Repeat("sub-語 x", 30)
	head := []string{long, "base", "a head of words", "95 % interval", "what"}
	var rows [][]string
	for i := range 3 {
		rows = append(rows, []string{fmt.Sprint(long, i), "0.123", "-12.5%", "[-0.100, +0.100]", long})
	}
	for columns := 30; columns < 140; columns++ {
		for _, line := range onScreen(t, columns, head, rows...) {
			require.LessOrEqual(t, uniseg.StringWidth(line), columns, line)
		}
	}
	for _, columns := range []int{1, 5, 12} { // too narrow for any table: no loop without end, nothing is lost
		assert.Contains(t, strings.Join(onScreen(t, columns, head, rows...), " "), "+0.100]")
	}
}

func TestNothingIsLostWhenCellsAreWrapped(t *testing.T) {
	for _, text := range []string{"", "a", "one two  three", "語語語語語語", "a_very/long-name.with,joints",
		"  blank first"} {
		for width := 1; width < 15; width++ {
			lines := wrap(text, width)
			assert.Equal(t, strings.ReplaceAll(text, " ", ""), strings.ReplaceAll(strings.Join(lines, ""), " ", ""))
			if width > 1 {
				for _, line := range lines {
					assert.LessOrEqual(t, uniseg.StringWidth(line), width, text)
				}
			}
		}
	}
}

func TestProseIsBrokenBetweenWords(t *testing.T) {
	s := &Text{Width: 20}
	w := Wrap(s)
	fmt.Fprintf(w, "Everything is in %s, a folder.\nshort\n", "/a/path/that/is/longer/than/the/line")
	require.NoError(t, Table(w, []string{"ROI", "base"}, [][]string{{"a long name of an ROI", "0.1"}}))
	assert.Equal(t, "Everything is in\n/a/path/that/is/longer/than/the/line,\na folder.\nshort\n"+
		"ROI             base\na long name of   0.1\nan ROI\n", s.String())
	assert.Equal(t, "Everything is in a folder.", func() string {
		var b bytes.Buffer
		fmt.Fprint(Wrap(&b), "Everything is in a folder.")
		return b.String()
	}(), "a file is not a terminal")
}
