package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/basemodel"
)

// allowChanged is the flag that lets something differ from what a run or an adapter was made with.
type allowChanged struct{ base bool }

const allowChangedFlag = "allow-changed"

func (f *allowChanged) add(c *cobra.Command) {
	c.Flags().Var(f, allowChangedFlag,
		"accept a changed input: base, the speech model that a run or adapter was trained on")
}

// String is empty, so that the help shows no default.
func (f *allowChanged) String() string { return "" }

// Type is how the help names the value.
func (f *allowChanged) Type() string { return "what" }

// Set accepts base.
func (f *allowChanged) Set(what string) error {
	if what != "base" {
		return errors.New("want base")
	}
	f.base = true
	return nil
}

// adviseAllow adds the flag to the hint about something that is refused unless a flag allows it.
func adviseAllow(f *fault.Error) {
	if errors.Is(f, results.ErrTestRepeats) && f.Hint != "" {
		f.Hint = "name another split, or accept this with --" + testRepeatsFlag + ", which all tables name"
	}
	if errors.Is(f, basemodel.ErrChanged) && f.Hint != "" {
		f.Hint = "use the model that it was trained on, or accept this one with --" + allowChangedFlag + " base"
	}
}
