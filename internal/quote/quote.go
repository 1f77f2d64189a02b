// Package quote makes text that came from a file or a path fit for a message of one line.
package quote

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// OneLine returns text, quoted if it holds something unprintable such as a line break.
func OneLine(text string) string {
	for _, r := range text {
		if !strconv.IsPrint(r) {
			return strconv.Quote(text)
		}
	}
	return text
}

// Escaped returns text with its control characters, and those that change the direction of writing, in the form \u001b.
// A terminal would obey them. The characters in keep stay.
func Escaped(text, keep string) string {
	obeyed := func(r rune) bool {
		return (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) && !strings.ContainsRune(keep, r)
	}
	text = strings.ToValidUTF8(text, "\ufffd") // a terminal may read single bytes otherwise
	if strings.IndexFunc(text, obeyed) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if obeyed(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Short cuts text to the 80 bytes that a message can hold.
func Short(text string) string {
	const most = 80
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
