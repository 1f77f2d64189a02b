package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/brainwavlm/bwlm/internal/rundir"
)

// left knows what a command leaves that is ended at once, and how to continue.
type left struct {
	mu sync.Mutex
	of func() string
}

// by sets what the command leaves from now on.
func (l *left) by(of func() string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of = of
}

// text is asked for by the second signal.
func (l *left) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of == nil {
		return "a file that was being written keeps a temporary name (.NAME.*.tmp or NAME.tmp.*) and may be removed; " +
			"the same command starts again"
	}
	return l.of()
}

// leavesRun is for a command that trains or scores a run.
func (a *app) leavesRun(run *rundir.Run) {
	a.left.by(func() string { return leftOfRun(run) })
}

// leavesRuns is for a command that makes several runs below a folder, and takes up those that are there.
func (a *app) leavesRuns(dir string) {
	a.left.by(func() string {
		return fmt.Sprintf("finished runs below %s are kept, and the other one up to its newest checkpoint; "+
			"continue with the same command", dir)
	})
}

func leftOfRun(run *rundir.Run) string {
	text := run.Dir + " has no checkpoint yet"
	if steps, err := run.Steps(); err == nil && len(steps) > 0 {
		text = fmt.Sprintf("%s is saved up to step %d, and later steps are lost", run.Dir, slices.Max(steps))
	}
	if unfinished := unfinishedIn(run.Dir); len(unfinished) > 0 {
		text += fmt.Sprintf(" (unfinished: %s, which may be removed)", strings.Join(unfinished, ", "))
	}
	return text + fmt.Sprintf("; resume it with `bwlm resume %s`", run.Dir)
}

// unfinishedIn returns the temporary files and folders of a run, at the places where it writes.
func unfinishedIn(dir string) (out []string) {
	for _, below := range []string{".", "ckpt", "eval", "adapter", "readout"} {
		list, err := os.ReadDir(filepath.Join(dir, below))
		if err != nil {
			continue
		}
		for _, e := range list {
			hidden := strings.HasPrefix(e.Name(), ".") && strings.HasSuffix(e.Name(), ".tmp")
			if hidden || strings.Contains(e.Name(), ".tmp.") {
				out = append(out, filepath.Join(below, e.Name()))
			}
		}
	}
	return out
}
