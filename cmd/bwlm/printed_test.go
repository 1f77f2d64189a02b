package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
)

// Whoever types what the documents and the help print meets commands and flags that are there.
func TestPrintedCommandsAreThere(t *testing.T) {
	root := newRoot(&app{ui: ui.New(os.Stderr)}, commands())
	texts := map[string]string{}
	documents, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	results, err := filepath.Glob("../../docs/results/*.md")
	require.NoError(t, err)
	for _, file := range append(slices.Concat(documents, results), "../../README.md", "../../CHANGELOG.md") {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		texts[file] = string(text)
	}
	root.InitDefaultHelpCmd()
	var visit func(*cobra.Command)
	visit = func(c *cobra.Command) {
		if c.Name() == "completion" { // whose texts are cobra's
			return
		}
		texts[c.CommandPath()] = c.Long + "\n" + c.Example
		for _, below := range c.Commands() {
			visit(below)
		}
	}
	visit(root)

	line := regexp.MustCompile("(?m)(^ +|^[$] |`|&& |)bwlm ([a-z][^`#;\n]*)")
	flag := regexp.MustCompile(`(?:^|\s)--([a-z-]+)`)
	seen := 0
	for where, text := range texts {
		for _, m := range line.FindAllStringSubmatch(strings.ReplaceAll(text, "\\\n", " "), -1) {
			words := strings.Fields(strings.TrimRight(m[2], " .,:)"))
			c, rest, err := root.Find(words)
			require.NoError(t, err, where)
			if c == root && m[1] == "" { // prose: bwlm fine-tunes
				continue
			}
			seen++
			c.InitDefaultHelpFlag()
			if c.HasSubCommands() && len(rest) > 0 {
				assert.True(t, strings.HasPrefix(rest[0], "-"), "%s: bwlm %s has no %s", where, c.Name(), rest[0])
			}
			for _, f := range flag.FindAllStringSubmatch(m[2], -1) {
				assert.NotNil(t, c.Flag(f[1]), "%s: bwlm %s has no --%s", where, c.Name(), f[1])
			}
		}
	}
	assert.Greater(t, seen, 100, "hardly a command was found: the test would prove nothing")
}
