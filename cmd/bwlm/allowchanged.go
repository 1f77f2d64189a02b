package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/basemodel"
	"github.com/brainwavlm/bwlm/internal/rundir"
)

// allowChanged is the flag that lets something differ from what a run or an adapter was made with.
type allowChanged struct {
	base, data bool
	onlyBase   bool // there are no data to change
}

const allowChangedFlag = "allow-changed"

func (f *allowChanged) add(c *cobra.Command) {
	text := "accept a changed input: base, the speech model that a run or adapter was trained on"
	if !f.onlyBase {
		text += "; data, the files of its data set"
	}
	c.Flags().Var(f, allowChangedFlag, text)
}

// String is empty, so that the help shows no default.
func (f *allowChanged) String() string { return "" }

// Type is how the help names the value.
func (f *allowChanged) Type() string { return "what" }

// Set accepts base, and data where there are some.
func (f *allowChanged) Set(what string) error {
	switch {
	case what == "base":
		f.base = true
	case f.onlyBase:
		return errors.New("want base")
	case what == "data":
		f.data = true
	default:
		return errors.New("want base or data")
	}
	return nil
}

// adviseAllow adds the flag to the hint about something that is refused unless a flag allows it.
func adviseAllow(f *fault.Error) {
	if errors.Is(f, results.ErrTestRepeats) && f.Hint != "" {
		f.Hint = "name another split, or accept this with --" + testRepeatsFlag + ", which all tables name"
	}
	if errors.Is(f, rundir.ErrInputChanged) && f.Hint != "" {
		f.Hint = "put it back; if you know what changed, accept it with --" + allowChangedFlag + " data"
	}
	if errors.Is(f, basemodel.ErrChanged) && f.Hint != "" {
		f.Hint = "use the model that it was trained on, or accept this one with --" + allowChangedFlag + " base"
	}
}
