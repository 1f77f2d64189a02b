package ui

import (
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/rivo/uniseg"

	"github.com/brainwavlm/bwlm/internal/quote"
)

// Table writes rows under a head, in columns two blanks apart: numbers to the right, words to the
// left. Rows may be shorter than the head. The error is w's own.
func Table(w io.Writer, head []string, rows [][]string) error {
	head, rows = escaped(head), slices.Clone(rows)
	for i, row := range rows {
		rows[i] = escaped(row)
	}
	widths := make([]int, len(head))
	right := make([]bool, len(head))
	for c := range head {
		widths[c] = uniseg.StringWidth(head[c])
		right[c] = len(rows) > 0
		for _, row := range rows {
			if c < len(row) {
				widths[c] = max(widths[c], uniseg.StringWidth(row[c]))
				right[c] = right[c] && numeric(row[c])
			}
		}
	}
	var b strings.Builder
	for _, row := range append([][]string{head}, rows...) {
		var line strings.Builder
		for c, cell := range row {
			pad := strings.Repeat(" ", widths[c]-uniseg.StringWidth(cell))
			if right[c] {
				line.WriteString(pad + cell + "  ")
			} else {
				line.WriteString(cell + pad + "  ")
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
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
