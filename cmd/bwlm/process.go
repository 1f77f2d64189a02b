package main

import (
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/brainwavlm/bwlm/torch"
)

// computing are the commands whose running time depends on thread and malloc policy.
var computing = []string{"train", "resume", "eval", "features", "ridge", "demo", "bench", "plan", "sweep", "transfer", "controls",
	"probe", "variance-partition"}

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
// each waking (a nano model: three times slower). So they spin for some microseconds and then sleep. And all threads share one
// arena of malloc: each with its own keeps what another could use (a step of WavLM Base: 1.9 GB instead of 1.6). Both are
// read once, before main, so the program starts itself anew with them; whoever sets them decides.
func prepare(args []string) {
	if !slices.Contains(computing, commandOf(args)) {
		return
	}
	anew := false
	set := func(name, value string) bool {
		_, theirs := os.LookupEnv(name)
		if !theirs {
			os.Setenv(name, value)
			anew = true
		}
		return !theirs
	}
	if set("OMP_WAIT_POLICY", "PASSIVE") {
		set("GOMP_SPINCOUNT", "5000")
	}
	set("MALLOC_ARENA_MAX", "1")
	if anew {
		if self, err := os.Executable(); err == nil {
			_ = syscall.Exec(self, args, os.Environ()) // on failure it goes on as it is
		}
	}
	_ = torch.Configure(torch.Options{KeepMemory: true}) // nothing has started yet
}
