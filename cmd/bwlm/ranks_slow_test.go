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

// TestRandomFaultsOfRanks stops, kills, terminates or halts random ranks at random times, 200 times: each process ends
// in time with a code of its own, and each training comes to the same end as one that nothing happened to.
func TestRandomFaultsOfRanks(t *testing.T) {
	c := newCompany(t, "--set", "train.epochs=12")
	c.train(t, "whole", 1)
	want := c.results(t, "whole")
	r := rand.New(rand.NewPCG(1, 1))
	was := faultTimeout
	faultTimeout = 15 * time.Second
	defer func() { faultTimeout = was }()
	signals := []syscall.Signal{syscall.SIGKILL, syscall.SIGKILL, syscall.SIGKILL, syscall.SIGTERM, syscall.SIGTERM,
		syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR1, syscall.SIGSTOP}
	runs, met := 0, map[syscall.Signal]int{}
	for n := 0; n < 200; {
		run := fmt.Sprintf("run%d", runs)
		for ended := false; !ended && n < 200; {
			world := 2 + r.IntN(3)
			ranks, said := c.start(t, run, world)
			time.Sleep(time.Duration(r.IntN(2500)) * time.Millisecond)
			signal := signals[r.IntN(len(signals))]
			struck := r.IntN(world)
			begun := time.Now()
			if ranks[struck].Process.Signal(signal) == nil {
				met[signal]++
				n++
			}
			if signal == syscall.SIGSTOP { // the others wait as long as the timeout, and name it
				time.AfterFunc(faultTimeout+2*time.Second, func() { _ = ranks[struck].Process.Kill() })
			}
			ended = true
			for rank, code := range codes(ranks) {
				assert.Contains(t, []int{-1, 0, int(fault.Temporary), int(fault.Terminated), int(fault.Exists)}, code,
					"%s: %v to rank %d of %d, rank %d says: %s", run, signal, struck, world, rank, said[rank])
				ended = ended && code == 0
			}
			assert.Less(t, time.Since(begun), faultTimeout+time.Minute, "%s: %v", run, signal)
		}
		ranks, said := c.start(t, run, 1)
		if code := codes(ranks)[0]; code != int(fault.Exists) { // or it had come to its end
			assert.Zero(t, code, "%s", said)
		}
		sameResults(t, want, filepath.Join(c.dir, run))
		runs++
	}
	t.Logf("%d trainings, faults: %v", runs, met)
}
