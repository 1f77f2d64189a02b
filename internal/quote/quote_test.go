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
