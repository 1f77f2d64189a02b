package main

import (
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/torch"
)

// computing are the commands whose running time depends on thread and malloc policy.
var computing = []string{"train", "resume", "rerun", "eval", "features", "predict", "serve", "ridge", "demo", "bench",
	"plan", "sweep", "transfer", "controls", "probe", "variance-partition"}

// commandOf is the command that a command line names; "" if it names none.
func commandOf(args []string) string {
	for _, arg := range args[1:] {
		if !strings.HasPrefix(arg, "-") { // flags of every command may come first, and none of them takes a value
			return arg
		}
	}
	return ""
}

// prepare sets the process up for a command that computes for long, which may start it again.
func prepare(args []string) {
	if slices.Contains(computing, commandOf(args)) {
		_ = torch.Setup(torch.SetupOptions{KeepMemory: true, Reexec: true}) // no closure has run yet
	}
}
