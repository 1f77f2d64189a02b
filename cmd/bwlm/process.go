package main

import (
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/brainwavlm/bwlm/torch"
)

// computing are the commands that compute for long enough to care how.
var computing = []string{"train", "resume", "eval", "features", "ridge", "demo", "bench", "plan", "sweep", "transfer", "controls",
	"probe", "explain-gain"}

// commandOf is the command that a command line names; "" if it names none.
func commandOf(args []string) string {
	for _, arg := range args[1:] {
		if !strings.HasPrefix(arg, "-") { // flags of every command may come first, and none of them takes a value
			return arg
		}
	}
	return ""
}

// prepare sets up the process for computing. OpenMP's threads spin for a millisecond while they wait for work, so that two
// programs on the same cores stand in each other's way (ten times slower was measured); threads that sleep at once pay for
// each waking (a nano model: three times slower). So they spin for some microseconds and then sleep. libgomp reads these
// settings once, before main, so the program starts itself anew with them; whoever sets the policy decides.
func prepare(args []string) {
	if !slices.Contains(computing, commandOf(args)) {
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
