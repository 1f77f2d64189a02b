package arrows

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A program that imports the library keeps its own signal handlers: only programs handle signals.
func TestOnlyProgramsHandleSignals(t *testing.T) {
	seen, all := 0, list(t)
	assert.Contains(t, all[module+"/cmd/bwlm"].Imports, "os/signal", "the test sees who does")
	for name, p := range all {
		below, ours := inside(name)
		if !ours || strings.HasPrefix(below, "cmd/") || strings.HasPrefix(below, "examples/") ||
			strings.HasPrefix(below, "tools/") {
			continue
		}
		seen++
		assert.False(t, slices.Contains(p.Imports, "os/signal"), "%s handles signals", below)
	}
	assert.Greater(t, seen, 50)
}

// The library writes to no standard stream: C's are not flushed when Go ends, and a service owns its own.
func TestOnlyProgramsPrint(t *testing.T) {
	prints := regexp.MustCompile(`\bfmt\.Print|\bos\.Std(out|err)\b|\blog\.(Print|Fatal|Panic)|\bprintln?\(|` +
		`\bprintf\(|std::(cout|cerr|clog)|\bfputs\(|\bperror\(`)
	programs := []string{"cmd", "examples", "tools", "bench", "third_party", "testdata", "scripts", "bin", "out"}
	seen := 0
	require.NoError(t, fs.WalkDir(os.DirFS("../.."), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (slices.Contains(programs, d.Name()) || strings.HasPrefix(d.Name(), ".") && name != "."):
			return fs.SkipDir
		case d.IsDir() || !slices.Contains([]string{".go", ".cc", ".c", ".h"}, path.Ext(name)),
			strings.HasSuffix(name, "_test.go"):
			return nil
		}
		if r := ruleOf(path.Dir(name)); r != nil && r.tests {
			return nil
		}
		text, err := os.ReadFile("../../" + name)
		require.NoError(t, err)
		seen++
		for n, line := range strings.Split(string(text), "\n") {
			code, _, _ := strings.Cut(line, "//")
			assert.False(t, prints.MatchString(code), "%s:%d: %s", name, n+1, line)
		}
		return nil
	}))
	assert.Greater(t, seen, 300)
	for _, line := range []string{`fmt.Println("a")`, "os.Stderr.Write(b)", `std::cerr << x`, `printf("%d", 1)`} {
		assert.True(t, prints.MatchString(line), line)
	}
	assert.False(t, prints.MatchString(`fmt.Fprintln(w, "a"); snprintf(b, n, "x")`))
}
