package ui

import (
	"io"
	"strings"

	"github.com/rivo/uniseg"
)

// Wrap returns a writer of prose to w. If w is a terminal with [Columns], lines that are longer are broken between
// words; a word stays whole, so that a path can be copied.
func Wrap(w io.Writer) io.Writer {
	if c, ok := w.(Columns); ok && c.Columns() > 0 {
		return &wrapped{w: w, screen: c}
	}
	return w
}

// wrapped breaks lines. Each write holds whole lines, or the end of one that is short.
type wrapped struct {
	w      io.Writer
	screen Columns
}

func (t *wrapped) Columns() int { return t.screen.Columns() }

func (t *wrapped) Write(p []byte) (int, error) {
	var b strings.Builder
	for line := range strings.Lines(string(p)) {
		text, end := strings.CutSuffix(line, "\n")
		b.WriteString(breakWords(text, t.Columns()))
		if end {
			b.WriteByte('\n')
		}
	}
	if _, err := io.WriteString(t.w, b.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}

func breakWords(line string, columns int) string {
	if uniseg.StringWidth(line) <= columns {
		return line
	}
	var b strings.Builder
	used := 0
	for i, word := range strings.Split(line, " ") {
		wide := uniseg.StringWidth(word)
		switch {
		case i == 0:
		case used+1+wide > columns:
			b.WriteByte('\n')
			used = 0
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += wide
	}
	return b.String()
}
