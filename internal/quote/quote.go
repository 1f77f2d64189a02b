// Package quote makes text that came from a file or a path fit for a message of one line.
package quote

import (
	"strconv"
	"strings"
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

// Short cuts text to the 80 bytes that a message can hold.
func Short(text string) string {
	const most = 80
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
