package ui

import (
	"io"
	"strings"

	"github.com/rivo/uniseg"

	"github.com/brainwavlm/bwlm/internal/quote"
)

// widestName is the width that names in Findings may take; a longer one has a line of its own.
const widestName = 30

// Finding is a line of Findings.
type Finding struct{ Verdict, Name, Text string }

// Findings writes a verdict, a name and a text in each line, and wraps the texts so that no line is wider than the
// terminal, else 80 columns. The error is w's own.
func Findings(w io.Writer, findings []Finding) error {
	width := 80
	if c, ok := w.(Columns); ok && c.Columns() > 0 {
		width = c.Columns()
	}
	verdicts, names := 0, 0
	for _, f := range findings {
		verdicts = max(verdicts, len(f.Verdict))
		if n := uniseg.StringWidth(quote.Escaped(f.Name, "")); n <= widestName {
			names = max(names, n)
		}
	}
	var b strings.Builder
	indent := verdicts + 2 + names + 2
	for _, f := range findings {
		name := quote.Escaped(f.Name, "")
		b.WriteString(pad(f.Verdict, verdicts+2))
		rest := wrap(quote.Escaped(f.Text, ""), max(width-indent, widestName))
		if uniseg.StringWidth(name) > widestName {
			b.WriteString(strings.Join(wrap(name, max(width-verdicts-2, widestName)), "\n"+pad("", verdicts+2)) + "\n" +
				pad("", indent))
		} else {
			b.WriteString(pad(name, names+2))
		}
		b.WriteString(strings.Join(rest, "\n"+pad("", indent)) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-uniseg.StringWidth(s)))
}
