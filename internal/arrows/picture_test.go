package arrows

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "draw the picture of docs/architecture.md anew")

// page holds the picture, between two lines.
const (
	page  = "../../docs/architecture.md"
	begin = "<!-- arrows: made by go test ./internal/arrows -update -->\n"
	end   = "<!-- end of arrows -->\n"
)

// hidden are packages that the picture leaves out: everything imports them, or only tests do.
func hidden(name string) bool {
	top, _, _ := strings.Cut(name, "/")
	if r := ruleOf(name); r != nil && r.tests {
		return true
	}
	return name == "fault" || utility(name) || slices.Contains([]string{"tools", "bench", "examples", "cmd"}, top)
}

// picture draws the packages as a Mermaid flowchart. An arrow that follows from two others is left out.
func picture(all map[string]listed) string {
	imports := map[string][]string{}
	for importPath, p := range all {
		name, ours := inside(importPath)
		if !ours || hidden(name) {
			continue
		}
		imports[name] = nil
		for _, to := range p.Imports {
			if below, ours := inside(to); ours && !hidden(below) {
				imports[name] = append(imports[name], below)
			}
		}
	}
	var reaches func(from, to string) bool
	reaches = func(from, to string) bool {
		return from == to || slices.ContainsFunc(imports[from], func(next string) bool { return reaches(next, to) })
	}
	var names []string
	for name := range imports {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString("```mermaid\nflowchart TD\n")
	id := func(name string) string { return strings.ReplaceAll(name, "/", "_") }
	for _, name := range names {
		fmt.Fprintf(&b, "    %s[%s]\n", id(name), name)
	}
	for _, name := range names {
		slices.Sort(imports[name])
		for _, to := range imports[name] {
			other := func(next string) bool { return next != to && reaches(next, to) }
			if !slices.ContainsFunc(imports[name], other) {
				fmt.Fprintf(&b, "    %s --> %s\n", id(name), id(to))
			}
		}
	}
	b.WriteString("```\n")
	return b.String()
}

func TestThePictureOfTheArrowsIsCurrent(t *testing.T) {
	text, err := os.ReadFile(filepath.FromSlash(page))
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(text), begin)
	require.True(t, found)
	old, after, found := strings.Cut(rest, end)
	require.True(t, found)
	now := picture(list(t))
	if *update {
		require.NoError(t, os.WriteFile(filepath.FromSlash(page), []byte(before+begin+now+end+after), 0o644))
		return
	}
	assert.Equal(t, now, old,
		"docs/architecture.md shows other arrows; draw them anew with go test ./internal/arrows -update")
}
