package main

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
)

// brief are the commands that call libtorch, too, but only to read weights, to add some up or to see that it works.
var brief = []string{"adapter", "convert", "doctor", "merge", "lock-analysis", "verify"}

// What computes lets one say on what device or in how much memory. That nothing else calls libtorch is seen where the
// scripts run; see TestMain.
func TestCommandsThatComputeArePrepared(t *testing.T) {
	var names []string
	for _, c := range newRoot(&app{ui: ui.New(os.Stderr)}, commands()).Commands() {
		names = append(names, c.Name())
		if f := c.Flags(); (f.Lookup("max-memory") != nil || f.Lookup("device") != nil) &&
			!slices.Contains(brief, c.Name()) {
			assert.Contains(t, computing, c.Name())
		}
	}
	assert.Subset(t, names, slices.Concat(computing, brief), "commands that are not there")
	for _, line := range []string{"bwlm train exp.yaml", "bwlm --json -q train exp.yaml", "bwlm train --json"} {
		assert.Equal(t, "train", commandOf(strings.Fields(line)), line)
	}
	assert.Empty(t, commandOf([]string{"bwlm", "--help"}))
}
