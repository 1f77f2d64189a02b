package ui

import (
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/rivo/uniseg"

	"github.com/brainwavlm/bwlm/internal/quote"
)

// Columns is a writer on a terminal. Columns returns its width, 0 if that is not bounded.
type Columns interface{ Columns() int }

// Text is text for a terminal of some width, 0 if that is not bounded.
type Text struct {
	strings.Builder
	Width int
}

// Columns returns Width.
func (t *Text) Columns() int { return t.Width }

const (
	gap        = "  " // between columns
	narrowText = 12   // a column of words is not made narrower
)

// Table writes rows under a head, in columns two blanks apart: numbers to the right, words to the
// left. Rows may be shorter than the head. The error is w's own.
//
// On a writer with [Columns] no line is wider than that: heads and words are wrapped first, and columns that still
// do not fit follow below, next to the first one again.
func Table(w io.Writer, head []string, rows [][]string) error {
	t := &table{head: escaped(head)}
	for _, row := range rows {
		t.rows = append(t.rows, escaped(row))
	}
	if c, ok := w.(Columns); ok {
		t.room = c.Columns()
	}
	t.measure()
	var b strings.Builder
	for i, part := range t.parts() {
		if i > 0 {
			b.WriteByte('\n')
		}
		t.write(&b, part, t.fit(part))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// table is a table with the width of each column.
type table struct {
	head        []string
	rows        [][]string
	room        int    // columns of the terminal; 0: not bounded
	right       []bool // numbers
	full, least []int  // width without wrapping; width that wrapping does not go below
	headed      []int  // width if only the head is wrapped
}

func (t *table) cell(row []string, c int) string {
	if c < len(row) {
		return row[c]
	}
	return ""
}

func (t *table) measure() {
	for c, name := range t.head {
		numbers, cells := len(t.rows) > 0, 0
		for _, row := range t.rows {
			numbers = numbers && numeric(t.cell(row, c))
			cells = max(cells, uniseg.StringWidth(t.cell(row, c)))
		}
		full := max(cells, uniseg.StringWidth(name))
		word := 0 // widest of the head
		for _, s := range strings.Fields(name) {
			word = max(word, min(uniseg.StringWidth(s), narrowText))
		}
		least := max(cells, word)
		t.headed = append(t.headed, least)
		if !numbers && !interval(t.rows, c) {
			least = min(least, narrowText)
		}
		t.right, t.full, t.least = append(t.right, numbers), append(t.full, full), append(t.least, least)
	}
}

// interval reports whether a column has intervals, "+0.050 [-0.100, +0.200]", which stay on one line.
func interval(rows [][]string, c int) bool {
	for _, row := range rows {
		if c >= len(row) || !strings.HasSuffix(row[c], "]") {
			continue
		}
		if _, ends, ok := strings.Cut(row[c], "["); ok && strings.Trim(ends, "+-.,0123456789 ]") == "" {
			return true
		}
	}
	return false
}

// parts returns the columns of the table, or of several if one would be too wide.
func (t *table) parts() (out [][]int) {
	part, wide := []int(nil), 0
	for c := range t.head {
		if t.room > 0 && len(part) > 1 && wide+len(gap)+t.least[c] > t.room {
			out, part, wide = append(out, part), []int{0}, t.least[0]
		}
		if len(part) > 0 {
			wide += len(gap)
		}
		part, wide = append(part, c), wide+t.least[c]
	}
	return append(out, part)
}

// fit returns the widths of some columns: as they are, or with heads, then words wrapped until they fit.
func (t *table) fit(part []int) []int {
	widths, sum := make([]int, len(part)), len(gap)*(len(part)-1)
	for i, c := range part {
		widths[i] = t.full[c]
		sum += widths[i]
	}
	if t.room <= 0 || sum <= t.room {
		return widths
	}
	for _, least := range [][]int{t.headed, t.least} {
		for sum > t.room {
			widest := -1
			for i, c := range part {
				if widths[i] > least[c] && (widest < 0 || widths[i] > widths[widest]) {
					widest = i
				}
			}
			if widest < 0 {
				break // with the last least: the terminal is narrower than two columns
			}
			widths[widest]--
			sum--
		}
	}
	for i, c := range part { // what wrapping leaves over
		used := 0
		for _, row := range slices.Concat([][]string{t.head}, t.rows) {
			for _, line := range wrap(t.cell(row, c), widths[i]) {
				used = max(used, uniseg.StringWidth(line))
			}
		}
		widths[i] = used
	}
	return widths
}

// write writes some columns.
func (t *table) write(b *strings.Builder, part, widths []int) {
	for _, row := range slices.Concat([][]string{t.head}, t.rows) {
		cells, lines := make([][]string, len(part)), 1
		for i, c := range part {
			cells[i] = wrap(t.cell(row, c), widths[i])
			lines = max(lines, len(cells[i]))
		}
		for n := range lines {
			var line strings.Builder
			for i, c := range part {
				text := ""
				if n < len(cells[i]) {
					text = cells[i][n]
				}
				pad := strings.Repeat(" ", max(0, widths[i]-uniseg.StringWidth(text)))
				if t.right[c] {
					line.WriteString(pad + text + gap)
				} else {
					line.WriteString(text + pad + gap)
				}
			}
			b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
		}
	}
}

// wrap breaks text into lines of a width: after a blank, else after a sign that joins the parts of a name, else
// anywhere.
func wrap(text string, width int) (lines []string) {
	for uniseg.StringWidth(text) > width {
		at, space, joint, wide := 0, 0, 0, 0
		for g := uniseg.NewGraphemes(text); g.Next(); {
			from, to := g.Positions()
			if wide += g.Width(); g.Str() == " " {
				space = to // a blank at the end of a line takes no room
			}
			if wide > width && at > 0 {
				break
			}
			if at = to; strings.Contains("_-/.,=+", g.Str()) && from > 0 {
				joint = to
			}
		}
		switch {
		case space > 0:
			at = space
		case joint > 0:
			at = joint
		}
		lines, text = append(lines, strings.TrimRight(text[:at], " ")), text[at:]
	}
	return append(lines, text)
}

// escaped returns cells that stay on one line and that a terminal does not obey.
func escaped(cells []string) []string {
	out := make([]string, len(cells))
	for i, cell := range cells {
		out[i] = quote.Escaped(cell, "")
	}
	return out
}

// numeric reports whether a cell belongs to a column of numbers: a number, a per cent, or nothing
// ("", "-").
func numeric(cell string) bool {
	if cell == "" || cell == "-" {
		return true
	}
	_, err := strconv.ParseFloat(strings.TrimSuffix(cell, "%"), 64)
	return err == nil
}
