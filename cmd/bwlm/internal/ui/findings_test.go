package ui_test

import (
	"strings"
	"testing"

	"github.com/rivo/uniseg"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
)

func TestFindingsStayWithinTheWidth(t *testing.T) {
	long := strings.Repeat("x", 100)
	var b strings.Builder
	require.NoError(t, ui.Findings(&b, []ui.Finding{
		{"ok", "config.yaml", "2 epochs"},
		{"wrong", "eval/test/a-subject-with-a-long-name/responses.npy", "a text of " + long + " and more 日本語"},
		{"note", "a\x1b[31m\nb", strings.Repeat("word ", 30)},
	}))
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	for _, line := range lines {
		assert.LessOrEqual(t, uniseg.StringWidth(line), 80, line)
		assert.NotContains(t, line, "\x1b")
	}
	assert.Equal(t, "ok     config.yaml         2 epochs", lines[0])
	assert.Equal(t, "wrong  eval/test/a-subject-with-a-long-name/responses.npy", lines[1])
	assert.Equal(t, 101, strings.Count(b.String(), "x"), "nothing is lost")
	assert.Equal(t, 30, strings.Count(b.String(), "word"))
}
