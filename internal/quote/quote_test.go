package quote_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/quote"
)

func TestOneLine(t *testing.T) {
	require.Equal(t, "a bé.npy", quote.OneLine("a bé.npy"))
	require.Equal(t, `"a\nb"`, quote.OneLine("a\nb"))
	require.Equal(t, `"a\x1b[2J"`, quote.OneLine("a\x1b[2J"))
}

func TestShort(t *testing.T) {
	require.Equal(t, strings.Repeat("x", 80), quote.Short(strings.Repeat("x", 80)))
	require.Equal(t, strings.Repeat("x", 80)+"…", quote.Short(strings.Repeat("x", 81)))
	require.Equal(t, strings.Repeat("x", 79)+"…", quote.Short(strings.Repeat("x", 79)+"é"), "no letter is cut in two")
}

func TestEscapedLeavesATerminalNothingToObey(t *testing.T) {
	for _, c := range []struct{ name, text, keep, want string }{
		{"plain text", "Δr é 中 −0.1\n", "\n", "Δr é 中 −0.1\n"},
		{"an escape sequence", "a\x1b[2Jb", "\n\t", `a\u001b[2Jb`},
		{"the one-byte form of it", "a\u009b2Jb", "\n\t", `a\u009b2Jb`},
		{"a carriage return and a backspace", "a\r\bb", "\n", `a\u000d\u0008b`},
		{"a newline that is not kept", "a\nb\tc", "", `a\u000ab\u0009c`},
		{"a change of direction", "a\u202eb", "\n", `a\u202eb`},
		{"a byte that is no UTF-8", "a\x9b2J", "", "a\ufffd2J"},
		{"delete", "\x7f", "", `\u007f`},
	} {
		require.Equal(t, c.want, quote.Escaped(c.text, c.keep), c.name)
	}
}
