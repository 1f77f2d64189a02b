//go:build slow

package gettingstarted

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the output of the commands into the page")

const page = "../../docs/getting-started.md"

// A block of the page begins with a line "$ COMMAND", which is followed by what the command prints.
var block = regexp.MustCompile("(?s)```console\n\\$ (.*?)\n(.*?)```")

// progress matches the lines that redraw themselves in a terminal.
var progress = regexp.MustCompile(`(?m)^[a-z][a-z -]* {2}(\d+/\d+( .*)?|\d+ {2}in \S+)\n`)

// digits are compared as one: numbers differ in their last places between processors, and times everywhere.
var digits = regexp.MustCompile(`[-+]?\d[\d.,]*|\bminutes?\b|\bseconds?\b|\s+`)

func TestCommandsPrintWhatThePageShows(t *testing.T) {
	python := os.Getenv("PYTHON")
	if exec.Command(python, "-c", "import numpy").Run() != nil {
		t.Skip("PYTHON names no Python with numpy")
	}
	dir := t.TempDir()
	bin := filepath.Join(dir, "bin")
	require.NoError(t, os.Mkdir(bin, 0o755))
	python, err := exec.LookPath(python)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(bin, "python3"), []byte("#!/bin/sh\nexec "+python+` "$@"`+"\n"),
		0o755))
	build, err := exec.Command("go", "build", "-o", filepath.Join(bin, "bwlm"), "../../cmd/bwlm").CombinedOutput()
	require.NoError(t, err, string(build))
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	work := filepath.Join(dir, "work")
	require.NoError(t, os.Mkdir(work, 0o755))

	text, err := os.ReadFile(page)
	require.NoError(t, err)
	blocks := block.FindAllStringSubmatchIndex(string(text), -1)
	require.Greater(t, len(blocks), 8)
	var out strings.Builder
	end := 0
	for _, m := range blocks {
		command, want := string(text[m[2]:m[3]]), string(text[m[4]:m[5]])
		c := exec.Command("bash", "-c", command)
		c.Dir = work
		c.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "BWLM="+root,
			"XDG_CACHE_HOME="+filepath.Join(dir, "cache"))
		answer, err := c.CombinedOutput()
		require.NoError(t, err, "%s\n%s", command, answer)
		got := progress.ReplaceAllString(string(answer), "")
		if !*update {
			assert.Equal(t, shape(want), shape(got), command)
		}
		out.Write(text[end:m[4]])
		out.WriteString(strings.TrimLeft(got, "\n"))
		end = m[5]
	}
	out.Write(text[end:])
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(out.String()), 0o644))
	}
}

func shape(text string) string { return strings.TrimSpace(digits.ReplaceAllString(text, " ")) }
