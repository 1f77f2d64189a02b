package main

import (
	"os"
	"slices"
	"syscall"

	"github.com/brainwavlm/bwlm/torch"
)

// computing are the commands that compute for long enough to care how.
var computing = []string{"train", "resume", "eval", "features", "ridge", "demo", "bench", "plan", "sweep"}

// prepare sets up the process for computing. OpenMP's threads spin for a millisecond while they wait for work, so that two
// programs on the same cores stand in each other's way (ten times slower was measured); threads that sleep at once pay for
// each waking (a nano model: three times slower). So they spin for some microseconds and then sleep. libgomp reads these
// settings once, before main, so the program starts itself anew with them; whoever sets the policy decides.
func prepare(args []string) {
	if len(args) < 2 || !slices.Contains(computing, args[1]) {
		return
	}
	const waiting = "OMP_WAIT_POLICY"
	if _, set := os.LookupEnv(waiting); !set {
		os.Setenv(waiting, "PASSIVE")
		os.Setenv("GOMP_SPINCOUNT", "5000")
		if self, err := os.Executable(); err == nil {
			_ = syscall.Exec(self, args, os.Environ()) // on failure it goes on as it is
		}
	}
	_ = torch.Configure(torch.Options{KeepMemory: true}) // nothing has started yet
}
