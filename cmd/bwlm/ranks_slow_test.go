//go:build slow

package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

// TestRanksKilledAtEveryStep kills each rank of several after each step, and continues in another number of ranks.
func TestRanksKilledAtEveryStep(t *testing.T) {
	c := newCompany(t, "--set", "train.epochs=2")
	c.train(t, "whole", 1)
	want := c.results(t, "whole")
	const steps = 9 // lines of metrics.jsonl before the last epoch ends
	for _, world := range []int{2, 4} {
		for rank := range world {
			for line := 1; line < steps; line += 2 {
				run := fmt.Sprintf("of%d-%d-%d", world, rank, line)
				ranks, said := c.start(t, run, world)
				c.after(t, run, line, said)
				require.NoError(t, ranks[rank].Process.Kill())
				for other, code := range codes(ranks) {
					if other != rank {
						assert.Equal(t, int(fault.Temporary), code, "%s, rank %d: %s", run, other, said[other])
					}
				}
				c.train(t, run, []int{1, 2, 4}[(line/2+rank)%3])
				sameResults(t, want, filepath.Join(c.dir, run))
			}
		}
	}
}

// TestRandomFaultsOfRanks stops, kills and terminates random ranks at random times: each process ends in time with a
// code of its own, and the training comes to the same end.
func TestRandomFaultsOfRanks(t *testing.T) {
	c := newCompany(t, "--set", "train.epochs=3")
	c.train(t, "whole", 1)
	want := c.results(t, "whole")
	r := rand.New(rand.NewPCG(1, 1))
	for n := range 30 {
		run, world := fmt.Sprintf("run%d", n), 2+r.IntN(3)
		ranks, said := c.start(t, run, world)
		time.Sleep(time.Duration(r.IntN(3000)) * time.Millisecond)
		signal := []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGUSR1}[r.IntN(3)]
		struck := r.IntN(world)
		_ = ranks[struck].Process.Signal(signal) // it may have ended
		for rank, code := range codes(ranks) {
			assert.Contains(t, []int{-1, 0, int(fault.Temporary), int(fault.Terminated)}, code,
				"%s: %v to rank %d of %d, rank %d says: %s", run, signal, struck, world, rank, said[rank])
		}
		ranks, said = c.start(t, run, 1)
		code := codes(ranks)[0]
		if code != int(fault.Exists) { // or it had come to its end
			assert.Zero(t, code, "%s", said)
		}
		sameResults(t, want, filepath.Join(c.dir, run))
	}
}
