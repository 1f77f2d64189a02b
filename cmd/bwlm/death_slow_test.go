//go:build slow

package main

import (
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/disk"
)

// TestDeathAtEveryStep kills a training before each of its steps on the file system, from the first to the last, and
// has it taken up: by the same command, and by resume.
func TestDeathAtEveryStep(t *testing.T) {
	l := newLife(t)
	kinds := map[disk.Op]int{}
	for _, s := range l.steps {
		kinds[s.Op]++
	}
	t.Logf("%d steps: %v", len(l.steps), kinds)
	inParallel(t, len(l.steps), func(n, trial int) {
		with := "train"
		if n%2 == 0 {
			with = "resume"
		}
		l.die(t, n, trial, with)
		if !strings.Contains(l.steps[n-1].Path, "/cache/") && with == "train" {
			l.die(t, n, trial, "resume")
		}
	})
}

// TestFailureAtEveryStep lets each step of the run fail once, and all from it on.
func TestFailureAtEveryStep(t *testing.T) {
	l := newLife(t)
	inParallel(t, len(l.steps), func(n, trial int) {
		switch {
		case !strings.Contains(l.steps[n-1].Path, "/cache/"):
			l.fail(t, n, trial, syscall.ENOSPC, n%2 == 0)
		case n%8 == 0:
			l.fail(t, n, trial, syscall.EIO, n%16 == 0)
		}
	})
}

// inParallel calls do for 1 to n from two goroutines, until the test has failed.
func inParallel(t *testing.T, n int, do func(n, trial int)) {
	t.Helper()
	next := make(chan int)
	var workers sync.WaitGroup
	for w := range 2 {
		workers.Go(func() {
			for k := range next {
				do(k, w+1)
			}
		})
	}
	for k := 1; k <= n; k++ {
		next <- k
	}
	close(next)
	workers.Wait()
	require.False(t, t.Failed())
}
